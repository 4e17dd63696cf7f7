"""Which external router a Canary asks for, by its spec as anybody may have written it."""

import itertools
from typing import Any

import pytest

from delivery.routers.table import ROUTERS, router_of


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({}, ""),
        ({"provider": "envoy"}, ""),
        ({"provider": ["istio"]}, ""),
        ({"provider": "istio"}, "istio"),
        ({"provider": "istio", "service": {"appProtocol": "grpc"}}, "istio"),
        ({"provider": "gatewayapi:v1"}, "gatewayapi:v1"),
        ({"provider": "gatewayapi:v1beta1", "service": None}, "gatewayapi:v1"),
        ({"provider": "gatewayapi:v1", "service": {"appProtocol": "http"}}, "gatewayapi:v1"),
        ({"provider": "gatewayapi:v1", "service": {"appProtocol": "gRPC"}}, "gatewayapi:v1:grpc"),
    ],
)
def test_a_spec_asks_for_one_router(spec: dict[str, Any], name: str) -> None:
    assert router_of(spec) == name


def test_no_kind_is_read_by_two_routers() -> None:
    """What one of them has made, the other would take away."""
    for one, other in itertools.combinations(ROUTERS.values(), 2):
        assert not set(one.kinds) & set(other.kinds)
