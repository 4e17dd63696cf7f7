"""The loop of one namespace: look, decide, act; woken by whatever changes, and each second."""

import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import routers
from agent.adoptions import Adoptions
from agent.alerts import Alerts
from agent.canaries import Canaries
from agent.event_hooks import EventHooks
from agent.exposition import Exposition
from agent.faults import Faults
from agent.grounds import grounds
from agent.hooks import Hooks
from agent.listeners import Listeners
from agent.observe import Surroundings, objects, observe
from agent.offered import Offered
from agent.ownership import tie_lease
from agent.perform import Performer
from agent.queries import Queries
from agent.refusals import Refusals
from agent.routes import RouteObjects
from agent.served import Served
from agent.sources import Sources
from agent.unrouted import Unrouted
from agent.xds import AdsServer
from cluster.api import Api, Object
from cluster.errors import ClusterError, Conflict
from cluster.events import Events
from cluster.lease import Leadership
from cluster.survey import Survey
from cluster.watch import Cache
from delivery import adoption, external, leaving, names, origins, schema, serving
from delivery.alert import Route
from delivery.canary import Canary
from delivery.decision import WARNING, Delete
from delivery.intent import effects
from delivery.observation import Observation
from delivery.obstacles import mesh
from delivery.pair import Objects
from delivery.renaming import doubtful
from delivery.routers.envoy import resources
from delivery.slipped import slipped
from delivery.step import step

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
GATHER_SECONDS = 0.05
"""After a change, so that what comes with it is looked at in the same turn."""
STUCK_SECONDS = 60.0
"""Without a turn for so long, the kubelet restarts the agent."""
NAMESPACE_SECONDS = 10.0
"""How often the namespace's own labels are read: they change by hand."""


