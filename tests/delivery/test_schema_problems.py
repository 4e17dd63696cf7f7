"""What is wrong with a Canary: the field, the value, the fix."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.schema import DEFAULTS as DEFAULT_ANALYSIS
from delivery.schema import InvalidCanary, parse, problems

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
KNATIVE = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "shop"}
SCALER = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "shop"}
DURATION = {"name": "request-duration"}
RANGE = {"thresholdRange": {"min": 1, "max": 1}}
ANALYSIS = {"interval": "30s", "threshold": 5, "stepWeight": 10}
TEMPLATED = {"name": "a", "templateRef": {"name": "b"}}


def bounded(low: int, high: int) -> dict[str, Any]:
    return {"primaryScalerReplicas": {"minReplicas": low, "maxReplicas": high}}


def found(**spec: Any) -> tuple[str, ...]:
    return problems({"spec": {"targetRef": TARGET, "analysis": ANALYSIS, **spec}})


def found_in_analysis(**analysis: Any) -> tuple[str, ...]:
    return found(analysis={**ANALYSIS, **analysis})


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"analysis": None}, "spec.analysis: is missing; add it, or set spec.skipAnalysis: true"),
        ({"progressDeadlineSeconds": 0}, "spec.progressDeadlineSeconds: 0 is out of range; use 1"),
        ({"suspend": "yes"}, 'spec.suspend: "yes" does not fit: Input should be a valid boolean'),
        ({"service": {}}, "spec.service.port: is missing; add it"),
        ({"service": {"port": 0}}, "spec.service.port: 0 is out of range; use 1 to 65535"),
        (
            {"service": {"port": 80, "targetPort": 70000}},
            "spec.service.targetPort: 70000 is out of range; use 1 to 65535",
        ),
        (
            {"service": {"port": 80, "targetPort": []}},
            "spec.service.targetPort: [] does not fit: must be a port number or the name of a port",
        ),
        (
            {"targetRef": {**TARGET, "kind": "Deploymnt"}},
            "spec.targetRef.kind: \"Deploymnt\" is not known; use 'DaemonSet', 'Deployment' or",
        ),
        (
            {"provider": "knative"},
            "spec.provider: knative does not fit targetRef Deployment apps/v1; use knative with",
        ),
        ({"targetRef": KNATIVE}, "spec.provider: unset does not fit targetRef Service serving"),
        (
            {
                "autoscalerRef": {
                    **SCALER,
                    "primaryScalerReplicas": {"minReplicas": 3, "maxReplicas": 2},
                }
            },
            "spec.autoscalerRef.primaryScalerReplicas: minReplicas 3 is above maxReplicas 2",
        ),
    ],
)
def test_a_problem_names_field_value_and_fix(spec: dict[str, Any], problem: str) -> None:
    (only,) = found(**spec)
    assert only.startswith(problem)


@pytest.mark.parametrize(
    ("analysis", "problem"),
    [
        ({"interval": None}, "interval: is missing; add it"),
        ({"threshold": None}, "threshold: is missing; add it"),
        ({"threshold": -1}, "threshold: -1 is out of range; use 0 or more"),
        ({"interval": "fast"}, 'interval: "fast" is not a duration; begin with minutes or'),
        ({"interval": "1s5"}, 'interval: "1s5" is not a duration; write for example 30s'),
        ({"interval": "0s"}, 'interval: "0s" is too short; use 1s or more'),
        ({"stepWeight": 0}, "stepWeight: 0 is out of range; use 1 to 100"),
        ({"stepWeight": 101}, "stepWeight: 101 is out of range; use 1 to 100"),
        ({"maxWeight": 101}, "maxWeight: 101 is out of range; use 1 to 100"),
        ({"mirrorWeight": 101}, "mirrorWeight: 101 is out of range; use 100 or less"),
        ({"mirrorWeight": -1}, "mirrorWeight: -1 is out of range; use 0 or more"),
        ({"stepWeightPromotion": -1}, "stepWeightPromotion: -1 is out of range; use 0 to 100"),
        ({"primaryReadyThreshold": 101}, "primaryReadyThreshold: 101 is out of range; use 0"),
        ({"canaryReadyThreshold": -1}, "canaryReadyThreshold: -1 is out of range; use 0 to"),
        ({"match": [{"headers": {"x": {"exakt": "1"}}}]}, 'match[0].headers.x.exakt: "1" is set'),
        ({"match": [{"headers": {"x": {}}}]}, "match[0].headers.x: {} does not fit: compares with"),
        (
            {"match": [{"queryParams": {"x": {"exact": "1", "prefix": "2"}}}]},
            'match[0].queryParams.x: {"exact": "1", "prefix": "2"} does not fit: compares in more',
        ),
        ({"metrics": [{"name": "load"}]}, 'metrics[0].name: "load" has nothing to ask; set tem'),
        ({"metrics": [{"name": "request-duration"}]}, 'metrics[0]: "request-duration" has no li'),
        ({"metrics": [{**TEMPLATED, "thresholdRange": {}}]}, 'metrics[0]: "a" has no limit; set'),
        (
            {"metrics": [{**TEMPLATED, "thresholdRange": {"min": 2, "max": 1.5}}]},
            "metrics[0].thresholdRange: min 2 is above max 1.5",
        ),
        (
            {"metrics": [{**TEMPLATED, "interval": "0m"}]},
            'metrics[0].interval: "0m" is too short; use 1s or more',
        ),
        (
            {"webhooks": [{"name": "a", "url": "http://b/", "timeout": "0s"}]},
            'webhooks[0].timeout: "0s" is too short; use 1s or more',
        ),
        (
            {"webhooks": [{"name": "a", "url": "http://b/", "type": "before"}]},
            "webhooks[0].type: \"before\" is not known; use '', 'confirm-rollout', 'pre-rollout'",
        ),
        (
            {"sessionAffinity": {"cookieName": "a", "primaryCookieName": "a"}},
            'sessionAffinity.primaryCookieName: "a" is the canary\'s cookie too; use another',
        ),
    ],
)
def test_a_problem_of_the_analysis_names_its_path(analysis: dict[str, Any], problem: str) -> None:
    (only,) = found_in_analysis(**analysis)
    assert only.startswith(f"spec.analysis.{problem}")


@pytest.mark.parametrize(
    ("analysis", "ways"),
    [
        ({"stepWeight": None}, "none of iterations, stepWeight, stepWeights; set one of them"),
        ({"stepWeights": [1]}, "stepWeight and stepWeights; keep one of them"),
    ],
)
def test_a_release_advances_in_a_way_that_is_clear(analysis: dict[str, Any], ways: str) -> None:
    assert found_in_analysis(**analysis) == (f"spec.analysis: sets {ways}",)


@pytest.mark.parametrize("weights", [[], [0, 1], [5, 5], [10, 5], [50, 101]])
def test_step_weights_ascend_from_1_to_100(weights: list[int]) -> None:
    (only,) = found_in_analysis(stepWeight=None, stepWeights=weights)
    assert only.startswith(f"spec.analysis.stepWeights: {weights} cannot be followed; list")


def test_an_unknown_field_is_an_error_that_lists_the_known_ones() -> None:
    (only,) = found(analyses={})
    assert "spec.analyses: {} is set, but there is no such field; known here: analysis, " in only


def test_an_unknown_provider_is_an_error_that_lists_the_known_ones() -> None:
    (only,) = found(provider="ngix")
    assert only.startswith("spec.provider: \"ngix\" is not known; use 'apisix', 'appmesh'")
    assert "'envoy'" in only


def test_all_problems_are_told_at_once() -> None:
    assert len(found_in_analysis(threshold=-1, maxWeight=0, interval="0s")) == 3


def test_knative_takes_no_scaler() -> None:
    (only,) = found(targetRef=KNATIVE, provider="knative", autoscalerRef=SCALER)
    assert only == "spec.autoscalerRef: is set, but Knative scales by itself; remove it"


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"analysis": None, "skipAnalysis": True},
        {"service": {"port": 80}},
        {"service": {"port": 80, "targetPort": 0}},
        {"service": {"port": 80, "targetPort": "http"}},
        {"targetRef": KNATIVE, "provider": "knative"},
        {"analysis": {**ANALYSIS, "interval": "1m30s", "threshold": 0}},
        {"analysis": {**ANALYSIS, "stepWeight": None, "stepWeights": [1, 5, 100]}},
        {"analysis": {**ANALYSIS, "sessionAffinity": {"cookieName": "a"}}},
        {"analysis": {**ANALYSIS, "metrics": [{"name": "a", "templateRef": {"name": "b"}}]}},
        {"analysis": {**ANALYSIS, "metrics": [{**TEMPLATED, "name": "error-rate"}]}},
        {"analysis": {**ANALYSIS, "metrics": [{"name": "request-duration", "threshold": 500}]}},
        {
            "analysis": {
                **ANALYSIS,
                "metrics": [{**DURATION, **RANGE}],
            }
        },
        {
            "analysis": {
                **ANALYSIS,
                "webhooks": [{"name": "a", "url": "http://b/", "timeout": "5s"}],
            }
        },
        {"analysis": {**ANALYSIS, "webhooks": [{"name": "a", "url": "http://b/"}]}},
        {"service": {"port": 80, "match": [{"uri": {"prefix": "/"}, "withoutHeaders": {"x": {}}}]}},
        {"autoscalerRef": {**SCALER, "primaryScalerReplicas": {"minReplicas": 1}}},
        {
            "autoscalerRef": {
                **SCALER,
                "primaryScalerReplicas": {"minReplicas": 1, "maxReplicas": 1},
            }
        },
    ],
)
def test_a_good_canary_has_no_problems(spec: dict[str, Any]) -> None:
    assert found(**spec) == ()


@pytest.mark.parametrize("annotations", [None, {}, {"outrider.dev/generated": "false"}, []])
def test_only_a_generated_canary_needs_no_analysis(annotations: Any) -> None:
    metadata = {"annotations": annotations} if annotations is not None else {}
    assert problems({"metadata": metadata, "spec": {"targetRef": TARGET}})


def test_the_status_is_never_a_problem() -> None:
    spec = {"targetRef": TARGET, "analysis": ANALYSIS}
    assert problems({"spec": spec, "status": {"phase": "Resting", "stray": 1}}) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=20,
)
FIELDS = st.sampled_from(["interval", "metrics", "stepWeights", "match", "port", "webhooks"])


@given(st.dictionaries(st.text() | st.sampled_from(["spec", "metadata", "status"]), JSON))
def test_no_manifest_makes_validation_fail(obj: dict[str, Any]) -> None:
    assert all(isinstance(problem, str) for problem in problems(obj))


@given(st.dictionaries(FIELDS, JSON), st.dictionaries(FIELDS, JSON), JSON)
def test_what_has_no_problems_can_be_parsed(
    analysis: dict[str, Any], service: dict[str, Any], status: Any
) -> None:
    spec = {"targetRef": TARGET, "analysis": {**ANALYSIS, **analysis}, "service": service}
    obj = {"spec": spec, "status": {"phase": status, "verdicts": status}}
    if problems(obj):
        with pytest.raises(InvalidCanary):
            parse(obj, DEFAULT_ANALYSIS)
    else:
        assert parse(obj, DEFAULT_ANALYSIS).target == "shop"
