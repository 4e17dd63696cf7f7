"""What the router does to requests that a Canary's `service` says something of, and to answers."""

import re
from collections.abc import Iterator

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.extensions.filters.http.cors.v3.cors_pb2 import CorsPolicy
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute as Replaced
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from google.protobuf.wrappers_pb2 import BoolValue

from delivery.matching import Match, Way
from delivery.route import Changes, Cors, Pairs, Rewrite, Route
from delivery.routers import matchers, transparent

ADD = HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
SET = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


def apply(route: Route, match: Match, made: routes_pb2.Route) -> None:
    """To the route for those requests of a Canary's that `match` describes."""
    made.request_headers_to_add.extend(_changed(route.request))
    made.request_headers_to_remove.extend(route.request.remove)
    made.response_headers_to_add.extend(_changed(route.response))
    made.response_headers_to_remove.extend(route.response.remove)
    if route.rewrite.host:
        made.route.host_rewrite_literal = route.rewrite.host
    if route.rewrite.path:
        made.route.regex_rewrite.CopyFrom(_rewritten(route.rewrite, match))
    if route.cors:
        made.typed_per_filter_config[transparent.CORS].CopyFrom(
            transparent.packed(_cors(route.cors))
        )


def _changed(changes: Changes) -> Iterator[HeaderValueOption]:
    yield from _headers(changes.set, SET)
    yield from _headers(changes.add, ADD)


def _headers(
    pairs: Pairs, action: HeaderValueOption.HeaderAppendAction.ValueType
) -> Iterator[HeaderValueOption]:
    """A % would be a word of Envoy's."""
    for name, value in pairs:
        yield HeaderValueOption(
            header=HeaderValue(key=name, value=value.replace("%", "%%")),
            append_action=action,
            keep_empty_value=not value,
        )


def _rewritten(rewrite: Rewrite, match: Match) -> Replaced:
    """Of the path, not of its query: what matched, or all of it.

    Where the one ends in a slash and the other does not, neither is a slash lost nor doubled:
    /shop/cart is /cart when / stands for /shop, and /cart is /shop/cart when /shop stands for /.
    """
    path, said = rewrite.path, match.path
    prefix = "/" if said is None else said.text
    if rewrite.whole or (said is not None and said.way is not Way.PREFIX):
        return _replaced("^.*$", path)
    if prefix.endswith("/") and not path.endswith("/"):
        path += "/"
    case = "(?i)" if match.any_case else ""
    slash = "/?" if path.endswith("/") and not prefix.endswith("/") else ""
    return _replaced(f"{case}^{re.escape(prefix)}{slash}", path)


def _replaced(regex: str, text: str) -> Replaced:
    """A backslash would stand for a group."""
    return Replaced(pattern=RegexMatcher(regex=regex), substitution=text.replace("\\", r"\\"))


def _cors(cors: Cors) -> CorsPolicy:
    return CorsPolicy(
        allow_origin_string_match=[matchers.text(one) for one in cors.origins],
        allow_methods=",".join(cors.methods),
        allow_headers=",".join(cors.headers),
        expose_headers=",".join(cors.exposed),
        max_age="" if cors.max_age is None else f"{cors.max_age:.0f}",
        allow_credentials=None if cors.credentials is None else BoolValue(value=cors.credentials),
    )
