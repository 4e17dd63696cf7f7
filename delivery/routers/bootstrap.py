"""What a router is started with: where its agents are, and which of its own state may be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery import names
from delivery.names import AGENT, OUTRIDER
from delivery.routers import mutual

HEADER_PREFIX = "x-outrider-router"
"""Envoy obeys and strips headers that begin so instead of `x-envoy`: those are the apps' own."""
UNLIMITED = 4294967295
ENVOY = "envoy.json"
CONFIG_FOLDER = "/etc/envoy"

STATS = ("/stats", "/stats/prometheus")
READY = "/ready"
OPEN_STATISTICS = "/stats/prometheus"

_ADS = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True)
class Surroundings:
    """Where a router finds its agents and its files, and where others find it.

    `ipv6`: whether pods are reached by IPv6 first. `open_statistics`: whether the port that the
    kubelet asks shows them too, to a Prometheus or to anybody else.
    """

    xds_host: str = AGENT
    xds_port: int = names.XDS_PORT
    stats_port: int = names.ROUTER_STATS_PORT
    open_port: int = names.ROUTER_OPEN_PORT
    admin_port: int = names.ROUTER_ADMIN_PORT
    files: mutual.Files = mutual.Files(CONFIG_FOLDER)
    ipv6: bool = False
    open_statistics: bool = False

    @property
    def shown_openly(self) -> tuple[str, ...]:
        return (READY, OPEN_STATISTICS) if self.open_statistics else (READY,)


IN_A_POD = Surroundings()
_RUNTIME = {"re2": {"max_program_size": {"error_level": 1_000_000}}}
"""Envoy refuses all of a configuration for one regular expression of a few dozen words."""


def files(namespace: str, around: Surroundings = IN_A_POD) -> Mapping[str, Any]:
    """All that lies in the router's folder: the bootstrap, and what it takes from there."""
    return {ENVOY: bootstrap(namespace, around), **mutual.secrets(around.files)}


def bootstrap(namespace: str, around: Surroundings = IN_A_POD) -> dict[str, Any]:
    """Envoy's bootstrap, in its JSON form. The node's id comes from `--service-node`.

    `initial_fetch_timeout: 0s` everywhere: a router that has not heard from an agent is not
    ready, rather than ready and empty.
    """
    opened = _listener("open", around.open_port, *around.shown_openly, ipv6=around.ipv6)
    stats = _listener("stats", around.stats_port, *STATS, ipv6=around.ipv6)
    (chain,) = stats["filter_chains"]
    agents_only = {**chain, "transport_socket": mutual.server(around.files)}
    return {
        "node": {"cluster": f"{OUTRIDER}/{namespace}"},
        "header_prefix": HEADER_PREFIX,
        "admin": {"address": _address("127.0.0.1", around.admin_port)},
        "stats_flush_interval": "1s",
        "dynamic_resources": _dynamic_resources(),
        "static_resources": {
            "listeners": [opened, {**stats, "filter_chains": [agents_only]}],
            "clusters": [_agents(around), _admin(around.admin_port)],
        },
        "overload_manager": {"resource_monitors": [_connections()]},
        "layered_runtime": {"layers": [{"name": "outrider", "static_layer": _RUNTIME}]},
    }


def _dynamic_resources() -> dict[str, Any]:
    return {
        "ads_config": {
            "api_type": "GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": {"cluster_name": AGENT, "retry_policy": _backoff()}}],
        },
        "cds_config": _ADS,
        "lds_config": _ADS,
    }


def _backoff() -> dict[str, Any]:
    """Agents come and go with every upgrade of ours: 30 s, Envoy's own limit, is too long."""
    return {"retry_back_off": {"base_interval": "0.2s", "max_interval": "2s"}}


def _agents(around: Surroundings) -> dict[str, Any]:
    """The agents, looked up each second, with pings so that a vanished node is noticed."""
    keepalive = {"interval": "5s", "timeout": "2s", "interval_jitter": {"value": 0}}
    http2 = {"http2_protocol_options": {"connection_keepalive": keepalive}}
    return {
        "name": AGENT,
        "cluster_type": {"name": "envoy.cluster.dns", "typed_config": _each_second()},
        "connect_timeout": "1s",
        "load_assignment": _assignment(AGENT, around.xds_host, around.xds_port),
        "transport_socket": mutual.client(around.files),
        "typed_extension_protocol_options": {
            _HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
                "explicit_http_config": http2,
            }
        },
    }


def _each_second() -> dict[str, Any]:
    """All addresses that the name has, as STRICT_DNS in older terms."""
    return {
        "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
        "dns_lookup_family": "ALL",
        "respect_dns_ttl": False,
        "dns_refresh_rate": "1s",
        "dns_failure_refresh_rate": {"base_interval": "0.2s", "max_interval": "1s"},
    }


def _admin(port: int) -> dict[str, Any]:
    return {
        "name": "admin",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": _assignment("admin", "127.0.0.1", port),
    }


def _listener(name: str, port: int, *paths: str, ipv6: bool) -> dict[str, Any]:
    """The paths of the admin API that others may read; it can also stop or drain Envoy."""
    kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "envoy.extensions.filters.http.router.v3.Router"
    # A kernel without IPv6 refuses `::`, so it is asked for only where pods have such addresses.
    both = {"socket_address": {"address": "::", "port_value": port, "ipv4_compat": True}}
    manager = {
        "@type": f"type.googleapis.com/{kind}",
        "stat_prefix": name,
        "http_filters": [
            {"name": "gzip", "typed_config": _compressor()},
            {"name": "router", "typed_config": {"@type": f"type.googleapis.com/{router}"}},
        ],
        "route_config": {
            "virtual_hosts": [
                {"name": name, "domains": ["*"], "routes": [_readable(path) for path in paths]}
            ]
        },
    }
    return {
        "name": name,
        "address": both if ipv6 else _address("0.0.0.0", port),
        "ignore_global_conn_limit": True,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def _compressor() -> dict[str, Any]:
    """For who asks for it: a tenth is left of what is read each second."""
    kind = "type.googleapis.com/envoy.extensions"
    gzip = {"@type": f"{kind}.compression.gzip.compressor.v3.Gzip"}
    return {
        "@type": f"{kind}.filters.http.compressor.v3.Compressor",
        "compressor_library": {
            "name": "gzip",
            "typed_config": {**gzip, "compression_level": "BEST_SPEED"},
        },
    }


def _readable(path: str) -> dict[str, Any]:
    get = {"name": ":method", "string_match": {"exact": "GET"}}
    return {"match": {"path": path, "headers": [get]}, "route": {"cluster": "admin"}}


def _assignment(name: str, host: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(host, port)}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _connections() -> dict[str, Any]:
    """Callers are refused by the apps they call, never by the router between them."""
    config = "envoy.extensions.resource_monitors.downstream_connections.v3"
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": f"type.googleapis.com/{config}.DownstreamConnectionsConfig",
            "max_active_downstream_connections": UNLIMITED,
        },
    }
