"""What the clone looks like, and the Services of the halves."""

from typing import Any

import pytest

from delivery import names, workload
from delivery.canary import Canary
from delivery.hashing import template_hash

CANARY = Canary("web", "shop", "app")
OURS = {"outrider.dev/app": "app", "app.kubernetes.io/managed-by": "outrider"}


def template(**annotations: str) -> dict[str, Any]:
    labels = {"app": "app", "tier": "front", "outrider.dev/role": "canary"}
    metadata = {"labels": labels, **({"annotations": annotations} if annotations else {})}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": "app:2"}]}}


def target(**spec: Any) -> dict[str, Any]:
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "deployment.kubernetes.io/revision": "3",
    }
    labels = {"app": "app", "app.kubernetes.io/managed-by": "Helm", "argocd.argoproj.io/a": "b"}
    return {
        "metadata": {"name": "app", "labels": labels, "annotations": annotations},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "app"}}, **spec},
    }


def primary(**spec: Any) -> dict[str, Any]:
    found = target(**spec)
    selector = workload.primary_labels(found)
    return workload.primary(CANARY, found, template=template(), selector=selector, replicas=4)


@pytest.mark.parametrize(
    "key",
    [
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "argocd.argoproj.io/tracking-id",
        "meta.helm.sh/release-name",
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/instance",
        "kustomize.toolkit.fluxcd.io/name",
        "helm.toolkit.fluxcd.io/namespace",
        "outrider.dev/scale",
    ],
)
def test_a_copy_does_not_carry_who_manages_the_original(key: str) -> None:
    assert workload.copied({key: "x", "team": "a"}) == {"team": "a"}


def test_nothing_is_copied_from_nothing() -> None:
    assert workload.copied(None) == {}


def test_the_primary_is_named_after_the_target_and_marked_as_ours() -> None:
    metadata = primary()["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("app-primary", "shop")
    assert metadata["labels"] == {"app": "app", "outrider.dev/role": "primary", **OURS}
    assert "annotations" not in metadata


def test_the_primary_selects_by_the_users_labels_and_the_role() -> None:
    selector = primary()["spec"]["selector"]
    assert selector == {"matchLabels": {"app": "app", "outrider.dev/role": "primary"}}


def test_the_primarys_pods_carry_all_labels_of_the_targets() -> None:
    labels = primary()["spec"]["template"]["metadata"]["labels"]
    assert labels == {
        "app": "app",
        "tier": "front",
        "outrider.dev/role": "primary",
        "outrider.dev/app": "app",
    }


def test_the_primary_has_its_own_size_and_rolls_as_the_target_does() -> None:
    kept = {"strategy": {"type": "RollingUpdate"}, "minReadySeconds": 5}
    spec = primary(**kept, paused=True)["spec"]
    assert spec["replicas"] == 4
    assert {key: spec[key] for key in kept} == kept
    assert "paused" not in spec


@pytest.mark.parametrize(
    "annotations", [{}, {"argocd.argoproj.io/x": "1"}, {"kubectl.kubernetes.io/restartedAt": "n"}]
)
def test_the_primary_shows_the_revision_that_was_analysed(annotations: dict[str, str]) -> None:
    found = template(**annotations)
    made = workload.primary_template(found, {"app": "app", names.ROLE: "primary"}, "app")
    assert template_hash(made) == template_hash(found)


def test_a_template_without_metadata_gets_labels_all_the_same() -> None:
    made = workload.primary_template({"spec": {}}, {"app": "app-primary"}, "app")
    assert made["metadata"]["labels"]["app"] == "app-primary"


def test_the_service_of_a_half_has_the_apexs_ports_but_no_node_port() -> None:
    port = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
    made = workload.role_service(
        CANARY, "primary", selector={"app": "app"}, ports=[port | {"nodePort": 30080}]
    )
    assert made["metadata"]["name"] == "app-primary"
    assert made["metadata"]["labels"] == {"outrider.dev/role": "primary", **OURS}
    assert made["spec"] == {"type": "ClusterIP", "selector": {"app": "app"}, "ports": [port]}


def test_the_services_of_the_halves_are_named_after_the_canarys_service() -> None:
    canary = Canary("web", "shop", "app", service="front")
    made = workload.role_service(canary, "canary", selector={}, ports=[])
    assert made["metadata"]["name"] == "front-canary"


def test_the_primary_is_never_recreated_whatever_its_user_chose() -> None:
    assert "strategy" not in primary(strategy={"type": "Recreate"})["spec"]
