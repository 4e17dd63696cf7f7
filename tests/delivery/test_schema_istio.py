"""The provider `istio`: what it is told, what it makes of a Canary, and what is refused."""

from typing import Any

import pytest

from delivery.api.cautions import cautions
from delivery.api.effective import effective
from delivery.canary import Analysis
from delivery.schema import parse, problems
from delivery.service_words import ServiceWords
from delivery.source import Source

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
TILL = {"sourceLabels": {"app": "till"}}
BETA = {"headers": {"x-beta": {"exact": "1"}}, **TILL}
COUNTED = {"name": "request-success-rate", "thresholdRange": {"min": 99}}


def resource(service: Any = None, provider: str = "istio", **analysis: Any) -> dict[str, Any]:
    moves = analysis or {"stepWeight": 10}
    whole = {"interval": "5s", "threshold": 2, **moves}
    spec: dict[str, Any] = {"provider": provider, "targetRef": TARGET, "analysis": whole}
    if service is not None:
        spec["service"] = {"port": 80, **service}
    return {"metadata": {"name": "shop", "namespace": "web"}, "spec": spec}


def test_users_are_split_and_the_service_leads_to_the_primary() -> None:
    found = parse(resource(), Analysis())
    assert (found.external, found.analysis.routed, found.embedded) == (True, True, False)
    assert found.words == ServiceWords()
    embedded = parse(resource(provider="envoy"), Analysis())
    assert (embedded.external, embedded.embedded) == (False, True)


def test_the_apps_own_sidecars_count_where_nobody_else_is_to() -> None:
    assert parse(resource(), Analysis()).analysis.source == Source("istio")
    waypoint = {"dialect": "istio-waypoint", "labels": {"a": "b"}}
    said = resource(stepWeight=10, source=waypoint)
    assert parse(said, Analysis()).analysis.source == Source("istio-waypoint", labels={"a": "b"})
    asked = resource()
    asked["spec"]["metricsServer"] = "http://prometheus:9090"
    assert parse(asked, Analysis()).analysis.source is None
    skipped = {"spec": {"provider": "istio", "targetRef": TARGET, "skipAnalysis": True}}
    assert parse(skipped, Analysis()).analysis.source == Source("istio")


def test_only_a_mesh_knows_the_callers_labels() -> None:
    (match,) = parse(resource(iterations=3, match=[BETA]), Analysis()).analysis.match
    assert match.labels == (("app", "till"),)
    assert effective(Analysis(match=(match,)))["match"] == [BETA]
    embedded = parse(resource(iterations=3, match=[BETA], provider="envoy"), Analysis())
    assert embedded.analysis.match == ()


def test_what_is_said_of_the_service_is_kept_in_its_own_words() -> None:
    words = parse(
        resource(
            {
                "targetPort": "http",
                "gatewayRefs": [{"name": "public"}],
                "apex": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
                "retries": {"perTryTimeout": "1s"},
            }
        ),
        Analysis(),
    ).words
    assert words.target_port == "http"
    assert words.gateway_refs == (
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"},
    )
    assert (words.labels, words.annotations) == ({"a": "b"}, {"c": "d"})
    assert words.retries == {"perTryTimeout": "1s"}


@pytest.mark.parametrize(
    ("service", "analysis", "said"),
    [
        ({"delegation": True, "hosts": ["a"]}, {}, "spec.service.delegation: is set beside hosts"),
        ({"delegation": True, "gateways": ["a"]}, {}, "spec.service.delegation: is set beside"),
        ({"appProtocol": "TCP"}, {"iterations": 2, "match": [TILL]}, "spec.analysis.match: needs"),
        ({"appProtocol": "tcp"}, {"stepWeight": 5, "mirror": True}, "spec.analysis.mirror: needs"),
    ],
)
def test_what_istio_cannot_do_is_refused_with_the_fix(
    service: Any, analysis: Any, said: str
) -> None:
    (only,) = problems(resource(service, **analysis))
    assert only.startswith(said)
    assert problems(resource(service, provider="envoy", **analysis)) == ()


@pytest.mark.parametrize("service", [None, {}, {"delegation": True}, {"appProtocol": "tcp"}])
def test_nothing_is_wrong_with(service: Any) -> None:
    assert problems(resource(service)) == ()
    assert cautions(resource(service)) == ()


@pytest.mark.parametrize(
    ("service", "analysis", "said"),
    [
        ({"gateways": ["a"]}, {"iterations": 2, "match": [TILL]}, "match[0].sourceLabels: are"),
        ({"appProtocol": "tcp"}, {"stepWeight": 5, "metrics": [COUNTED]}, "metrics[0]: "),
    ],
)
def test_what_nobody_would_match_or_count_is_told(service: Any, analysis: Any, said: str) -> None:
    (only,) = cautions(resource(service, **analysis))
    assert only.startswith(f"spec.analysis.{said}")
    assert cautions(resource({"gateways": ["a", "mesh"]}, **analysis)) == ()


def test_without_analysis_nothing_is_told() -> None:
    skipped = {"provider": "istio", "targetRef": TARGET, "service": {"port": 80}}
    assert cautions({"spec": {**skipped, "skipAnalysis": True}}) == ()
