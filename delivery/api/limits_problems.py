"""What is wrong with the trafficPolicy and the mirrors of `spec.service`, told at admission."""

from collections.abc import Iterator

from delivery.api.canary import Canary
from delivery.api.duration import seconds
from delivery.api.service import BackendRef
from delivery.api.traffic_policy import ConnectionPool, HTTPSettings, TCPKeepalive, TCPSettings

POOL = "spec.service.trafficPolicy.connectionPool"
MOST = 2**32 - 1
"""Envoy counts in 32 bits."""


def limit_problems(canary: Canary) -> Iterator[str]:
    service = canary.spec.service
    if service is None:
        return
    for index, one in enumerate(service.mirror or ()):
        path = f"spec.service.mirror[{index}].backendRef"
        yield from copies_have_a_service(path, one.backend_ref)
    policy = service.traffic_policy
    if policy is not None and policy.connection_pool is not None:
        yield from pool_can_be_limited(policy.connection_pool)


def copies_have_a_service(path: str, said: BackendRef) -> Iterator[str]:
    if (said.group, said.kind) != ("", "Service"):
        yield f'{path}.kind: "{said.kind}" of group "{said.group}" is no Service; name a Service'
    if said.port is not None and not 1 <= said.port <= 65535:
        yield f"{path}.port: {said.port} is out of range; use 1 to 65535"


def pool_can_be_limited(pool: ConnectionPool) -> Iterator[str]:
    tcp, http = pool.tcp or TCPSettings(), pool.http or HTTPSettings()
    alive = tcp.tcp_keepalive or TCPKeepalive()
    for name, number in (
        ("tcp.maxConnections", tcp.max_connections),
        ("tcp.tcpKeepalive.probes", alive.probes),
        ("http.http1MaxPendingRequests", http.http1_max_pending_requests),
        ("http.http2MaxRequests", http.http2_max_requests),
        ("http.maxRequestsPerConnection", http.max_requests_per_connection),
        ("http.maxRetries", http.max_retries),
    ):
        if number is not None and not 0 <= number <= MOST:
            yield f"{POOL}.{name}: {number} is out of range; use 1 or more, or 0 for no limit"
    for name, text in (
        ("tcp.connectTimeout", tcp.connect_timeout),
        ("tcp.tcpKeepalive.time", alive.time),
        ("tcp.tcpKeepalive.interval", alive.interval),
        ("http.idleTimeout", http.idle_timeout),
    ):
        try:
            seconds(text or "0s")
        except ValueError as error:
            yield f"{POOL}.{name}: {error}"
