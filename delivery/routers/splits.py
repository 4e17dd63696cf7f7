"""Which of an app's requests go to which half: the router's routes, the first that matches wins."""

from collections.abc import Iterable, Iterator

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from delivery.matching import Comparison, Match, Way
from delivery.names import CANARY, MIRROR, PRIMARY
from delivery.routers import copies, resilience, transparent
from delivery.routers.division import Division, Part, parts


def routes(name: str, division: Division, *, sticky: bool = False) -> list[routes_pb2.Route]:
    """A sticky caller keeps its version too, for as long as that one's share does not shrink."""
    rules = ((_matcher(one.match), _action(name, one, sticky)) for one in parts(division))
    return transparent.routes(rules)


def _action(name: str, part: Part, sticky: bool) -> routes_pb2.RouteAction:
    halves = ((PRIMARY, 100 - part.weight, part.from_primary),)
    split = routes_pb2.WeightedCluster(
        clusters=[
            routes_pb2.WeightedCluster.ClusterWeight(
                name=f"{name}/{role}",
                weight=UInt32Value(value=share),
                response_headers_to_add=list(_set(cookie)),
            )
            for role, share, cookie in (*halves, (CANARY, part.weight, part.from_canary))
        ],
        use_hash_policy=BoolValue(value=True) if sticky else None,
    )
    action = resilience.route_action(split, sticky=sticky)
    action.request_mirror_policies.extend(copies.policy(f"{name}/{MIRROR}", part.mirror))
    return action


def _set(cookie: str) -> Iterator[HeaderValueOption]:
    """Beside those that the app sets; a % would be a word of Envoy's."""
    if cookie:
        header = HeaderValue(key="set-cookie", value=cookie.replace("%", "%%"))
        yield HeaderValueOption(
            header=header, append_action=HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
        )


def _matcher(match: Match) -> routes_pb2.RouteMatch:
    return routes_pb2.RouteMatch(
        prefix="/",
        headers=list(_headers(match.headers)),
        query_parameters=list(_parameters(match.parameters)),
    )


def _headers(wanted: Iterable[Comparison]) -> Iterator[routes_pb2.HeaderMatcher]:
    for one in wanted:
        if one.way is Way.PRESENT:
            yield routes_pb2.HeaderMatcher(name=one.name, present_match=True)
        else:
            yield routes_pb2.HeaderMatcher(name=one.name, string_match=_text(one))


def _parameters(wanted: Iterable[Comparison]) -> Iterator[routes_pb2.QueryParameterMatcher]:
    for one in wanted:
        if one.way is Way.PRESENT:
            yield routes_pb2.QueryParameterMatcher(name=one.name, present_match=True)
        else:
            yield routes_pb2.QueryParameterMatcher(name=one.name, string_match=_text(one))


def _text(wanted: Comparison) -> StringMatcher:
    if wanted.way is Way.REGEX:
        return StringMatcher(safe_regex=RegexMatcher(regex=wanted.text))
    return StringMatcher(**{wanted.way: wanted.text})
