"""Which of an app's requests go to which half: the router's routes, the first that matches wins."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from delivery.cookies import Cookies
from delivery.matching import Comparison, Match, Way
from delivery.names import CANARY, MIRROR, PRIMARY
from delivery.routers import copies, resilience, transparent


@dataclass(frozen=True)
class Division:
    """How requests are divided: what matches goes to the canary, of all else `weight` percent, and
    of that `mirror` percent are copied to it: their answers are thrown away. `cookies` come first.
    """

    weight: int = 0
    matches: tuple[Match, ...] = ()
    mirror: int = 0
    cookies: Cookies | None = None


@dataclass(frozen=True)
class Part:
    """Some of the requests: the canary's share of them, what is copied to it, and the cookies that
    the answers of either half set.
    """

    match: Match
    weight: int
    mirror: int = 0
    from_canary: str = ""
    from_primary: str = ""


def routes(name: str, division: Division, *, sticky: bool = False) -> list[routes_pb2.Route]:
    """A sticky caller keeps its version too, for as long as that one's share does not shrink."""
    rules = ((_matcher(one.match), _action(name, one, sticky)) for one in parts(division))
    return transparent.routes(rules)


def parts(division: Division) -> Iterator[Part]:
    """Who has met the canary stays there, also when it no longer matches, and is told so again in
    each answer, so that nobody's time runs out in the middle of a release.
    """
    found = division.cookies
    joins = found.for_canary if found else ""
    stays = found.for_primary if found else ""
    if found and found.canary:
        yield Part(_sent(found.canary), 100, from_canary=joins)
    for match in division.matches:
        yield Part(match, 100, from_canary=joins)
    if found and found.primary:
        yield Part(_sent(found.primary), 0)
    others = Part(Match(), division.weight, division.mirror, joins, stays)
    if found and found.previous:
        yield replace(others, match=_sent(found.previous), from_primary=found.for_leaving)
    yield others


def _sent(pair: str) -> Match:
    """The value is long and random: nothing else of a Cookie header is taken for it."""
    return Match(headers=(Comparison("cookie", Way.CONTAINS, pair),))


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
