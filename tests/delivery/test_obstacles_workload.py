"""What in a Deployment itself keeps it from being doubled."""

from typing import Any

import pytest

from delivery.obstacles import mesh
from delivery.obstacles.workload import of_deployment, of_template
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged


def template(metadata: Document | None = None, **spec: Any) -> Document:
    change: Document = {"spec": spec, "metadata": metadata or {}}
    return merged(worlds.template("good:1"), change)


PORT = {"name": "proxy", "ports": [{"containerPort": 80, "hostPort": 8080}]}

HOST_PORT = (
    "it uses a hostPort: container proxy has hostPort 8080; take it out, a Service needs the "
    "containerPort alone"
)
CLAIMS = [{"name": name, "persistentVolumeClaim": {"claimName": f"shop-{name}"}} for name in "ab"]
CLAIMED = (
    "it mounts a PersistentVolumeClaim: volume a is claim shop-a, volume b is claim shop-b; "
    "give each pod an ephemeral volume"
)


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        (template(), []),
        (template(volumes=[{"ephemeral": {"volumeClaimTemplate": {}}}]), []),
        (template(initContainers=[PORT]), [HOST_PORT]),
        (template(volumes=CLAIMS), [CLAIMED]),
        (
            template({"annotations": {"sidecar.istio.io/inject": "true"}}),
            ["its pods are in a mesh (sidecar.istio.io/inject): name its provider in a Canary"],
        ),
        (template({"labels": {"sidecar.istio.io/inject": "false"}}), []),
    ],
)
def test_a_template_that_cannot_run_twice_says_why(found: Document, reasons: list[str]) -> None:
    assert list(of_template(found)) == reasons


def test_the_controller_that_owns_it_is_named() -> None:
    owner = {"uid": "1", "controller": True, "kind": "Database", "name": "main"}
    owned = merged(worlds.deployment(), {"metadata": {"ownerReferences": [{"uid": "0"}, owner]}})
    assert list(of_deployment(owned)) == ["it is owned by another controller (Database main)"]


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({}, ""),
        ({"labels": {"istio-injection": "enabled"}}, "istio-injection"),
        ({"labels": {"istio-injection": "disabled"}}, ""),
        ({"labels": {"istio.io/dataplane-mode": "none"}}, ""),
        ({"annotations": {"linkerd.io/inject": "enabled"}}, "linkerd.io/inject"),
    ],
)
def test_a_namespace_is_in_a_mesh_by_label_or_annotation(metadata: Document, found: str) -> None:
    assert mesh.of_namespace({"metadata": metadata}) == found


def test_what_has_no_metadata_is_in_no_mesh() -> None:
    assert mesh.of_pods({}) == mesh.of_namespace({}) == ""
