"""Single looks at a pair, as plain as a rule's table needs them."""

from dataclasses import replace
from typing import Any

from delivery.canary import Analysis, Canary, Metric, Phase, Status
from delivery.decision import Decision
from delivery.observation import Observation, Routers, Traffic, Workload
from delivery.step import Rule, step
from tests.delivery import worlds

NOW = 1000.0
CHECK = Metric("request-success-rate", 10.0, minimum=99.0)
ANALYSIS = Analysis(interval=10.0, threshold=2, step_weight=20, max_weight=50, metrics=(CHECK,))
GOOD = {CHECK.name: Traffic(1000)}
BAD = {CHECK.name: Traffic(1000, bad=500)}

IDLE = Status(
    phase=Phase.INITIALIZED,
    observed="v1",
    promoted="v1",
    replicas=3,
    scale=0,
    ports={"80": 20001},
    apex="web",
    apex_moved=1.0,
    phase_since=NOW - 100.0,
)
RELEASING = replace(IDLE, phase=Phase.PROGRESSING, observed="v2", scale=2, phase_since=NOW - 20.0)
JUDGED = replace(RELEASING, canary_weight=20, last_check=NOW - 10.0)
PROMOTING = replace(JUDGED, phase=Phase.PROMOTING, canary_weight=50)
FINALISING = replace(PROMOTING, phase=Phase.FINALISING, canary_weight=0)
REFUSED = replace(RELEASING, phase=Phase.FAILED, failed="v2")


def canary(status: Status, **changes: Any) -> Canary:
    analysis = replace(ANALYSIS, **changes.pop("analysis", {}))
    found = Canary("web", "shop", "app", analysis, progress_deadline=60.0, status=status)
    return replace(found, **changes)


def half(revision: str, replicas: int = 3, **changes: Any) -> Workload:
    """A half whose pods are all ready, but for what is said of it."""
    selector = {"matchLabels": {"app": "app", "outrider.dev/role": "primary"}}
    spec: dict[str, Any] = {"selector": selector, "template": {"metadata": {}}}
    manifest = {"kind": "Deployment", "metadata": {"name": f"app-{revision}"}, "spec": spec}
    return Workload(
        manifest, revision, replicas, **{"held": replicas, "ready_pods": replicas, **changes}
    )


def seen(revision: str = "v1", promoted: str = "v1", scale: int = 0, **changes: Any) -> Observation:
    found = Observation(
        NOW,
        target=half(revision, scale),
        primary=half(promoted),
        apex=worlds.service(),
        routers=Routers(2, frozenset({20001})),
        revisions={"v1": {}, "v2": {}},
        traffic=GOOD,
        drained=True,
    )
    return replace(found, **changes)


def releasing(**changes: Any) -> Observation:
    """A release of v2 with its two pods ready."""
    return seen("v2", scale=2, **changes)


def decided(rule: Rule, status: Status, look: Observation, **changes: Any) -> Decision:
    """What the rule says; it must speak."""
    decision = rule(canary(status, **changes), look)
    assert decision is not None
    return decision


def silent(rule: Rule, status: Status, look: Observation, **changes: Any) -> bool:
    return rule(canary(status, **changes), look) is None


def stepped(status: Status, look: Observation, **changes: Any) -> Decision:
    return step(canary(status, **changes), look)


def texts(decision: Decision) -> list[tuple[str, str]]:
    return [(message.type, message.text) for message in decision.messages]
