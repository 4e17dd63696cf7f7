"""The guard in the API: what is asked for, what is refused, and a status that loses nothing."""

from math import inf
from typing import Any

import pytest

from delivery import schema
from delivery.admission.canary import validated
from delivery.admission.request import Request
from delivery.api.cautions import cautions
from delivery.api.guard import effective_policy
from delivery.canary import Analysis, Status
from delivery.evidence import Counts, begun, grown
from delivery.guard import Guard, Policy
from delivery.names import GENERATED
from delivery.stats import Counters

SUCCESS = {"name": "request-success-rate", "thresholdRange": {"min": 99}}
ANALYSIS = {"interval": "30s", "threshold": 5, "stepWeight": 10, "metrics": [SUCCESS]}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}


def resource(**analysis: Any) -> dict[str, Any]:
    spec = {"targetRef": TARGET, "analysis": {**ANALYSIS, **analysis}}
    metadata = {"name": "shop", "namespace": "shop"}
    return {"metadata": metadata, "spec": spec}


def asked(**analysis: Any) -> Analysis:
    return schema.parse(resource(**analysis), schema.DEFAULTS).analysis


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ({}, Policy()),
        ({"mode": "range"}, Policy(mode="range")),
        (
            {"alpha": 0.001, "onWorse": "warn", "warmUp": "0s", "minRequests": 60},
            Policy(alpha=0.001, on_worse="warn", warm_up=0.0, requests=60),
        ),
    ],
)
def test_what_is_not_said_is_as_usual(said: dict[str, Any], policy: Policy) -> None:
    assert asked(guard=said).guard == policy
    shown = effective_policy(policy)
    assert said.items() <= shown.items()
    assert asked(guard=shown).guard == policy


def test_a_canary_of_a_user_has_a_guard_when_it_says_so_and_a_generated_one_unless() -> None:
    assert asked().guard is None
    assert schema.DEFAULTS.guard == Policy()
    changed, problems = schema.defaults_from({"guard": "off", "guardAlpha": "0.05"}, {})
    assert (changed.guard, problems) == (Policy(mode="off", alpha=0.05), ())


@pytest.mark.parametrize(
    ("key", "text", "fix"),
    [
        ("guard", "on", "use one of both, primary, range, off"),
        ("guardAlpha", "1", "use a chance such as 0.01, up to 0.5"),
        ("guardAlpha", "0.0", "use a chance such as 0.01, up to 0.5"),
        ("guardOnWorse", "stop", "use one of hold, warn, rollback"),
        ("guardWarmUp", "soon", "write for example 30s or 1m30s"),
        ("guardMinRequests", "-1", "use a whole number, 0 or more"),
        ("noTraffic", "wait", "use one of hold, fail, promote"),
        ("noTrafficAfter", "0s", "use 1s or more"),
    ],
)
def test_an_unusable_default_names_its_fix(key: str, text: str, fix: str) -> None:
    changed, (problem,) = schema.defaults_from({key: text}, {})
    assert changed == schema.DEFAULTS
    assert fix in problem


def test_all_other_defaults_of_the_guard_can_be_set() -> None:
    said = {
        "guardOnWorse": "warn",
        "guardWarmUp": "5s",
        "guardMinRequests": "60",
        "noTraffic": "fail",
        "noTrafficAfter": "5m",
    }
    changed, problems = schema.defaults_from(said, {})
    assert problems == ()
    assert changed.guard == Policy(on_worse="warn", warm_up=5.0, requests=60)
    assert (changed.no_traffic, changed.no_traffic_after) == ("fail", 300.0)


def test_silence_is_held_unless_something_else_is_said() -> None:
    assert (asked().no_traffic, asked().no_traffic_after) == ("hold", 600.0)
    said = asked(noTraffic="promote", noTrafficAfter="90s")
    assert (said.no_traffic, said.no_traffic_after) == ("promote", 90.0)


