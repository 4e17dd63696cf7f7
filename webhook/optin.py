"""Gives each labelled namespace its agent and routers, keeps them, and changes their version."""

import functools
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster.api import Api, Object
from cluster.errors import ClusterError
from cluster.watch import Watched
from delivery import names, upgrade
from delivery.covering import covers
from delivery.flagger import NAME, announced, watching
from delivery.optin import enrolled, namespace_parts, owned, startable
from delivery.programs import Programs, opens_statistics
from delivery.upgrade import Standing
from webhook.metrics import Metrics
from webhook.registration import NEVER

log = logging.getLogger(__name__)

Manifest = Mapping[str, Any]

FLAGGER_SECONDS = 10.0
"""How old a look at the cluster's Flaggers may be when a namespace is put in order."""
SLOW_SECONDS = 60.0
"""A namespace whose change of version takes longer is spoken of."""


class Parts:
    """All parts of all namespaces, by watches: looking costs the API nothing."""

    def __init__(self, api: Api, programs: Programs, changed: Callable[[], None]) -> None:
        self.programs = programs
        wanted = namespace_parts("", programs)
        self.watched = {
            key(part): Watched(
                api,
                part["kind"],
                changed=lambda *_: changed(),
                query={"fieldSelector": f"metadata.name={part['metadata']['name']}"},
            )
            for part in wanted
        }

    def start(self) -> None:
        for one in self.watched.values():
            one.start()

    def synced(self) -> bool:
        return all(one.synced.is_set() for one in self.watched.values())

    def found(self) -> Mapping[str, Mapping[tuple[str, str], Manifest]]:
        """By namespace, then by kind and name."""
        every: dict[str, dict[tuple[str, str], Manifest]] = {}
        for one, watched in self.watched.items():
            for item in watched.items():
                every.setdefault(item["metadata"]["namespace"], {})[one] = item
        return every

    def wanted(self, namespace: str, *, open_statistics: bool) -> Sequence[Manifest]:
        return made(namespace, self.programs, open_statistics=open_statistics)


@functools.lru_cache(maxsize=4096)
def made(namespace: str, programs: Programs, *, open_statistics: bool) -> Sequence[Manifest]:
    """They are asked for at each turn, and always the same."""
    return namespace_parts(namespace, programs, open_statistics=open_statistics)


def key(part: Manifest) -> tuple[str, str]:
    return part["kind"], part["metadata"]["name"]


def has_no_agents(found: Mapping[tuple[str, str], Manifest]) -> bool:
    return ("Deployment", names.AGENT) not in found


@dataclass
class OptIn:
    """`slow` tells of a namespace whose change of version does not come to its end.

    `showing` are the namespaces whose routers show their statistics. `since` says when each change
    of version was first seen under way, `told` of which was spoken.
    """

    api: Api
    own_namespace: str
    label: str
    namespaces: Watched
    parts: Parts
    leading: Callable[[], bool]
    slow: Callable[[str], None]
    metrics: Metrics
    showing: frozenset[str] = frozenset()
    since: dict[str, float] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    flaggers: Sequence[Object] = ()
    flaggers_seen: float = -math.inf

    def turn(self) -> None:
        """Looks at all; a namespace that fails does not keep the others waiting."""
        if not self.namespaces.synced.is_set() or not self.parts.synced():
            return
        spaces = {one["metadata"]["name"]: one for one in self.namespaces.items() if self.asks(one)}
        asking = list(spaces)
        self.showing = frozenset(name for name, one in spaces.items() if opens_statistics(one))
        found = self.parts.found()
        standings = {name: self.standing(name, found.get(name, {})) for name in asking}
        behind = {name: one for name, one in standings.items() if not one.is_current}
        self.metrics.namespaces.set(len(asking))
        self.metrics.outdated.set(len(behind))
        if not self.leading():
            return
        self.tell(behind)
        if asking:
            self.look_for_flagger(anew=any(has_no_agents(found.get(name, {})) for name in asking))
        admitted = sorted(upgrade.admitted(standings))
        failed = [name for name in admitted if not self.ordered(name, found.get(name, {}))]
        if failed:
            raise ClusterError(f"not in order: {', '.join(failed)}")

    def asks(self, namespace: Manifest) -> bool:
        excluded = {*NEVER, self.own_namespace}
        return namespace["metadata"]["name"] not in excluded and enrolled(namespace, self.label)

    def wanted(self, namespace: str) -> Sequence[Manifest]:
        return self.parts.wanted(namespace, open_statistics=namespace in self.showing)

    def standing(self, namespace: str, found: Mapping[tuple[str, str], Manifest]) -> Standing:
        wanted = self.wanted(namespace)
        return upgrade.standing([found.get(key(part)) for part in wanted], wanted)

    def look_for_flagger(self, *, anew: bool = False) -> None:
        """Our right ends at Deployments of that name. Until one look succeeds nothing is made.

        Agents do not begin with what was so some seconds ago.
        """
        if not anew and time.monotonic() - self.flaggers_seen < FLAGGER_SECONDS:
            return
        query = {"fieldSelector": f"metadata.name={NAME}", "resourceVersion": "0"}
        try:
            self.flaggers = self.api.list("Deployment", query=query)
        except ClusterError as error:
            if self.flaggers_seen == -math.inf:
                raise
            log.warning("who runs Flagger is not known anew: %s", error)
        self.flaggers_seen = time.monotonic()

    def tell(self, behind: Mapping[str, Standing]) -> None:
        """Of a change of version that goes on for too long, once."""
        now = time.monotonic()
        moving = {name for name, one in behind.items() if one.waits}
        self.since = {name: self.since.get(name, now) for name in moving}
        self.told &= moving
        for name in sorted(moving - self.told):
            if now - self.since[name] > SLOW_SECONDS:
                self.told.add(name)
                self.slow(upgrade.halted(name, behind))

    def ordered(self, namespace: str, found: Mapping[tuple[str, str], Manifest]) -> bool:
        """All parts in their order; those after one that still changes its pods wait for it."""
        owner = found.get(("Deployment", names.AGENT))
        flagger = watching(self.flaggers, namespace)
        wanted = list(announced(self.wanted(namespace), flagger))
        try:
            # What is made before there is an owner is tied to it in a second pass.
            for part in wanted if owner else (*wanted, *wanted):
                there = found.get(key(part))
                if there is None and not startable(part, owner):
                    continue
                now = self.tied(part, owner, there)
                if key(part) == ("Deployment", names.AGENT):
                    owner = now
                if upgrade.rollout(now):
                    break
        except ClusterError as error:
            log.warning("%s", error, extra={"namespace": namespace})
            return False
        return True

    def tied(self, part: Manifest, owner: Manifest | None, found: Manifest | None) -> Manifest:
        """Applied as owned by the agent's Deployment, once there is one; the part as it is now."""
        wanted = owned(part, owner["metadata"]["uid"]) if owner else part
        if found is not None and covers(found, wanted):
            return found
        applied = self.api.apply(wanted, manager=names.WEBHOOK_MANAGER)
        about = {"namespace": part["metadata"]["namespace"]}
        log.info("applied %s %s", *key(part), extra=about)
        return applied
