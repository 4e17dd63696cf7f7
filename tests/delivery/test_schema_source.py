"""`spec.analysis.source`: read, refused, shown."""

from typing import Any, get_args

import pytest

from delivery import names, serving
from delivery.api.source import AnalysisSource
from delivery.canary import Analysis, Canary, Status
from delivery.dialects.table import DIALECTS
from delivery.schema import effective, parse, problems, status_body, unbuilt
from delivery.source import Source

WAY: dict[str, Any] = {"interval": "10s", "threshold": 1, "stepWeight": 10}
CLUSTERS = {"canary": "new", "primary": "old"}
GATEWAY = {"provider": "gatewayapi:v1", "service": {"port": 80, "gatewayRefs": [{"name": "e"}]}}


def manifest(source: dict[str, Any], **spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"targetRef": target, "analysis": {**WAY, "source": source}, **spec},
    }


def test_the_models_names_are_those_of_the_table() -> None:
    assert get_args(AnalysisSource.model_fields["dialect"].annotation) == tuple(DIALECTS)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"dialect": "istio"}, Source("istio")),
        (
            {"dialect": "istio-gateway", "service": "gate", "namespace": "edge", "port": 15020},
            Source("istio-gateway", service="gate", namespace="edge", port=15020),
        ),
        (
            {"dialect": "envoy", "labels": {"app": "gate"}, "clusters": CLUSTERS, "port": 9901},
            Source("envoy", labels={"app": "gate"}, port=9901, canary="new", primary="old"),
        ),
    ],
)
def test_a_source_is_read_and_shown_as_it_is_in_force(said: dict[str, Any], read: Source) -> None:
    obj = manifest(said)
    analysis = parse(obj, Analysis()).analysis
    assert (problems(obj), unbuilt(obj)) == ((), ())
    assert analysis.source == read
    assert effective(analysis)["source"] == {"port": 15090, **said}


@pytest.mark.parametrize(
    ("said", "spec", "problem"),
    [
        (
            {"dialect": "istio", "service": "gate", "labels": {"a": "b"}},
            {},
            "spec.analysis.source: sets service and labels; set one of them",
        ),
        (
            {"dialect": "istio-gateway"},
            {},
            "spec.analysis.source: says nothing of the pods; set service or labels",
        ),
        (
            {"dialect": "envoy", "service": "gate"},
            {},
            "spec.analysis.source.clusters: is missing; name the clusters of canary and primary",
        ),
        (
            {"dialect": "istio", "clusters": CLUSTERS},
            {},
            "spec.analysis.source.clusters: is set, but istio knows them by itself; remove it",
        ),
        (
            {"dialect": "envoy", "service": "gate", "clusters": {"canary": "x", "primary": "x"}},
            {},
            'spec.analysis.source.clusters: both are "x"; name two',
        ),
        (
            {"dialect": "contour", "service": "envoy"},
            {},
            "spec.analysis.source.dialect: contour knows the halves only where it splits the "
            "traffic; set spec.provider: contour, or use istio or envoy",
        ),
        (
            {"dialect": "istio", "port": 70000},
            {},
            "spec.analysis.source.port: 70000 is out of range; use 1 to 65535",
        ),
        ({"dialect": "contour", "service": "envoy"}, {"provider": "contour"}, ""),
        ({"dialect": "envoy-gateway", "service": "e"}, GATEWAY, ""),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_with_its_fix(
    said: dict[str, Any], spec: dict[str, Any], problem: str
) -> None:
    assert problems(manifest(said, **spec)) == ((problem,) if problem else ())


def test_an_unknown_dialect_is_refused_with_those_that_are_known() -> None:
    (problem,) = problems(manifest({"dialect": "nginx", "service": "gate"}))
    assert all(name in problem for name in ("nginx", *DIALECTS))


def test_what_was_found_is_kept_in_the_status() -> None:
    body = status_body(Status(source="istio on port 15090: 3 found"), {})
    assert body["source"] == "istio on port 15090: 3 found"
    obj = {**manifest({"dialect": "istio"}), "status": body}
    assert parse(obj, Analysis()).status.source == "istio on port 15090: 3 found"


def test_the_halves_are_judged_by_the_sources_names_and_drained_by_the_routers() -> None:
    analysis, status = Analysis(source=Source("istio")), Status(ports={"80": 20000}, apex="web")
    canary = Canary("web", "shop", "web", analysis=analysis, status=status)
    assert serving.clusters(canary, names.CANARY) == ("shop/web",)
    assert serving.router_clusters(canary, names.CANARY) == ("web/80/canary", "web/80/mirror")