@dataclass
class Loop:
    """Everything one agent does; `changed` wakes it before the second is over."""

    api: Api
    cache: Cache
    ads: AdsServer
    queries: Queries
    hooks: Hooks
    event_hooks: EventHooks
    alerts: Alerts
    offered: Offered
    sources: Sources
    leadership: Leadership
    exposition: Exposition
    namespace: str
    label: str
    events: Events
    performer: Performer
    survey: Survey
    routes: RouteObjects
    refusals: Refusals
    faults: Faults
    changed: threading.Event
    ipv6: bool = False
    otherwise: tuple[Route, ...] = ()
    stopping: threading.Event = field(default_factory=threading.Event)
    published: threading.Event = field(default_factory=threading.Event)
    turned: float = field(default_factory=time.monotonic)
    rejections: dict[str, str] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    own_read: float = 0.0
    tied: bool = False
    doubted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        found = self.offered.looked_up
        self.canaries = Canaries(
            self.cache, self.complain, found, self.otherwise, self.faults.apart
        )
        self.served = Served(self.faults)
        self.listeners = Listeners(self.api)
        self.adoptions = Adoptions(
            self.api,
            self.cache,
            self.survey,
            self.refusals,
            Unrouted(self.events),
            self.changed,
            self.namespace,
        )

    def alive(self) -> bool:
        return time.monotonic() - self.turned < STUCK_SECONDS

    def stop(self) -> None:
        self.stopping.set()
        self.changed.set()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.changed.wait(TICK_SECONDS)
            self.stopping.wait(GATHER_SECONDS)
            self.changed.clear()
            try:
                self.tick()
            except Exception:
                # Fail closed: nothing is decided in this turn; the routers keep what they have.
                log.exception("tick failed")
                self.stopping.wait(TICK_SECONDS)
            self.turned = time.monotonic()

    def tick(self) -> None:
        found = objects(self.cache)
        itself = self.adoptions.itself()
        self.faults.begin((itself, *self.cache.items("Canary")))
        current = self.canaries.current(found)
        canaries = [canary for _, canary in current]
        self.publish(canaries, found)
        self.exposition.update(canaries)
        self.sources.look(canaries, found)
        leading = self.leadership.held()
        self.exposition.lead(leading)
        if not leading:
            self.hooks.keep(())
            return
        self.offered.look(canaries)
        around = self.surroundings(canaries, found)
        self.refusals.begin()
        self.alerts.keep(canaries)
        self.listeners.look(found, self.canaries.held_ports(), around.now)
        with self.faults.apart(itself, "adopting"):
            self.adoptions.look(canaries, around)
        for raw in self.canaries.taken_over():
            self.performer.perform(Delete("Canary", raw["metadata"]["name"]), raw)
        with self.faults.apart(itself, "clearing away"):
            self.sweep(canaries, around)
        self.hooks.keep(canary.name for canary in canaries)
        for raw, canary in current:
            # What is not ours yet is Flagger's while there is one: also its status is.
            if canary.status.promoted or not around.grounds.flagger:
                with self.faults.apart(raw, "its turn"):
                    self.turn(raw, canary, around)
        self.refusals.end()
        if not around.neighbours().enrolled:
            self.leave(canaries, around)

    def publish(self, canaries: Sequence[Canary], found: Objects) -> None:
        """Every replica serves the routers from the same status, leading or not."""
        served = self.served.of(self.canaries.to_serve(canaries, found), found)
        snapshot = resources(served, ipv6=self.ipv6)
        self.ads.publish(snapshot)
        for node in self.ads.nodes_at(snapshot):
            self.rejections.pop(node, None)
        self.published.set()

    def surroundings(self, canaries: Sequence[Canary], found: Objects) -> Surroundings:
        now = self.sources.now()
        if now - self.own_read > NAMESPACE_SECONDS:
            self.own = self.api.read("Namespace", self.namespace) or {"metadata": {}}
            self.own_read = now
            self.tied = self.tied or tie_lease(self.api, self.namespace)
        self.adoptions.begin()
        labels = self.own["metadata"].get("labels") or {}
        rejected = "; ".join(sorted(self.rejections.copy().values()))
        untried = {port for one in canaries for port in serving.untried(one, found.services)}
        return Surroundings(
            now=now,
            found=found,
            routers=routers.look(found.pods, untried, rejected=rejected),
            queries=self.queries,
            hooks=self.hooks,
            alerts=self.alerts,
            offered=self.offered,
            windows=self.sources.routers,
            sources=self.sources,
            listeners=self.listeners,
            routes=self.routes.look(self.providers(found), self.performer.trials.known()),
            grounds=grounds(self.cache, found, self.survey, labels=labels),
            mesh=mesh.of_namespace(self.own),
            enabled=labels.get(self.label, ""),
        )

    def leave(self, canaries: Sequence[Canary], around: Surroundings) -> None:
        """When every app has been given back, the agent goes, and with it all that it owns."""
        routed = any(external.leftovers({}, around.routes, self.namespace))
        if routed or not leaving.is_over(canaries, around.found):
            return
        log.info("every app is given back; the agent leaves")
        self.api.delete("Deployment", names.AGENT, namespace=self.namespace)
        self.stop()

    def sweep(self, canaries: Sequence[Canary], around: Surroundings) -> None:
        """Apps whose Deployment or Canary is gone leave nothing of ours behind."""
        claims = external.claims(canaries, self.canaries.newest)
        routes = external.leftovers(claims, around.routes, self.namespace)
        repairs = origins.repairs(around.found, self.cache.items("Service"))
        for service, why, _ in repairs:
            self.refusals.say(service, "was mended", (why,), kind=WARNING, reason="Mended")
        mended = (effect for _, _, effect in repairs)
        for effect in (*mended, *routes, *leaving.leftovers(around.found)):
            self.performer.perform(effect, self.adoptions.itself())

    def providers(self, found: Objects) -> Collection[str]:
        return external.providers(self.cache.items("Canary"), found.services)

    def turn(self, raw: Object, canary: Canary, around: Surroundings) -> None:
        """One Canary: decide, write the intent, say why, then whatever is still to be done."""
        started = time.monotonic()
        seen = observe(canary, around)
        self.say_standing(canary, seen)
        if self.is_read_again(canary, seen):
            return
        decision = step(self.sources.told(canary), seen)
        after = decision.canary
        if (written := self.intended(raw, canary, after, around.found)) is None:
            return
        self.hooks.ask(after, decision.asks)
        for message in decision.messages:
            self.events.record(written, message.type, message.text)
        self.event_hooks.tell(after, decision.messages, around.now)
        if seen.target and (text := slipped(canary, after, seen)):
            self.events.record(seen.target.manifest, WARNING, text, reason="Slipped")
            self.exposition.slip()
        for effect in effects(after, seen):
            self.performer.perform(effect, written)
        for text in self.alerts.look(after):
            self.events.warn(written, text)
        self.exposition.turned(canary, after, time.monotonic() - started)

    def say_standing(self, canary: Canary, seen: Observation) -> None:
        if seen.target and (standing := adoption.standing(canary, seen)):
            self.refusals.say(seen.target.manifest, *standing, kind=WARNING)

    def intended(self, raw: Object, before: Canary, after: Canary, found: Objects) -> Object | None:
        """The Canary with its next status; None where it cannot be written now."""
        if after.status == before.status and schema.shows(raw.get("status", {}), after.analysis):
            return raw
        try:
            if not self.listeners.claim_gained(before, after):
                return None
            raw = self.performer.write_status(raw, after)
        except ClusterError as error:
            level = logging.INFO if isinstance(error, Conflict) else logging.WARNING
            log.log(level, "status not written, decided anew: %s", error)
            return None
        self.canaries.wrote(raw)
        self.republish(found)
        return raw

    def is_read_again(self, canary: Canary, seen: Observation) -> bool:
        """Once for each revision that nobody announced; the next turn decides on one reading."""
        doubts = doubtful(canary.status, seen) - self.doubted
        if not doubts:
            return False
        try:
            self.cache.reread("Deployment", "ReplicaSet")
        except ClusterError as error:
            log.warning("not read again: %s", error)
        else:
            self.doubted |= doubts
            self.changed.set()
        return True

    def republish(self, found: Objects) -> None:
        """A new weight goes to the routers now, not at the next turn."""
        self.publish([canary for _, canary in self.canaries.current(found)], found)

    def rejected(self, node: str, kind: str, detail: str) -> None:
        """A router refused what it was told: said here, and the release halts (rules.analysis)."""
        self.rejections[node] = f"{node} refused {kind.rpartition('.')[2]}: {detail}"
        self.exposition.reject(node)
        self.changed.set()

    def complain(self, raw: Object, text: str) -> None:
        if self.leadership.held():
            self.events.warn(raw, text)
