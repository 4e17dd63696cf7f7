"""Blue-green without any router: the provider `kubernetes` (reference, 6.1)."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import apex
from delivery.api.cautions import cautions
from delivery.canary import Analysis, Phase
from delivery.guard import Policy
from delivery.observation import Routers
from delivery.rules import analysis
from delivery.schema import parse
from delivery.strategy import Split, next_split
from tests.delivery import worlds
from tests.delivery.scenes import IDLE, NOW, RELEASING, canary, decided, releasing
from tests.delivery.walks import said, split, walk

UNROUTED: dict[str, Any] = {"analysis": {"iterations": 2, "step_weight": 0, "routed": False}}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
GUARD = {"analysis": {**UNROUTED["analysis"], "guard": Policy()}}
COUNTED = {"name": "request-success-rate", "thresholdRange": {"min": 99}}
ASKED = {"name": "lag", "thresholdRange": {"max": 1}, "templateRef": {"name": "lag"}}
SOURCE = {"dialect": "envoy", "clusters": {"canary": "a", "primary": "b"}, "port": 9901}
PRIMARY = {"app": "app", "outrider.dev/role": "primary"}


def resource(**analysis: Any) -> dict[str, Any]:
    whole = {"interval": "5s", "threshold": 2, **analysis}
    return {"spec": {"provider": "kubernetes", "targetRef": TARGET, "analysis": whole}}


@pytest.mark.parametrize("changes", [UNROUTED, GUARD])
def test_nobody_is_sent_to_the_canary_and_what_passed_is_promoted(changes: dict[str, Any]) -> None:
    unmeasured: dict[str, Any] = {"analysis": {**changes["analysis"], "metrics": ()}}
    assert [split(status) for status, _ in walk(**unmeasured)] == [
        (Phase.PROGRESSING, 0, 1),
        (Phase.PROGRESSING, 0, 2),
        (Phase.PROMOTING, 0, 2),
        (Phase.FINALISING, 0, 2),
        (Phase.SUCCEEDED, 0, 0),
    ]


def test_a_check_that_nobody_can_count_holds_rather_than_to_pass() -> None:
    status = replace(RELEASING, iterations=1, last_check=NOW - 10.0)
    found = decided(analysis.missing_verdict_is_awaited, status, releasing(traffic={}), **UNROUTED)
    assert found.reason.startswith("Halt advancement no values found")


def test_no_word_of_traffic_is_said() -> None:
    assert said(**UNROUTED) == [
        "Starting canary analysis for app.shop",
        "Advance web.shop canary iteration 1/2",
        "Advance web.shop canary iteration 2/2",
        "Copying app.shop template spec to app-primary.shop",
        "Promotion completed! Scaling down app.shop",
    ]


def test_users_that_a_router_had_sent_there_come_back_when_it_is_named_no_more() -> None:
    unrouted = Analysis(iterations=2, routed=False)
    assert next_split(unrouted, Split(weight=40, iterations=1)) == Split(0, 2)


@pytest.mark.parametrize("routers", [Routers(), Routers(2, frozenset({20001}))])
def test_the_service_leads_to_the_primary_routers_or_not(routers: Routers) -> None:
    look = releasing(routers=routers)
    found = canary(IDLE, **UNROUTED)
    route = apex.wanted_route(found, look, worlds.service())
    assert route == {"selector": PRIMARY, "targetPorts": {"80": "http"}}
    assert apex.may_move(found, look)
    assert not apex.may_move(found, replace(look, apex=None))
    assert not apex.has_moved(found, look)
    spec = {**worlds.service()["spec"], "selector": PRIMARY}
    assert apex.has_moved(found, replace(look, apex={**worlds.service(), "spec": spec}))


def test_what_it_cannot_do_is_passed_over_and_told() -> None:
    match = [{"headers": {"x": {"exact": "1"}}}]
    found = parse(resource(iterations=3, match=match), Analysis())
    assert (found.analysis.iterations, found.analysis.match) == (3, ())
    (only,) = cautions(resource(iterations=3, match=match))
    assert only.startswith("spec.analysis.match: A/B testing is not supported when using the kube")
    assert parse(resource(stepWeight=5), Analysis()).analysis.iterations == 10
    (only,) = cautions(resource(stepWeight=5))
    assert only.startswith("spec.analysis.stepWeight: Progressive traffic is not supported when")
    assert cautions(resource(iterations=5, metrics=[ASKED])) == ()
    assert cautions(resource(iterations=5, metrics=[COUNTED], source=SOURCE)) == ()
    (only,) = cautions(resource(iterations=5, metrics=[COUNTED]))
    assert only.startswith(
        'spec.analysis.metrics[0]: "request-success-rate" is counted by our routers'
    )
    asked = resource(iterations=5, metrics=[COUNTED])
    asked["spec"]["metricsServer"] = "http://prometheus:9090"
    assert cautions(asked) == ()
    skipped = {"provider": "kubernetes", "targetRef": TARGET, "skipAnalysis": True}
    assert cautions({"spec": skipped}) == ()
