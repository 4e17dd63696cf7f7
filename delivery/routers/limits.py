"""What a Canary's trafficPolicy says of the way to its pods, in Envoy's words."""

from collections.abc import Mapping

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import TcpKeepalive
from envoy.config.core.v3.protocol_pb2 import HttpProtocolOptions
from google.protobuf.wrappers_pb2 import UInt32Value

from delivery.route import Keepalive, Limits
from delivery.routers.transparent import span

BALANCE: Mapping[str, Cluster.LbPolicy.ValueType] = {
    "ROUND_ROBIN": Cluster.ROUND_ROBIN,
    "LEAST_REQUEST": Cluster.LEAST_REQUEST,
    "LEAST_CONN": Cluster.LEAST_REQUEST,
    "RANDOM": Cluster.RANDOM,
}


def apply(limits: Limits, made: Cluster) -> None:
    """A sticky one goes on choosing by who asks."""
    if limits.balance and made.lb_policy != Cluster.RING_HASH:
        made.lb_policy = BALANCE[limits.balance]
    if limits.connect_timeout:
        made.connect_timeout.CopyFrom(span(limits.connect_timeout))
    if limits.keepalive:
        made.upstream_connection_options.tcp_keepalive.CopyFrom(_keepalive(limits.keepalive))
    for name, most in (
        ("max_connections", limits.connections),
        ("max_pending_requests", limits.pending),
        ("max_requests", limits.requests),
        ("max_retries", limits.retries),
    ):
        for each in made.circuit_breakers.thresholds:
            if most:
                getattr(each, name).value = most


def on_connection(limits: Limits, options: HttpProtocolOptions) -> None:
    if limits.on_connection:
        most = UInt32Value(value=limits.on_connection)
        options.max_requests_per_connection.CopyFrom(most)


def _keepalive(said: Keepalive) -> TcpKeepalive:
    """In whole seconds, as the system counts."""
    return TcpKeepalive(
        keepalive_probes=_whole(said.probes),
        keepalive_time=_whole(said.time),
        keepalive_interval=_whole(said.interval),
    )


def _whole(number: float) -> UInt32Value | None:
    return UInt32Value(value=max(1, round(number))) if number else None
