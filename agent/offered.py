"""What Canaries name beside them: of their own namespace by watch, of others as it is needed."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.secrets import Unallowed, Unread
from cluster.api import Api, Object
from cluster.errors import ClusterError, Forbidden
from cluster.watch import Cache
from delivery import serving
from delivery.canary import Canary
from delivery.mapping import mapping
from delivery.references import SECRET, Named, foreign, unoffered

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""How old may be what is known of another namespace, which is not watched."""
MOVING_SECONDS = 2.0
"""The same while a release names it, or when it could not be read."""
MOST_READS = 8
"""In one turn, which waits for them."""


class NotOffered(Exception):
    """It may not be read, or was not read yet: nothing can be said of what stands there."""


@dataclass(frozen=True)
class Known:
    """An object of another namespace as it was read last, None where there was none.

    `refused` is what is to be done so that it may be read, `failed` why it is not known.
    """

    read: float
    found: Object | None = None
    refused: str = ""
    failed: str = ""


@dataclass
class Offered:
    """`known` has just what the namespace's Canaries name: others are forgotten."""

    api: Api
    cache: Cache
    namespace: str
    secrets: Callable[[Named], Mapping[str, str]]
    known: dict[Named, Known] = field(default_factory=dict)

    def find(self, named: Named) -> Object | None:
        """None where there is no such object. Threads of questions and alerts ask too."""
        if named.namespace == self.namespace:
            every = self.cache.items(named.kind)
            return next((one for one in every if one["metadata"]["name"] == named.name), None)
        known = self.known.get(named)
        if known is None or known.refused or known.failed:
            why = (known.refused or known.failed) if known else "it is not read yet"
            raise NotOffered(why)
        return known.found

    def looked_up(self, named: Named) -> Object | None:
        """The same for whom it is as good as absent."""
        try:
            return self.find(named)
        except NotOffered:
            return None

    def refused(self, canary: Canary) -> tuple[str, ...]:
        """Of each of its references that may not be read: field, value, fix."""
        every = ((path, self.known.get(named)) for path, named in foreign(canary) if path)
        return tuple(f"{path}{known.refused}" for path, known in every if known and known.refused)

    def look(self, canaries: Sequence[Canary]) -> None:
        """Reads what is due, a few in each turn; a turn without an API server reads no more."""
        wanted = dict(named_by(canaries))
        self.known = {named: one for named, one in self.known.items() if named in wanted}
        due = [named for named in wanted if self.is_due(named, wanted[named])]
        for named in sorted(due, key=self.age)[:MOST_READS]:
            self.known[named] = self.read(named)
            if self.known[named].failed:
                break

    def age(self, named: Named) -> float:
        return self.known[named].read if named in self.known else 0.0

    def is_due(self, named: Named, moving: bool) -> bool:
        known = self.known.get(named)
        if known is None:
            return True
        hurry = moving or known.refused or known.failed
        return time.monotonic() - known.read > (MOVING_SECONDS if hurry else IDLE_SECONDS)

    def read(self, named: Named) -> Known:
        now, before = time.monotonic(), self.known.get(named)
        if not named.can_be_there:
            return Known(now)
        try:
            found = self.api.read(named.kind, named.name, namespace=named.namespace)
        except Forbidden:
            text = unoffered("", named.kind, named.namespace, self.namespace)
            return Known(now, refused=text)
        except ClusterError as error:
            log.warning("%s %s of %s: %s", named.kind, named.name, named.namespace, error)
            if before and not before.refused and not before.failed:
                # What was offered a moment ago is taken for it: nothing halts over a lost answer.
                return Known(now, before.found)
            return Known(now, failed=str(error))
        return Known(now, found, refused=self.without_secret(named, found))

    def without_secret(self, named: Named, found: Object | None) -> str:
        """Whether what goes along with it may be read too; nothing of it is kept."""
        secret = secret_of(found or {})
        if not secret:
            return ""
        try:
            self.secrets(Named(SECRET, named.namespace, secret))
        except Unallowed as error:
            return f': Secret "{secret}" of {named.kind} "{named.name}": {error}'
        except Unread as error:
            log.info("secret %s of %s: %s", secret, named.namespace, error)
        return ""


def named_by(canaries: Sequence[Canary]) -> Iterator[tuple[Named, bool]]:
    """What is named of other namespaces, and whether a release that is under way does."""
    moving: dict[Named, bool] = {}
    for canary in canaries:
        for _, named in foreign(canary):
            moving[named] = moving.get(named, False) or serving.is_moving(canary)
    yield from moving.items()


def secret_of(found: Mapping[str, Any]) -> str:
    """What a MetricTemplate or an AlertProvider names."""
    for path in (("spec", "provider", "secretRef"), ("spec", "secretRef")):
        if name := mapping(found, *path).get("name"):
            return str(name)
    return ""
