"""Who counts the requests of each app: the namespace's routers, or what its Canary names."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agent import routers
from agent.clock import Clock
from agent.envoy import Scraper
from agent.traffic import Windows
from cluster.api import Api
from cluster.errors import ClusterError
from delivery import names, pair, serving, source
from delivery.canary import Canary
from delivery.counted import Counted
from delivery.pair import Objects
from delivery.pods import Object
from delivery.source import Source

log = logging.getLogger(__name__)

ELSEWHERE_SECONDS = 5.0
"""How old may be what is known of another namespace, which is not watched."""


@dataclass
class Elsewhere:
    """Pods and Services of another namespace, or why they cannot be read."""

    read: float
    pods: Sequence[Object] = ()
    services: Sequence[Object] = ()
    why: str = ""


@dataclass
class Sources:
    api: Api
    namespace: str
    routers: Windows
    failed: Callable[[str], None]
    clock: Clock
    others: dict[str, Windows] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    lives: dict[str, dict[str, str]] = field(default_factory=dict)
    elsewhere: dict[str, Elsewhere] = field(default_factory=dict)

    def start(self) -> None:
        self.routers.start()

    def now(self) -> float:
        return round(self.clock.now(), 6)

    def of(self, canary: Canary) -> Windows | None:
        """None where its source is not read, for no release is under way."""
        given = canary.analysis.source
        return self.others.get(given.where) if given else self.routers

    def told(self, canary: Canary) -> Canary:
        """With what was found of its source in its status."""
        text = self.said.get(canary.name, "") if canary.analysis.source else ""
        return replace(canary, status=replace(canary.status, source=text))

    def counted(self, canary: Canary, found: Objects) -> Counted:
        """What was read last, each Envoy under a name of the life that it counts in."""
        windows, given = self.of(canary), canary.analysis.source
        if windows is None or not (read := windows.counters()):
            return {}
        lives = self.lives.get(given.where, {}) if given else routers.lives(found.pods)
        return {lives[address]: read[address] for address in sorted(read) if address in lives}

    def look(self, canaries: Sequence[Canary], found: Objects) -> None:
        """Never when idle: then the clock may be set."""
        moving = [canary for canary in canaries if serving.is_moving(canary)]
        self.routers.aim(routers.addresses(found.pods))
        self.routers.scrape_while(bool(moving))
        if not moving:
            self.clock.set()
        known = {canary.name for canary in canaries if canary.analysis.source}
        self.said = {name: text for name, text in self.said.items() if name in known}
        self.lives = {}
        for canary in moving:
            if (given := canary.analysis.source) is not None:
                self.lives.setdefault(given.where, {}).update(self.found(canary, given, found))
        for where in self.others.keys() - self.lives.keys():
            self.others.pop(where).stop()
        for where, lives in self.lives.items():
            self.others[where].aim(sorted(lives))

    def found(self, canary: Canary, given: Source, found: Objects) -> dict[str, str]:
        """What is to be read for a Canary; its windows are opened with the first look."""
        windows = self.others.get(given.where) or self.opened(given)
        place = Elsewhere(0.0, found.pods, found.services)
        if given.namespace not in ("", self.namespace):
            place = self.read(given.namespace)
        chosen = source.chosen(given, place.pods, place.services, own_pods(canary, found))
        lives = routers.lives_of(chosen)
        self.said[canary.name] = source.told(given, list(lives), windows.silent, place.why)
        return lives

    def opened(self, given: Source) -> Windows:
        spoken = given.spoken
        scraper = Scraper(given.port or spoken.port, spoken.query)
        windows = Windows(scraper, failed=self.failed, parse=spoken.reading.parse, clock=self.clock)
        windows.looked = self.routers.looked
        self.others[given.where] = windows
        windows.start()
        windows.scrape_while(True)
        return windows

    def read(self, namespace: str) -> Elsewhere:
        known = self.elsewhere.get(namespace)
        if known is None or self.clock.now() - known.read > ELSEWHERE_SECONDS:
            known = self.elsewhere[namespace] = self.listed(namespace)
        return known

    def listed(self, namespace: str) -> Elsewhere:
        """The agent has no right to it by itself: who names another namespace grants it there."""
        now = self.clock.now()
        try:
            pods = self.api.list("Pod", namespace=namespace)
            return Elsewhere(now, pods, self.api.list("Service", namespace=namespace))
        except ClusterError as error:
            log.warning("namespace %s: %s", namespace, error)
            return Elsewhere(
                now,
                why=f"not readable; bind ServiceAccount {names.AGENT} of namespace "
                f"{self.namespace} to a Role that lists pods and services there",
            )


def own_pods(canary: Canary, found: Objects) -> Sequence[Object]:
    """Those of both halves."""
    halves = (canary.target, names.primary_name(canary.target))
    deployments = (pair.named(found.deployments, name) for name in halves)
    return [pod for one in deployments if one for pod in pair.pods_of(found, one)]
