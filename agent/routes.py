"""Reads the objects of external routers, and only while something in the namespace names one."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from cluster.api import Api, Object
from cluster.errors import ClusterError
from cluster.kinds import kind_of
from cluster.watch import Watched
from delivery.dropped import Answer
from delivery.observation import Routes
from delivery.obstacles.grounds import UNREAD
from delivery.routers.table import ROUTERS

RETRY_SECONDS = 10.0
"""Between two questions whether a kind is served."""

log = logging.getLogger(__name__)


@dataclass
class RouteObjects:
    """`refused` maps a kind to why it is not read; `absent` are those that are not served."""

    api: Api
    namespace: str
    changed: Callable[[str, Object], None]
    clock: Callable[[], float] = time.monotonic
    watched: dict[str, Watched] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    tried: dict[str, float] = field(default_factory=dict)

    def look(
        self, providers: Collection[str], answers: Mapping[tuple[str, str], Answer] | None = None
    ) -> Routes:
        """What is known by now of the objects of these; `answers` as in Routes."""
        wanted = {kind for one in providers for kind in ROUTERS[one].kinds}
        for kind in sorted(self.watched.keys() - wanted):
            self.watched.pop(kind).stop()
        for kind in sorted(wanted - self.watched.keys()):
            self.open(kind)
        return Routes(
            objects={
                (kind, item["metadata"]["name"]): item
                for kind in sorted(wanted & self.watched.keys())
                for item in self.watched[kind].items()
            },
            missing=dict(self.missing(providers)),
            absent=frozenset(one for one in providers if self.absent & set(ROUTERS[one].kinds)),
            answers=answers or {},
        )

    def missing(self, providers: Collection[str]) -> Mapping[str, str]:
        whys = {one: [self.why(kind) for kind in ROUTERS[one].kinds] for one in providers}
        return {one: "; ".join(filter(None, said)) for one, said in whys.items() if any(said)}

    def why(self, kind: str) -> str:
        """Nothing is known of the kind; empty while it is watched."""
        found = self.watched.get(kind)
        if found is None:
            return self.refused.get(kind, f"{UNREAD}: {kind}")
        if not found.synced.is_set() or found.away:
            return f"{UNREAD}: {kind}"
        return ""

    def open(self, kind: str) -> None:
        now = self.clock()
        if kind in self.tried and now - self.tried[kind] < RETRY_SECONDS:
            return
        self.tried[kind] = now
        self.absent.discard(kind)
        try:
            served = self.api.serves(kind)
        except ClusterError as error:
            log.warning("%s: %s", kind, error)
            self.refused[kind] = f"{UNREAD}: {kind}"
            return
        if served:
            self.watched[kind] = Watched(self.api, kind, self.namespace, changed=self.changed)
            self.watched[kind].start()
            return
        self.absent.add(kind)
        group = kind_of(kind).api_version
        self.refused[kind] = f"the cluster does not know {kind} of {group}: install its CRDs"
