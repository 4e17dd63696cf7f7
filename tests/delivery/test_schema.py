"""The Canary resource <-> the values of the core."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.alert import Alert
from delivery.canary import Analysis, Condition, Metric, Phase, Status, Verdict
from delivery.names import STOP
from delivery.schema import (
    DEFAULTS,
    InvalidCanary,
    effective,
    generated,
    parse,
    problems,
    shows,
    status_body,
)

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
ANALYSIS = {"interval": "30s", "threshold": 5, "stepWeight": 10}


def manifest(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "shop-canary", "namespace": "web", "uid": "u1", "resourceVersion": "7"}
    whole = {"targetRef": TARGET, "analysis": ANALYSIS, **spec}
    return {"metadata": metadata, "spec": whole}


def judged(**analysis: Any) -> Analysis:
    return parse(manifest(analysis={**ANALYSIS, **analysis}), DEFAULTS).analysis


def test_a_canary_is_known_by_its_metadata_and_its_target() -> None:
    canary = parse(manifest(), DEFAULTS)
    assert (canary.name, canary.namespace, canary.target) == ("shop-canary", "web", "shop")
    assert (canary.uid, canary.resource_version) == ("u1", "7")
    assert not canary.generated


def test_what_a_canary_leaves_unsaid_is_as_in_flagger() -> None:
    canary = parse(manifest(), DEFAULTS, progress_deadline=30.0)
    assert canary.analysis == Analysis(interval=30.0, threshold=5, step_weight=10)
    assert (canary.provider, canary.progress_deadline) == ("envoy", 600.0)
    assert not canary.suspend
    assert not canary.skip_analysis


@pytest.mark.parametrize(
    ("annotations", "stop"),
    [(None, False), ({}, False), ({STOP: "true"}, True), ({STOP: "false"}, False)],
)
def test_a_canary_is_stopped_by_annotation(annotations: Any, stop: bool) -> None:
    said = manifest()
    metadata = {**said["metadata"], "annotations": annotations}
    assert parse({**said, "metadata": metadata}, DEFAULTS).stop is stop


def test_what_a_canary_says_is_taken() -> None:
    said = {"progressDeadlineSeconds": 60, "suspend": True, "skipAnalysis": True}
    canary = parse(manifest(provider="nginx", **said), DEFAULTS)
    assert (canary.provider, canary.progress_deadline) == ("nginx", 60.0)
    assert canary.suspend
    assert canary.skip_analysis
    (unbuilt,) = canary.unbuilt
    assert unbuilt.startswith("spec.provider (nginx is not built; built are envoy, ")


@pytest.mark.parametrize(
    ("service", "name"),
    [(None, ""), ({"port": 80}, "shop"), ({"port": 80, "name": "front"}, "front")],
)
def test_the_service_is_named_or_called_as_the_target(
    service: dict[str, Any] | None, name: str
) -> None:
    assert parse(manifest(service=service), DEFAULTS).service == name


def test_intervals_below_ten_seconds_are_honoured() -> None:
    assert judged(interval="1s").interval == 1.0


def test_an_analysis_is_taken_field_by_field() -> None:
    said = {"stepWeightPromotion": 20, "primaryReadyThreshold": 0, "canaryReadyThreshold": 50}
    analysis = judged(stepWeight=None, stepWeights=[1, 5, 50], maxWeight=60, **said)
    assert (analysis.step_weight, analysis.step_weights) == (0, (1, 5, 50))
    assert (analysis.max_weight, analysis.step_weight_promotion) == (60, 20)
    assert (analysis.primary_ready_threshold, analysis.canary_ready_threshold) == (0, 50)


def test_a_threshold_of_zero_behaves_as_one() -> None:
    assert judged(threshold=0).threshold == 1


@pytest.mark.parametrize(
    ("said", "metric"),
    [
        (
            {"name": "request-success-rate", "thresholdRange": {"min": 99}},
            Metric("request-success-rate", 60.0, minimum=99.0),
        ),
        (
            {"name": "request-duration", "interval": "1m30s", "thresholdRange": {"max": 500}},
            Metric("request-duration", 90.0, maximum=500.0),
        ),
        (
            {"name": "request-success-rate", "threshold": 99},
            Metric("request-success-rate", 60.0, minimum=99.0),
        ),
        (
            {"name": "request-duration", "threshold": 500},
            Metric("request-duration", 60.0, maximum=500.0),
        ),
        (
            {"name": "request-duration", "threshold": 1, "thresholdRange": {"max": 2}},
            Metric("request-duration", 60.0, maximum=2.0),
        ),
    ],
)
def test_a_metric_is_a_range_over_a_window(said: dict[str, Any], metric: Metric) -> None:
    assert judged(metrics=[said]).metrics == (metric,)


def test_a_canary_without_analysis_skips_it() -> None:
    canary = parse(manifest(analysis=None, skipAnalysis=True), DEFAULTS)
    assert canary.skip_analysis
    assert canary.analysis == Analysis()


def test_a_generated_canary_holds_only_its_target_and_a_marker() -> None:
    made = generated("shop", "web")
    assert made["spec"] == {"targetRef": TARGET}
    assert made["metadata"]["annotations"] == {"outrider.dev/generated": "true"}
    assert made["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "outrider"}
    assert "ownerReferences" not in made["metadata"]
    assert problems(made) == ()


def test_a_generated_canary_is_judged_by_the_defaults() -> None:
    canary = parse(generated("shop", "web"), DEFAULTS, progress_deadline=30.0)
    assert canary.generated
    assert canary.analysis == DEFAULTS
    assert not canary.skip_analysis
    assert canary.progress_deadline == 30.0


def test_a_generated_canary_in_which_a_user_spoke_is_the_users_and_keeps_the_defaults() -> None:
    made = generated("shop", "web")
    spoken = parse({**made, "spec": {**made["spec"], "suspend": True}}, DEFAULTS)
    assert (spoken.generated, spoken.analysis, spoken.skip_analysis) == (False, DEFAULTS, False)


def test_a_generated_canary_may_belong_to_its_target() -> None:
    made = generated("shop", "web", uid="u7")
    assert made["metadata"]["ownerReferences"] == [{**TARGET, "uid": "u7"}]


def test_a_canary_with_problems_is_not_parsed() -> None:
    with pytest.raises(InvalidCanary, match=r"spec\.provider") as caught:
        parse(manifest(provider="ngix"), DEFAULTS)
    assert caught.value.problems == problems(manifest(provider="ngix"))


TIMES = st.none() | st.integers(0, 4_000_000_000_000_000).map(lambda micro: micro / 1_000_000)
MOMENTS = TIMES.map(lambda moment: moment or 0.0)
WORDS = st.text(max_size=8)
COUNTS = st.integers(0, 2**31)
VERDICTS = st.builds(
    Verdict,
    WORDS,
    WORDS,
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    samples=COUNTS,
    reason=WORDS,
)
CONDITIONS = st.builds(
    Condition, WORDS, st.sampled_from(["True", "False", "Unknown"]), WORDS, WORDS, MOMENTS, MOMENTS
)
PORTS = st.sampled_from(["80", "web/80", "a.b/443"])
ALERTS = st.builds(Alert, WORDS, WORDS, st.booleans(), WORDS, MOMENTS)
STATUSES = st.builds(
    Status,
    phase=st.sampled_from(list(Phase)),
    canary_weight=st.integers(0, 100),
    matched=st.booleans(),
    mirror_weight=st.integers(0, 100),
    cookie=WORDS,
    primary_cookie=WORDS,
    previous_cookie=WORDS,
    failed_checks=COUNTS,
    iterations=COUNTS,
    observed=WORDS,
    promoted=WORDS,
    failed=WORDS,
    replicas=st.none() | COUNTS,
    scale=st.none() | COUNTS,
    stopped=st.booleans(),
    ports=st.dictionaries(PORTS, st.sampled_from(names.LISTENERS), max_size=3),
    apex=WORDS,
    apex_moved=TIMES,
    phase_since=TIMES,
    last_check=TIMES,
    drained_since=TIMES,
    last_transition=TIMES,
    message=WORDS,
    verdicts=st.lists(VERDICTS, max_size=3).map(tuple),
    conditions=st.lists(CONDITIONS, max_size=3).map(tuple),
    alerts=st.lists(ALERTS, max_size=3).map(tuple),
    previous=WORDS,
    began=TIMES,
    paused=WORDS,
    answered=st.dictionaries(WORDS, WORDS, max_size=3),
)


def reread(body: Mapping[str, Any]) -> Status:
    return parse({**manifest(), "status": body}, DEFAULTS).status


@given(STATUSES)
def test_a_status_that_was_written_is_read_as_it_was(status: Status) -> None:
    assert reread(status_body(status, {})) == status


@given(STATUSES, STATUSES)
def test_nothing_of_the_previous_status_shines_through(before: Status, after: Status) -> None:
    assert reread(status_body(after, status_body(before, {}))) == after


def test_a_status_has_flaggers_names_and_ours() -> None:
    status = Status(
        phase=Phase.PROGRESSING, canary_weight=10, observed="b", promoted="a", last_transition=5.0
    )
    assert status_body(status, {}) == {
        "phase": "Progressing",
        "canaryWeight": 10,
        "failedChecks": 0,
        "iterations": 0,
        "lastAppliedSpec": "b",
        "observedHash": "b",
        "lastPromotedSpec": "a",
        "promotedHash": "a",
        "lastTransitionTime": "1970-01-01T00:00:05Z",
    }


def test_what_the_core_does_not_know_is_kept_and_strays_are_dropped() -> None:
    previous = {"trackedConfigs": {"a": "1"}, "stray": 1}
    body = status_body(Status(), previous)
    assert body["trackedConfigs"] == {"a": "1"}
    assert "stray" not in body


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_json_cannot_carry_is_left_out(value: float) -> None:
    body = status_body(Status(verdicts=(Verdict("a", "held", value),)), {})
    assert body["verdicts"] == [{"metric": "a", "outcome": "held", "samples": 0}]


def test_the_analysis_in_force_is_shown_until_another_is() -> None:
    shown = status_body(Status(), {}, analysis=DEFAULTS)
    assert shown["effective"] == effective(DEFAULTS)
    assert status_body(Status(), shown)["effective"] == effective(DEFAULTS)


def test_a_status_shows_the_analysis_in_force_until_another_one_is() -> None:
    found = json.loads(json.dumps(status_body(Status(), {}, analysis=DEFAULTS)))
    assert shows(found, DEFAULTS)
    assert not shows(found, replace(DEFAULTS, interval=7.0))
    assert not shows({}, DEFAULTS)


def test_the_analysis_in_force_is_said_as_a_canary_would() -> None:
    said = manifest(analysis=effective(DEFAULTS))
    assert problems(said) == ()
    assert parse(said, Analysis()).analysis == DEFAULTS


@pytest.mark.parametrize(
    "found",
    [{"phase": "Resting"}, {"canaryWeight": "ten"}, {"phaseTime": "now"}, {"conditions": [{}]}],
)
def test_a_field_of_the_status_that_cannot_be_read_counts_as_absent(found: dict[str, Any]) -> None:
    assert reread({**found, "failedChecks": 2}) == Status(failed_checks=2)


def test_flaggers_own_hashes_are_not_taken_for_ours() -> None:
    assert reread({"lastAppliedSpec": "5f6d", "lastPromotedSpec": "5f6d"}) == Status()
