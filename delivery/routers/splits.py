"""Which of an app's requests go to which half: the router's routes, the first that matches wins."""

from collections.abc import Iterator
from dataclasses import replace

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from delivery.matching import both
from delivery.names import CANARY, MIRROR, PRIMARY, UNMATCHED
from delivery.route import Route
from delivery.routers import copies, matchers, resilience, transparent, treatment
from delivery.routers.division import EVERYTHING, Division, Part, parts


def routes(name: str, division: Division, *, sticky: bool = False) -> list[routes_pb2.Route]:
    """A sticky caller keeps its version too, for as long as that one's share does not shrink."""
    made = [
        _route(name, replace(one, match=both(scope, one.match)), division, sticky)
        for scope in division.scopes
        for one in parts(division)
    ]
    if EVERYTHING not in division.scopes:
        made.append(_untouched(name, sticky))
    return transparent.routes(made)


def _route(name: str, part: Part, division: Division, sticky: bool) -> routes_pb2.Route:
    action = _action(name, part, division.route, sticky)
    for one in division.copied_to:
        action.request_mirror_policies.extend(copies.policy(f"{name}/{one}", 100))
    made = routes_pb2.Route(match=matchers.matcher(part.match), route=action)
    treatment.apply(division.route, part.match, made)
    return made


def _untouched(name: str, sticky: bool) -> routes_pb2.Route:
    """Counted apart: the canary is compared with those that are treated as its own are."""
    split = routes_pb2.WeightedCluster(
        clusters=[_cluster(name, UNMATCHED, 100)], use_hash_policy=_hashed(sticky)
    )
    action = resilience.route_action(split, Route(), sticky=sticky)
    return routes_pb2.Route(match=matchers.matcher(EVERYTHING), route=action)


def _action(name: str, part: Part, route: Route, sticky: bool) -> routes_pb2.RouteAction:
    halves = ((PRIMARY, 100 - part.weight, part.from_primary),)
    split = routes_pb2.WeightedCluster(
        clusters=[
            _cluster(name, role, share, cookie)
            for role, share, cookie in (*halves, (CANARY, part.weight, part.from_canary))
        ],
        use_hash_policy=_hashed(sticky),
    )
    action = resilience.route_action(split, route, sticky=sticky)
    action.request_mirror_policies.extend(copies.policy(f"{name}/{MIRROR}", part.mirror))
    return action


def _cluster(
    name: str, role: str, share: int, cookie: str = ""
) -> routes_pb2.WeightedCluster.ClusterWeight:
    return routes_pb2.WeightedCluster.ClusterWeight(
        name=f"{name}/{role}",
        weight=UInt32Value(value=share),
        response_headers_to_add=list(_set(cookie)),
    )


def _hashed(sticky: bool) -> BoolValue | None:
    return BoolValue(value=True) if sticky else None


def _set(cookie: str) -> Iterator[HeaderValueOption]:
    """Beside those that the app sets; a % would be a word of Envoy's."""
    if cookie:
        header = HeaderValue(key="set-cookie", value=cookie.replace("%", "%%"))
        yield HeaderValueOption(
            header=header, append_action=HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
        )
