"""Istio's traffic policy, copied to both destination rules (reference, 1.3)."""

from typing import Any, Literal

from pydantic import Field

from delivery.api.model import Model


class Distribute(Model):
    """Shares of traffic from one locality to others."""

    from_: str | None = Field(None, alias="from")
    to: dict[str, int] | None = None


class Failover(Model):
    """Where traffic of a region goes when it is unhealthy."""

    from_: str | None = Field(None, alias="from")
    to: str | None = None


class LocalityLbSetting(Model):
    """Load balancing between localities."""

    distribute: tuple[Distribute, ...] | None = None
    failover: tuple[Failover, ...] | None = None
    enabled: bool | None = None


class HTTPCookie(Model):
    """The cookie to hash on."""

    name: str | None = None
    path: str | None = None
    ttl: str | None = None


class ConsistentHash(Model):
    """What a request's backend is chosen by."""

    http_header_name: str | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: str | None = None
    minimum_ring_size: int | None = None


HASH_KEYS = ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")


def simple_or_hash(schema: dict[str, Any]) -> None:
    hashes = {"oneOf": [{"required": [key]} for key in HASH_KEYS]}
    schema["oneOf"] = [
        {"required": ["simple"]},
        {"required": ["consistentHash"], "properties": {"consistentHash": hashes}},
    ]


class LoadBalancer(Model):
    """How a backend is chosen: a simple algorithm or a hash."""

    model_config = {"json_schema_extra": simple_or_hash}

    simple: (
        Literal["ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "LEAST_REQUEST"] | None
    ) = None
    consistent_hash: ConsistentHash | None = None
    locality_lb_setting: LocalityLbSetting | None = None
    warmup_duration_secs: str | None = None


class TCPKeepalive(Model):
    """When and how often an idle connection is probed."""

    probes: int | None = None
    time: str | None = None
    interval: str | None = None


class TCPSettings(Model):
    """Limits of connections."""

    max_connections: int | None = None
    connect_timeout: str | None = None
    tcp_keepalive: TCPKeepalive | None = None


class HTTPSettings(Model):
    """Limits of requests."""

    http1_max_pending_requests: int | None = None
    http2_max_requests: int | None = None
    max_requests_per_connection: int | None = None
    max_retries: int | None = None
    idle_timeout: str | None = None
    h2_upgrade_policy: Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"] | None = None


class ConnectionPool(Model):
    """Limits towards one backend."""

    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class OutlierDetection(Model):
    """When a backend is left out for a while."""

    split_external_local_origin_errors: bool | None = None
    consecutive_local_origin_failures: int | None = None
    consecutive_errors: int | None = None
    consecutive_gateway_errors: int | None = None
    consecutive_5xx_errors: int | None = None
    interval: str | None = None
    base_ejection_time: str | None = None
    max_ejection_percent: int | None = None
    min_health_percent: int | None = None


class TLSSettings(Model):
    """TLS towards the backend."""

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] | None = None
    client_certificate: str | None = None
    private_key: str | None = None
    ca_certificates: str | None = None
    credential_name: str | None = None
    subject_alt_names: tuple[str, ...] | None = None
    sni: str | None = None


class TrafficPolicy(Model):
    """How callers reach the backends."""

    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: TLSSettings | None = None
