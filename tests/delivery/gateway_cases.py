"""Routes of the Gateway API as files: a Canary, what there is, and what there should be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from delivery import schema
from delivery.canary import Analysis, Canary, Status
from delivery.routers.gateway_api import GatewayApi
from delivery.routers.interface import Found, Object
from tests.documents import document

FOLDER = Path(__file__).parent / "golden" / "gateway_api"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
KINDS = ("HTTPRoute", "GRPCRoute")


@dataclass(frozen=True)
class Case:
    """`about` says what is to be seen; `status` are fields of the core's."""

    about: str
    service: Mapping[str, Any]
    analysis: Mapping[str, Any]
    status: Mapping[str, Any]
    expected: Mapping[str, Any]
    found: tuple[Object, ...] = ()

    @property
    def canary(self) -> Canary:
        return canary(self.service, self.analysis, **self.status)

    @property
    def router(self) -> GatewayApi:
        return GatewayApi(self.expected["kind"])


def case(name: str) -> Case:
    said = document(FOLDER / f"{name}.yaml")
    return Case(**{**said, "found": tuple(said.get("found") or ())})


def canary(
    service: Mapping[str, Any], analysis: Mapping[str, Any] | None = None, **status: Any
) -> Canary:
    spec = {
        "provider": "gatewayapi:v1",
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
        "service": service,
        "analysis": {"interval": "10s", "threshold": 2, **(analysis or {"stepWeight": 10})},
    }
    metadata = {"name": "shop", "namespace": "test"}
    made = schema.parse({"metadata": metadata, "spec": spec}, Analysis())
    return replace(made, status=Status(apex="shop", apex_moved=1.0, **status))


def as_found(*objects: Object) -> Found:
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def without_gateways(made: Canary) -> Canary:
    """As one that slipped past admission."""
    return replace(made, words=replace(made.words, gateway_refs=()))
