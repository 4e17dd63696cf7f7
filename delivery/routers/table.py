"""The external routers by the names of their providers."""

from collections.abc import Mapping
from typing import Any

from delivery.mapping import mapping
from delivery.routers.gateway_api import GatewayApi
from delivery.routers.gateway_routes import GRPC
from delivery.routers.interface import Router
from delivery.routers.istio import Istio

ROUTERS: Mapping[str, Router] = {
    "gatewayapi:v1": GatewayApi(),
    "gatewayapi:v1:grpc": GatewayApi(GRPC),
    "istio": Istio(),
}
SAME = {"gatewayapi:v1beta1": "gatewayapi:v1"}
"""The API server gives the same objects in either version."""
OF_CALLS = {"gatewayapi:v1": "gatewayapi:v1:grpc"}
"""The router of an app whose `appProtocol` is grpc, where that is another one."""


def router_of(spec: Mapping[str, Any]) -> str:
    """The name of the router that a Canary's spec asks for, empty where that is none of these.

    Each has kinds of its own, so that nothing is done twice to one object.
    """
    provider = str(spec.get("provider"))
    name = SAME.get(provider, provider)
    if str(mapping(spec, "service").get("appProtocol")).lower() == "grpc":
        name = OF_CALLS.get(name, name)
    return name if name in ROUTERS else ""
