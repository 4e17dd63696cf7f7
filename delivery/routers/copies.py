"""How copies of requests hide that they are copies, as far as Envoy lets them.

Envoy writes the names of a copy's headers in small letters, adds its own address to x-forwarded-for
and says that it is internal. Names are put in the usual case; what the caller had sent of addresses
is kept beside, and put back on the way to the pod.
"""

from collections.abc import Iterator

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation
from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption, RuntimeFractionalPercent
from envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2 as filter_pb2
from envoy.extensions.filters.http.upstream_codec.v3.upstream_codec_pb2 import UpstreamCodec
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
from envoy.type.v3.percent_pb2 import FractionalPercent

from delivery.routers import transparent

FORWARDED_FOR = "x-forwarded-for"
OWN_FOR = "x-outrider-router-own-for"
INTERNAL = "x-outrider-router-internal"


def policy(cluster: str, percent: int) -> Iterator[routes_pb2.RouteAction.RequestMirrorPolicy]:
    """With the Host that was asked for, like every other request."""
    if percent:
        share = FractionalPercent(numerator=percent, denominator=FractionalPercent.HUNDRED)
        yield routes_pb2.RouteAction.RequestMirrorPolicy(
            cluster=cluster,
            runtime_fraction=RuntimeFractionalPercent(default_value=share),
            disable_shadow_host_suffix_append=True,
            request_headers_mutations=[_set(OWN_FOR, FORWARDED_FOR)],
        )


def upstream_options() -> HttpProtocolOptions:
    found = transparent.upstream_options()
    names = Http1ProtocolOptions.HeaderKeyFormat
    http1 = found.use_downstream_protocol_config.http_protocol_options
    http1.header_key_format.CopyFrom(names(proper_case_words=names.ProperCaseWords()))
    found.http_filters.extend(_filters())
    return found


def _filters() -> Iterator[manager_pb2.HttpFilter]:
    """Removed, and set again only where there was something."""
    back = [
        HeaderMutation(remove=FORWARDED_FOR),
        _set(FORWARDED_FOR, OWN_FOR),
        HeaderMutation(remove=OWN_FOR),
        HeaderMutation(remove=INTERNAL),
    ]
    mutations = filter_pb2.Mutations(request_mutations=back)
    for name, said in (
        ("envoy.filters.http.header_mutation", filter_pb2.HeaderMutation(mutations=mutations)),
        ("envoy.filters.http.upstream_codec", UpstreamCodec()),
    ):
        yield manager_pb2.HttpFilter(name=name, typed_config=transparent.packed(said))


def _set(header: str, other: str) -> HeaderMutation:
    return HeaderMutation(
        append=HeaderValueOption(
            header=HeaderValue(key=header, value=f"%REQ({other})%"),
            append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
    )
