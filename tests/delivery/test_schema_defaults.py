"""Layers of defaults: built in, the ConfigMap, the Deployment's annotations."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.canary import Metric
from delivery.schema import DEFAULTS, deadline_from, defaults_from, effective, problems

SPEC = {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}}


def test_the_built_in_defaults_are_those_of_the_demo() -> None:
    assert (DEFAULTS.interval, DEFAULTS.threshold) == (5.0, 2)
    assert (DEFAULTS.step_weight, DEFAULTS.max_weight) == (10, 50)
    assert DEFAULTS.metrics == (
        Metric("request-success-rate", 5.0, minimum=99.0),
        Metric("request-duration", 5.0, maximum=500.0),
    )
    assert defaults_from({}, {}) == (DEFAULTS, ())


@pytest.mark.parametrize(
    ("key", "text", "change"),
    [
        ("threshold", "3", {"threshold": 3}),
        ("stepWeight", " 20 ", {"step_weight": 20}),
        ("stepWeights", "1, 5,50", {"step_weights": (1, 5, 50), "step_weight": 0}),
        ("maxWeight", "100", {"max_weight": 100}),
        ("stepWeightPromotion", "25", {"step_weight_promotion": 25}),
        ("primaryReadyThreshold", "90", {"primary_ready_threshold": 90}),
        ("canaryReadyThreshold", "0", {"canary_ready_threshold": 0}),
    ],
)
def test_the_config_map_changes_the_built_in_values(
    key: str, text: str, change: dict[str, Any]
) -> None:
    assert defaults_from({key: text}, {}) == (replace(DEFAULTS, **change), ())


@pytest.mark.parametrize(
    ("annotation", "text", "change"),
    [
        ("outrider.dev/threshold", "3", {"threshold": 3}),
        ("outrider.dev/step-weight", "20", {"step_weight": 20}),
        ("outrider.dev/step-weights", "1,2", {"step_weights": (1, 2), "step_weight": 0}),
        ("outrider.dev/primary-ready-threshold", "90", {"primary_ready_threshold": 90}),
    ],
)
def test_the_deployment_has_the_last_word(
    annotation: str, text: str, change: dict[str, Any]
) -> None:
    config = {"threshold": "7", "stepWeight": "50"}
    below = replace(DEFAULTS, threshold=7, step_weight=50)
    assert defaults_from(config, {annotation: text}) == (replace(below, **change), ())


def test_a_step_weight_above_replaces_step_weights_below() -> None:
    analysis, problems = defaults_from({"stepWeights": "1,2"}, {"outrider.dev/step-weight": "5"})
    assert (analysis.step_weight, analysis.step_weights) == (5, ())
    assert problems == ()


def test_windows_of_the_metrics_equal_the_interval() -> None:
    analysis, _ = defaults_from({"interval": "1m30s"}, {})
    assert analysis.interval == 90.0
    assert [metric.interval for metric in analysis.metrics] == [90.0, 90.0]


@pytest.mark.parametrize(("text", "limit"), [("250", 250.0), ("1.5s", 1500.0), ("80ms", 80.0)])
def test_the_request_duration_is_milliseconds_or_a_duration(text: str, limit: float) -> None:
    analysis, _ = defaults_from({"requestDuration": text}, {"outrider.dev/success-rate": "99.5"})
    assert analysis.metrics[0].minimum == 99.5
    assert analysis.metrics[1].maximum == limit


def test_the_progress_deadline_is_layered_too() -> None:
    assert deadline_from({}, {}) == 600.0
    assert deadline_from({"progressDeadlineSeconds": "60"}, {}) == 60.0
    annotations = {"outrider.dev/progress-deadline-seconds": "30"}
    assert deadline_from({"progressDeadlineSeconds": "60"}, annotations) == 30.0


@pytest.mark.parametrize(
    ("key", "text", "fix"),
    [
        ("interval", "fast", "write for example 30s"),
        ("interval", "500ms", "use 1s or more"),
        ("threshold", "0", "use a whole number, 1 or more"),
        ("stepWeight", "ten", "use a whole number, 1 to 100"),
        ("stepWeight", "101", "use a whole number, 1 to 100"),
        ("stepWeights", "5,1", "use ascending percentages"),
        ("stepWeights", "1,,2", "use a whole number, 1 to 100"),
        ("successRate", "100.1", "use a percentage, 0 to 100"),
        ("successRate", "most", "use a percentage, 0 to 100"),
        ("requestDuration", "0", "use more than 0"),
        ("requestDuration", "slow", "write for example 30s"),
    ],
)
def test_a_bad_value_is_told_and_the_layer_below_holds(key: str, text: str, fix: str) -> None:
    analysis, (problem,) = defaults_from({key: text}, {})
    assert analysis == DEFAULTS
    assert problem.startswith(f'ConfigMap outrider-defaults {key}: "{text}" is not used; ')
    assert fix in problem


def test_an_unknown_setting_is_told_with_the_known_ones() -> None:
    analysis, (problem,) = defaults_from({"stepWeigth": "5"}, {})
    assert analysis == DEFAULTS
    assert problem.startswith("ConfigMap outrider-defaults stepWeigth: is no setting; known are")
    assert "stepWeight," in problem


def test_a_slip_in_an_annotation_is_told_with_the_known_ones() -> None:
    _, (problem,) = defaults_from({}, {"outrider.dev/step-weigth": "5"})
    assert problem.startswith("annotation outrider.dev/step-weigth: is no setting; known are")
    assert "outrider.dev/step-weight," in problem


def test_two_ways_to_step_in_one_source_exclude_each_other() -> None:
    analysis, (problem,) = defaults_from({"stepWeight": "5", "stepWeights": "1,2"}, {})
    assert analysis == DEFAULTS
    assert "stepWeight and stepWeights: exclude each other, neither is used" in problem


def test_other_annotations_are_nobodys_setting() -> None:
    ours = {names.ENABLED: "true", names.SCALE: "0", names.HOLD: "true"}
    assert defaults_from({}, {**ours, "example.com/interval": "1s"}) == (DEFAULTS, ())


KEYS = st.sampled_from(["interval", "stepWeight", "stepWeights", "requestDuration"])
TEXTS = st.text(alphabet="0123456789.,sm ", max_size=6)


@given(st.dictionaries(KEYS | st.text(max_size=3), TEXTS), st.dictionaries(st.text(), TEXTS))
def test_whatever_is_set_the_defaults_can_be_judged_by(
    config: dict[str, str], annotations: dict[str, str]
) -> None:
    analysis, told = defaults_from(config, annotations)
    assert problems({"spec": {**SPEC, "analysis": effective(analysis)}}) == ()
    assert all(isinstance(problem, str) for problem in told)
