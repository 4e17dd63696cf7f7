"""The agent's turns in a world in miniature: look, decide, act, and what may be lost on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from delivery import adoption, described, eligibility, origins, pair, schema, serving
from delivery.canary import Analysis, Canary, Metric, Status
from delivery.checks import window_start
from delivery.decision import Annotate, Consume, Delete, Effect
from delivery.hook import Call, Reply
from delivery.intent import effects
from delivery.observation import Observation, Routers, Traffic
from delivery.pair import Objects
from delivery.step import step
from tests.delivery.reviews import Document
from tests.delivery.worlds import NAMESPACE, START, World, populated

METRICS = (
    Metric("request-success-rate", 5.0, minimum=99.0),
    Metric("request-duration", 5.0, maximum=500.0),
)
ANALYSIS = Analysis(interval=5.0, threshold=2, step_weight=20, max_weight=50, metrics=METRICS)


@dataclass
class Agent:
    """It keeps nothing between two turns but the Canary's status, as the API server stores it."""

    world: World = field(default_factory=populated)
    canary: Canary = Canary("web", NAMESPACE, "web", ANALYSIS, progress_deadline=60.0)
    stored: Document = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    gone: bool = False
    promoted: set[str] = field(default_factory=set)
    answers: Callable[[Call], bool] = lambda call: True
    replies: Mapping[str, Reply] = field(default_factory=dict)

    def write(self, status: Status) -> None:
        self.stored = schema.status_body(status, self.stored)
        resource = schema.generated("web", NAMESPACE) | {"status": self.stored}
        found = schema.parse(resource, ANALYSIS).status
        assert found == status, "the status does not survive its storage"
        self.canary = replace(self.canary, status=found)
        self.promoted.add(found.promoted)

    def turn(self, crash_after: int | None = None) -> tuple[Effect, ...]:
        """Dies after so many writes, the status being the first one, if told to."""
        if self.gone:
            self.adopt()
        self.publish()
        self.repair()
        seen = replace(look(self.canary, self.world), replies=self.replies)
        decision = step(self.canary, seen)
        due = effects(decision.canary, seen)
        if crash_after == 0:
            return due
        if decision.canary.status != self.canary.status:
            self.write(decision.canary.status)
            self.publish()
        self.replies = {
            call.hook.name: Reply(call.about, self.answers(call)) for call in decision.asks
        }
        self.said += [message.text for message in decision.messages]
        for effect in due[: None if crash_after is None else crash_after - 1]:
            self.perform(effect)
        if crash_after is not None and crash_after <= len(due):
            self.dies_over(due[crash_after - 1])
        return () if self.gone else due

    def repair(self) -> None:
        """What the loop's sweep does before the turns."""
        services = list(self.world.services.values())
        if not any(map(origins.is_spoilt, services)):
            return
        for _, _, effect in origins.repairs(objects(self.world), services):
            self.perform(effect)

    def dies_over(self, effect: Effect) -> None:
        """Before it, or between its two writes."""
        if isinstance(effect, Annotate):
            self.world.begin(effect)

    def perform(self, effect: Effect) -> None:
        if isinstance(effect, Delete) and effect.kind == "Canary":
            self.gone = True
        elif isinstance(effect, Consume):
            self.consume(effect)
        else:
            self.world.perform(effect)

    def consume(self, effect: Consume) -> None:
        kept = tuple(one for one in self.canary.wishes if one.annotation not in effect.annotations)
        self.canary = replace(self.canary, wishes=kept)

    def adopt(self) -> None:
        """A Canary that is gone comes again when its app is to be adopted."""
        found = adoption.next_adoption([], neighbours(self.world))
        if found.target:
            self.gone, self.stored = False, {}
            self.canary = replace(self.canary, status=Status())

    def publish(self) -> None:
        self.world.served = list(serving.applications(self.canary, objects(self.world)))

    def run(self, seconds: int) -> "Agent":
        for _ in range(seconds):
            self.turn()
            self.world.pass_second()
        return self


def objects(world: World) -> Objects:
    found = Objects(
        deployments=list(world.deployments.values()),
        replica_sets=world.sets,
        pods=[pod.manifest() for pod in world.pods],
        services=list(world.services.values()),
        templates=list(world.kept.values()),
    )
    return origins.legible(found, ())


SCALER = {
    "metadata": {"name": "web"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
}


def neighbours(world: World, found: Objects | None = None) -> eligibility.Neighbours:
    found = found or objects(world)
    scalers = [SCALER] if world.scaled else []
    return eligibility.Neighbours(
        found.services, found.deployments, scalers, enrolled=world.enrolled
    )


def look(canary: Canary, world: World) -> Observation:
    """What agent/observe.py does with caches, done with a world."""
    found, analysis, status = objects(world), canary.analysis, canary.status
    target, primary = world.deployments["web"], world.deployments.get("web-primary")
    around = neighbours(world, found)
    first = pair.named(found.services, status.apex or canary.service or "web")
    beside, strays = serving.more_services(canary, target, first, found)
    listening = frozenset(one.listener for one in world.served if world.routers)
    return Observation(
        world.now,
        target=pair.workload(found, target, threshold=analysis.canary_ready_threshold),
        primary=None
        if primary is None
        else pair.workload(
            found, primary, threshold=analysis.primary_ready_threshold, target=target
        ),
        apex=first,
        beside=beside,
        strays=strays,
        services={one["metadata"]["name"]: one for one in found.services},
        revisions=pair.revisions(found, target, primary),
        kept=pair.kept(found, target),
        names=pair.named_by_admission(found, target),
        serving=pair.serving(found, target),
        wish=pair.wished(target),
        noted=pair.noted(target),
        refusals=()
        if status.phase
        else described.standing_refusals(canary, target, primary, around),
        leaving=eligibility.leaving(target, around, generated=canary.generated),
        unfit=unfit(canary, target, around),
        routers=Routers(world.routers, listening),
        traffic={metric.name: window(canary, metric, world) for metric in analysis.metrics},
        drained=quiet(world, status.phase_since),
    )


def unfit(canary: Canary, target: Document, around: eligibility.Neighbours) -> tuple[str, ...]:
    if not canary.status.phase:
        return ()
    return eligibility.unfit(target, around, target["spec"]["template"])


def window(canary: Canary, metric: Metric, world: World) -> Traffic:
    start = window_start(canary, metric, world.now)
    if start is None:
        return Traffic()
    seen = [(count, kind) for when, count, kind in world.counted if when > start]
    total = sum(count for count, _ in seen)
    bad = sum(count for count, kind in seen if kind == "bad")
    slow = sum(count for count, kind in seen if kind == "slow")
    p99 = 900.0 if slow > 0.01 * total else 20.0
    limits = {} if metric.maximum is None else {metric.maximum: slow}
    return Traffic(total, bad, p99 if total else None, limits, world.now - start)


def quiet(world: World, since: float | None) -> bool:
    last = max((when for when, _, _ in world.counted), default=START)
    return world.now - max(last, since or 0.0) >= 2.0