@pytest.mark.parametrize(
    ("analysis", "problem"),
    [
        ({"guard": {"alpha": 0}}, "spec.analysis.guard.alpha: 0 is no chance; use 0.01"),
        ({"guard": {"alpha": 0.6}}, "spec.analysis.guard.alpha: 0.6 is no chance; use 0.01"),
        ({"guard": {"minRequests": -1}}, "spec.analysis.guard.minRequests: -1 is out of range"),
        ({"guard": {"warmUp": "1sx"}}, 'spec.analysis.guard.warmUp: "1sx" is not a duration'),
        ({"guard": {}, "metrics": []}, "spec.analysis.guard: no metric says what it is to watch"),
        ({"guard": {"mode": "on"}}, "spec.analysis.guard.mode"),
        ({"noTraffic": "wait"}, "spec.analysis.noTraffic"),
        ({"noTrafficAfter": "0s"}, 'spec.analysis.noTrafficAfter: "0s" is too short'),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_path(analysis: dict[str, Any], problem: str) -> None:
    assert any(found.startswith(problem) for found in schema.problems(resource(**analysis)))


@pytest.mark.parametrize(
    ("spec", "analysis", "refused"),
    [
        ({"provider": "gatewayapi:v1", "metricsServer": "http://p"}, {}, True),
        ({"provider": "gatewayapi:v1"}, {}, True),
        ({"provider": "kubernetes"}, {}, True),
        ({"provider": "istio", "metricsServer": "http://p"}, {}, True),
        ({"provider": "istio"}, {}, False),
        ({"metricsServer": "http://p"}, {}, False),
        ({"provider": "gatewayapi:v1"}, {"source": {"dialect": "envoy-gateway"}}, False),
        ({"provider": "gatewayapi:v1"}, {"guard": {"mode": "off"}}, False),
    ],
)
def test_trap_a_guard_needs_somebody_who_counts(spec: Any, analysis: Any, refused: bool) -> None:
    """Else no breach would roll back: the checks leave that to the guard."""
    said = resource(**{"guard": {}, **analysis})
    found = schema.problems({**said, "spec": {**said["spec"], **spec}})
    text = "spec.analysis.guard: it looks at an Envoy's counters, and with the "
    assert any(one.startswith(text) for one in found) == refused


def test_a_generated_canary_has_no_guard_where_nobody_counts() -> None:
    said = resource()
    metadata = {**said["metadata"], "annotations": {GENERATED: "true"}}
    for provider, guarded in (("kubernetes", False), ("istio", True), ("envoy", True)):
        obj = {"metadata": metadata, "spec": {"targetRef": TARGET, "provider": provider}}
        assert bool(schema.parse(obj, schema.DEFAULTS).analysis.guard) == guarded


def test_a_guard_that_is_off_needs_nothing_to_watch() -> None:
    assert schema.problems(resource(guard={"mode": "off"}, metrics=[])) == ()


@pytest.mark.parametrize(
    ("metric", "watched"),
    [
        ({"name": "request-success-rate", "thresholdRange": {"max": 99}}, False),
        ({"name": "request-success-rate", "threshold": 99}, True),
        ({"name": "request-duration", "thresholdRange": {"min": 5}}, False),
        ({"name": "request-duration", "threshold": 500}, True),
        ({"name": "request-duration-p90", "thresholdRange": {"max": 500}}, True),
        ({"name": "error-rate", "thresholdRange": {"max": 1}}, True),
        ({"name": "error-rate", "thresholdRange": {"max": 1}, "query": "up"}, False),
        ({"name": "request-rate", "thresholdRange": {"min": 1}}, False),
    ],
)
def test_only_bounds_on_bad_requests_can_be_watched(metric: Any, watched: bool) -> None:
    assert (schema.problems(resource(guard={}, metrics=[metric])) == ()) == watched


def full() -> Guard:
    evidence = grown(begun(0.01), Counts(7, 3), Counts(50, 1))
    waiting = grown(evidence, Counts(1, 1), Counts())
    buckets = ((0.0, 500.0, 6), (500.0, inf, 1))
    return Guard(
        since=1000.0,
        stepped=1010.25,
        requests=7,
        step_requests=3,
        fresh=990.0,
        fresh_requests=7,
        warmed=1005.5,
        answered=1011.125,
        evidence={"request-success-rate": evidence, "request-duration": waiting},
        covered={
            "router-a/0": {"shop": Counters(7, 3, resets=1, buckets=buckets), "new": Counters()}
        },
        warned=("request-success-rate",),
    )


@pytest.mark.parametrize("guard", [Guard(), full(), Guard(since=5.0)])
def test_a_status_keeps_all_of_it(guard: Guard) -> None:
    body = schema.status_body(Status(guard=guard), {})
    found = schema.parse({**resource(), "status": body}, schema.DEFAULTS).status.guard
    assert found == guard


def test_what_somebody_else_wrote_there_is_no_more_than_can_be() -> None:
    body = schema.status_body(Status(guard=full()), {})
    body["guard"]["evidence"][0]["canary"] = {"requests": 1, "bad": 5}
    body["guard"]["covered"]["router-a/0"]["shop"]["counts"]["later"] = 3
    found = schema.parse({**resource(), "status": body}, schema.DEFAULTS).status.guard
    assert found.evidence["request-success-rate"].canary == Counts(1, 1)
    assert found.covered == full().covered


@pytest.mark.parametrize(
    ("minimum", "guard", "warnings"),
    [
        (99, {}, []),
        (99.9, {}, []),
        (99.95, {}, ["promotion waits for 17387 canary requests"]),
        (99.95, {"minRequests": 500}, []),
        (100, {"minRequests": 500}, ["allows no failure at all; the guard takes it for 0.01%"]),
        (100, {}, ["allows no failure at all", "promotion waits for 86993 canary requests"]),
        (100, {"mode": "off"}, []),
        (100, None, []),
    ],
)
def test_a_range_that_takes_very_long_to_be_believed_is_warned_of(
    minimum: float, guard: Any, warnings: list[str]
) -> None:
    metric = {"name": "request-success-rate", "thresholdRange": {"min": minimum}}
    found = cautions(resource(guard=guard, metrics=[metric]))
    path = "spec.analysis.metrics[0].thresholdRange: "
    assert len(found) == len(warnings)
    assert all(one.startswith(path + said) for one, said in zip(found, warnings, strict=True))


def test_without_an_analysis_there_is_nothing_to_warn_of() -> None:
    assert cautions({"spec": {"targetRef": TARGET, "skipAnalysis": True}}) == ()


def test_a_canary_is_let_in_with_its_warnings() -> None:
    asked = {"kind": "Canary", **resource()}
    request = Request("1", "CREATE", "Canary", "shop", "shop", "jane", asked, {})
    judged = validated(request, {"Canary": schema.problems}, {"Canary": lambda obj: ("mind it",)})
    assert (judged.decision, judged.warnings) == ("valid", ("mind it",))
    assert validated(request, {"Canary": schema.problems}).warnings == ()
