"""What a trafficPolicy makes of the routers' clusters, and what is refused of it."""

from typing import Any

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import TcpKeepalive
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions

from delivery.route import Backend
from delivery.routers.envoy import CDS, EDS, Application, Endpoint, resources
from delivery.routers.transparent import UNLIMITED
from delivery.schema import problems
from tests.delivery.test_schema_route import resource, route

POD = Endpoint("10.0.0.1", 8080)
TCP = {
    "maxConnections": 7,
    "connectTimeout": "250ms",
    "tcpKeepalive": {"time": "2m", "interval": "100ms", "probes": 3},
}
HTTP = {
    "http1MaxPendingRequests": 8,
    "http2MaxRequests": 9,
    "maxRetries": 2,
    "maxRequestsPerConnection": 5,
}
LIMITED = {"connectionPool": {"tcp": TCP, "http": HTTP}, "loadBalancer": {"simple": "LEAST_CONN"}}


def clusters(*, sticky: bool = False, **service: Any) -> dict[str, Cluster]:
    said = route(match=[{"uri": {"prefix": "/a"}}], **service)
    made = Application(
        "shop", 80, 20000, (POD,), (POD,), None, 10, sticky=sticky, route=said, mirror=5
    )
    found = resources([made]).resources[CDS]
    return {name.rpartition("/")[2]: Cluster.FromString(one) for name, one in found.items()}


def options(one: Cluster) -> HttpProtocolOptions:
    (packed,) = one.typed_extension_protocol_options.values()
    found = HttpProtocolOptions()
    packed.Unpack(found)
    return found


@pytest.mark.parametrize("role", ["primary", "canary"])
def test_the_limits_are_those_of_the_canary(role: str) -> None:
    one = clusters(trafficPolicy=LIMITED)[role]
    assert one.lb_policy == Cluster.LEAST_REQUEST
    assert one.connect_timeout.ToMilliseconds() == 250
    alive: TcpKeepalive = one.upstream_connection_options.tcp_keepalive
    found = (alive.keepalive_time, alive.keepalive_interval, alive.keepalive_probes)
    assert [each.value for each in found] == [120, 1, 3]
    for each in one.circuit_breakers.thresholds:
        assert each.max_connections.value == 7
        assert each.max_pending_requests.value == 8
        assert each.max_requests.value == 9
        assert each.max_retries.value == 2
    assert options(one).common_http_protocol_options.max_requests_per_connection.value == 5


@pytest.mark.parametrize("role", ["mirror", "unmatched"])
def test_what_is_not_meant_is_not_limited(role: str) -> None:
    one = clusters(trafficPolicy=LIMITED)[role]
    assert {each.max_requests.value for each in one.circuit_breakers.thresholds} == {UNLIMITED}
    assert one == clusters()[role]


def test_what_is_not_said_is_not_limited() -> None:
    zero = {"connectionPool": {"tcp": {"maxConnections": 0, "tcpKeepalive": {}}}}
    one = clusters(trafficPolicy=zero)["primary"]
    assert one.circuit_breakers == clusters()["primary"].circuit_breakers
    assert not one.upstream_connection_options.tcp_keepalive.HasField("keepalive_time")


def test_who_is_sent_to_one_pod_goes_on_to_be() -> None:
    assert clusters(sticky=True, trafficPolicy=LIMITED)["primary"].lb_policy == Cluster.RING_HASH


def test_copies_have_a_cluster_for_each_service() -> None:
    copied = (("audit", Endpoint("10.96.0.7", 8080)),)
    made = Application("shop", 80, 20000, (POD,), (), None, 0, copied_to=copied)
    found = resources([made]).resources
    assert "shop/80/copies-to-audit" in found[CDS]
    assert b"10.96.0.7" in found[EDS]["shop/80/copies-to-audit"]


def test_a_mirror_names_a_service() -> None:
    said = [{"backendRef": {"name": "audit", "port": 8080}}, {"backendRef": {"name": "b"}}]
    assert problems(resource(mirror=said)) == ()
    assert route(mirror=said).mirrors == (Backend("audit", 8080), Backend("b"))


POOL = "trafficPolicy.connectionPool"


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        (
            {"mirror": [{"backendRef": {"name": "a", "kind": "Pod"}}]},
            'mirror[0].backendRef.kind: "Pod" of group "" is no Service; name a Service',
        ),
        (
            {"mirror": [{"backendRef": {"name": "a", "port": 0}}]},
            "mirror[0].backendRef.port: 0 is out of range; use 1 to 65535",
        ),
        (
            {"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": -1}}}},
            f"{POOL}.tcp.maxConnections: -1 is out of range; use 1 or more, or 0 for no limit",
        ),
        (
            {"trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": "soon"}}}},
            f'{POOL}.tcp.connectTimeout: "soon" is not a duration',
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(service: dict[str, Any], problem: str) -> None:
    (only,) = problems(resource(**service))
    assert only.startswith(f"spec.service.{problem}")
