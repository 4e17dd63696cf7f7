"""How the router hides: an HTTP proxy that neither adds, drops nor rewrites what apps can see."""

from collections.abc import Iterable
from typing import Any

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation
from envoy.config.core.v3.address_pb2 import CidrRange
from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.extension_pb2 import TypedExtensionConfig
from envoy.config.core.v3.protocol_pb2 import (
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    HttpProtocolOptions,
)
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.extensions.filters.http.cors.v3.cors_pb2 import Cors
from envoy.extensions.filters.http.grpc_stats.v3.config_pb2 import FilterConfig as GrpcStats
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    header_mutation_pb2 as early_pb2,
)
from envoy.extensions.http.header_formatters.preserve_case.v3.preserve_case_pb2 import (
    PreserveCaseFormatterConfig,
)
from envoy.extensions.http.original_ip_detection.custom_header.v3.custom_header_pb2 import (
    CustomHeaderConfig,
)
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2 as upstream_pb2
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

UNLIMITED = 4294967295
_HEADERS_KB = 8192
"""The most that Envoy accepts; it refuses a configuration that asks for more."""
_UPGRADES = ("websocket", "spdy/3.1", "tcp")
_IGNORED_UPGRADES = ("h2", "http/", "tls/")
"""Offers that a server may leave unanswered (RFC 9110, 7.8); Envoy would refuse the request."""
FORWARDED_PROTO = "x-forwarded-proto"
CORS = "envoy.filters.http.cors"
OWN_PROTO = "x-outrider-router-own-proto"
OWN_ADDRESS = "x-outrider-router-own-address"
_NEVER = Duration()

UPSTREAM_IDLE = Duration(seconds=1)
"""An idle connection to a pod is closed before the pod does: gunicorn closes after 2 s, Node and
uvicorn after 5 s, and a request that meets their FIN half-way cannot be tried again safely."""

DELAYED_CLOSE = Duration(seconds=5)
"""So much later than from the pod itself does a caller notice that an answer was broken off; at
once would be a TCP reset for one that is still sending, which can take the answer from it. Envoy
also throws away what it has not written so long after the last byte that it could write: it must
be longer than a slow caller, or a router on a busy node, may rest."""


def packed(message: Any) -> Packed:
    """`message` in an Any, the same bytes each time."""
    box = Packed()
    box.Pack(message, deterministic=True)
    return box


def span(seconds: float) -> Duration:
    made = Duration()
    made.FromNanoseconds(round(seconds * 1e9))
    return made


def extension(name: str, message: Any) -> TypedExtensionConfig:
    return TypedExtensionConfig(name=name, typed_config=packed(message))


def aggregated() -> ConfigSource:
    """By the one ADS stream, waiting for it as long as it takes."""
    return ConfigSource(
        ads=AggregatedConfigSource(),
        resource_api_version=ApiVersion.V3,
        initial_fetch_timeout=_NEVER,
    )


def connection_manager(route: str, *, sticky: bool = False, cors: bool = False) -> Any:
    """Routes by the named route configuration; time-outs are 0, which means none.

    A sticky one takes for the caller's address the one that the connection comes from, as
    kube-proxy does for affinity, and not what x-forwarded-for says.
    """
    kind = manager_pb2.HttpConnectionManager
    return kind(
        original_ip_detection_extensions=[_by_connection_alone()] if sticky else [],
        stat_prefix="router",
        codec_type=kind.AUTO,
        rds=manager_pb2.Rds(config_source=aggregated(), route_config_name=route),
        http_filters=_filters(cors=cors),
        early_header_mutation_extensions=[_mark_forwarded_proto()],
        common_http_protocol_options=_header_limits(idle=_NEVER),
        http_protocol_options=_http1(),
        http2_protocol_options=_http2(),
        max_request_headers_kb=UInt32Value(value=_HEADERS_KB),
        server_header_transformation=kind.PASS_THROUGH,
        forward_client_cert_details=kind.ALWAYS_FORWARD_ONLY,
        use_remote_address=BoolValue(value=False),
        skip_xff_append=True,
        internal_address_config=_nobody(),
        generate_request_id=BoolValue(value=False),
        preserve_external_request_id=True,
        normalize_path=BoolValue(value=False),
        path_with_escaped_slashes_action=kind.KEEP_UNCHANGED,
        proxy_100_continue=True,
        upgrade_configs=[kind.UpgradeConfig(upgrade_type=name) for name in _UPGRADES],
        delayed_close_timeout=DELAYED_CLOSE,
        stream_idle_timeout=_NEVER,
        request_timeout=_NEVER,
        request_headers_timeout=_NEVER,
    )


