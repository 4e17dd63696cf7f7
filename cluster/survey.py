"""Looks for kinds that may not be installed, and says what could not be read of them."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cluster.api import Api, with_kind
from cluster.errors import ClusterError, Forbidden, Missing
from cluster.kinds import Kind
from delivery.obstacles.grounds import UNREAD, Sighting

RETRY_SECONDS = 0.5
"""Between two looks, however often they are asked for."""

log = logging.getLogger(__name__)


@dataclass
class Survey:
    """One call tells which groups are served; only kinds that are get a list of their own.

    It works in a thread of its own, when asked, so that nobody waits for it; `changed` is called
    after each look. What could not be read stays as it was seen last.
    """

    api: Api
    kinds: Mapping[str, Sequence[Kind]]
    namespace: str
    changed: Callable[[], None]
    retry: float = RETRY_SECONDS
    seen: Mapping[str, Sighting] = field(default_factory=dict)
    looked: float | None = None
    tried: float | None = None
    asked: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.seen = {name: Sighting(unknown=f"{UNREAD}: {name}") for name in self.kinds}

    def start(self) -> None:
        threading.Thread(target=self.run, name="survey", daemon=True).start()

    def is_newer(self, moment: float) -> bool:
        """Than this moment of the monotonic clock; if it is not, another look is asked for."""
        if self.looked is not None and self.looked >= moment:
            return True
        now = time.monotonic()
        if self.tried is None or now - self.tried >= self.retry:
            self.tried = now
            self.asked.set()
        return False

    def run(self) -> None:
        while True:
            self.asked.wait()
            self.asked.clear()
            self.look()
            self.changed()

    def look(self) -> None:
        begun = time.monotonic()
        try:
            served = self.served()
            self.seen = {name: self.sighting(name, served) for name in self.kinds}
        except ClusterError as error:
            log.warning("other projects' kinds: %s", error)
        else:
            self.looked = begun

    def served(self) -> frozenset[str]:
        """The API's groups with their versions; who may not list them tries all that are known."""
        try:
            groups = self.api.call("GET", "/apis")["groups"]
        except Forbidden:
            return frozenset(kind.api_version for kinds in self.kinds.values() for kind in kinds)
        return frozenset(one["groupVersion"] for group in groups for one in group["versions"])

    def sighting(self, name: str, served: frozenset[str]) -> Sighting:
        kind = next((kind for kind in self.kinds[name] if kind.api_version in served), None)
        if kind is None:
            return Sighting()
        try:
            answer = self.api.call("GET", kind.path(self.namespace))
        except Missing:
            return Sighting()
        except Forbidden as error:
            group = kind.api_version.partition("/")[0]
            text = f"whether a {name} drives it cannot be known: agents may not list {kind.plural}"
            log.warning("%s", error)
            return Sighting(self.seen[name].items, f"{text}.{group}")
        return Sighting(with_kind(kind, answer["items"]))
