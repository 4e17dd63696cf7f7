"""Remembers whose the routers' listener ports are, where no Canary and no agent can lose it."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cluster.api import Api
from cluster.errors import ClusterError
from cluster.watch import version
from delivery import listeners, names, pair
from delivery.canary import Canary
from delivery.listeners import Claims
from delivery.names import AGENT_MANAGER
from delivery.pair import Objects
from delivery.pods import Object, annotations_of

log = logging.getLogger(__name__)


@dataclass
class Listeners:
    """Claims are an annotation on the agents' Service: only the leader writes it, each time under
    the resourceVersion that it has read, before a Canary's status names a port.
    """

    api: Api
    service: Object | None = None
    known: Claims = field(default_factory=dict)

    def look(self, found: Objects, held: Mapping[str, Collection[int]], now: float) -> None:
        """`held` are the ports of each app; those that are no longer held rest for a while."""
        seen = pair.named(found.services, names.AGENT)
        self.service = max(
            (one for one in (seen, self.service if seen else None) if one),
            key=version,
            default=None,
        )
        before = listeners.claims(self.said())
        self.known = listeners.followed(before, held, now)
        if self.known != before:
            self.write(self.known)

    def said(self) -> str:
        return annotations_of(self.service).get(names.LISTENER_CLAIMS, "") if self.service else ""

    def taken(self, app: str) -> frozenset[int]:
        return listeners.taken(self.known, app)

    def claim(self, app: str, ports: Collection[int]) -> bool:
        """Whether these ports are the app's, so that its status may name them."""
        mine = {port: listeners.Claim(app) for port in ports}
        if mine.items() <= self.known.items():
            return True
        return self.write({**self.known, **mine})

    def claim_gained(self, before: Canary, after: Canary) -> bool:
        """Whether a next status may be written: nothing is asked while it gains no port."""
        ports = after.status.ports
        gained = ports.items() - before.status.ports.items()
        return not gained or self.claim(after.target, ports.values())

    def write(self, claims: Claims) -> bool:
        if self.service is None:
            log.warning("no Service %s to keep the listener ports on", names.AGENT)
            return False
        metadata = {
            "annotations": {names.LISTENER_CLAIMS: listeners.written(claims)},
            "resourceVersion": self.service["metadata"].get("resourceVersion", ""),
        }
        try:
            answer = self.api.merge(self.service, {"metadata": metadata}, manager=AGENT_MANAGER)
        except ClusterError as error:
            log.warning("listener ports not written: %s", error)
            return False
        self.service, self.known = answer, claims
        return True