def upstream_options() -> Any:
    """HTTP/1.1 stays HTTP/1.1 and HTTP/2 stays HTTP/2 on the way to the pods."""
    options = upstream_pb2.HttpProtocolOptions
    return options(
        common_http_protocol_options=_header_limits(
            idle=UPSTREAM_IDLE, max_response_headers_kb=UInt32Value(value=_HEADERS_KB)
        ),
        use_downstream_protocol_config=options.UseDownstreamHttpConfig(
            http_protocol_options=_http1(), http2_protocol_options=_http2()
        ),
    )


def _http1() -> Http1ProtocolOptions:
    case = PreserveCaseFormatterConfig(
        forward_reason_phrase=True,
        formatter_type_on_envoy_headers=PreserveCaseFormatterConfig.PROPER_CASE,
    )
    return Http1ProtocolOptions(
        accept_http_10=True,
        default_host_for_http_10="localhost",
        enable_trailers=True,
        ignore_http_11_upgrade=[
            StringMatcher(prefix=name, ignore_case=True) for name in _IGNORED_UPGRADES
        ],
        header_key_format=Http1ProtocolOptions.HeaderKeyFormat(
            stateful_formatter=extension("preserve_case", case)
        ),
    )


def _http2() -> Http2ProtocolOptions:
    return Http2ProtocolOptions(
        allow_connect=True, max_concurrent_streams=UInt32Value(value=2147483647)
    )


def _header_limits(*, idle: Duration, **more: UInt32Value) -> HttpProtocolOptions:
    return HttpProtocolOptions(
        idle_timeout=idle, max_headers_count=UInt32Value(value=10000), **more
    )


def _nobody() -> Any:
    """No caller counts as internal: else Envoy marks requests with a header of its own."""
    kind = manager_pb2.HttpConnectionManager.InternalAddressConfig
    return kind(
        cidr_ranges=[CidrRange(address_prefix="255.255.255.255", prefix_len=UInt32Value(value=32))]
    )


def _mark_forwarded_proto() -> TypedExtensionConfig:
    """Envoy adds x-forwarded-proto where it is missing; before that, note who brought their own."""
    mark = HeaderMutation(
        append=HeaderValueOption(
            header=HeaderValue(key=OWN_PROTO, value="%REQ(x-forwarded-proto)%"),
            append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
    )
    ours = [HeaderMutation(remove=OWN_PROTO), HeaderMutation(remove=OWN_ADDRESS)]
    mutations = early_pb2.HeaderMutation(mutations=[*ours, mark])
    return extension("envoy.http.early_header_mutation.header_mutation", mutations)


def _by_connection_alone() -> TypedExtensionConfig:
    """A header that nobody can send (it is removed first), so that no header is believed."""
    nowhere = CustomHeaderConfig(header_name=OWN_ADDRESS)
    return extension("envoy.http.original_ip_detection.custom_header", nowhere)


def _filters(*, cors: bool) -> list[Any]:
    """The first only counts, by grpc-status, and only calls that say that they are gRPC. The second
    does what a route tells it, and is there where one does.
    """
    grpc = packed(GrpcStats(stats_for_all_methods=BoolValue(value=False)))
    router = packed(Router(suppress_envoy_headers=True))
    answering = manager_pb2.HttpFilter(name=CORS, typed_config=packed(Cors()))
    return [
        manager_pb2.HttpFilter(name="envoy.filters.http.grpc_stats", typed_config=grpc),
        *([answering] if cors else []),
        manager_pb2.HttpFilter(name="envoy.filters.http.router", typed_config=router),
    ]


def routes(made: Iterable[routes_pb2.Route]) -> list[routes_pb2.Route]:
    """Each twice: callers that brought an x-forwarded-proto keep it where it stood, for the others
    the one that Envoy added is taken away.
    """
    return [one for each in made for one in (_for_those_who_brought(each), _for_others(each))]


def _for_those_who_brought(route: routes_pb2.Route) -> routes_pb2.Route:
    found = routes_pb2.Route()
    found.CopyFrom(route)
    found.match.headers.append(routes_pb2.HeaderMatcher(name=OWN_PROTO, present_match=True))
    found.request_headers_to_remove.append(OWN_PROTO)
    return found


def _for_others(route: routes_pb2.Route) -> routes_pb2.Route:
    found = routes_pb2.Route()
    found.CopyFrom(route)
    found.request_headers_to_remove.append(FORWARDED_PROTO)
    return found
