"""Whatever a release has come to and whatever a user's route says: shares are whole."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from delivery.canary import Canary
from delivery.names import ORIGIN
from delivery.routers.gateway_api import GatewayApi
from delivery.routers.interface import Object
from tests.delivery import gateway_cases as cases

ROUTER = GatewayApi()
SERVICE = {"port": 80, "gatewayRefs": [{"name": "public"}]}
AFFINITY = {"cookieName": "c", "primaryCookieName": "p"}
BY_HEADER = {"headers": {"x-beta": {"prefix": "y"}}, "queryParams": {"v": {}}}
STRATEGIES: tuple[Mapping[str, Any], ...] = (
    {"stepWeight": 10},
    {"iterations": 3, "mirror": True},
    {"stepWeight": 10, "sessionAffinity": AFFINITY},
    {"iterations": 3, "match": [BY_HEADER, BY_HEADER]},
    {"iterations": 3, "match": [BY_HEADER], "sessionAffinity": AFFINITY},
)
cookies = some.sampled_from(["", "c=1", "c=2"])


@some.composite
def canaries(draw: some.DrawFn) -> Canary:
    return cases.canary(
        SERVICE,
        draw(some.sampled_from(STRATEGIES)),
        canary_weight=draw(some.integers(0, 100)),
        mirror_weight=draw(some.integers(0, 100)),
        matched=draw(some.booleans()),
        cookie=draw(cookies),
        primary_cookie=draw(some.sampled_from(["", "p=1"])),
        previous_cookie=draw(cookies),
    )


backends = some.fixed_dictionaries(
    {"name": some.sampled_from(["shop", "other", "shop-canary"]), "port": some.integers(80, 82)},
    optional={
        "weight": some.integers(0, 9),
        "namespace": some.sampled_from(["test", "else"]),
        "filters": some.just([{"type": "ExtensionRef"}]),
    },
)
paths = some.sampled_from(["/", "/a", "/b"])
matches = some.builds(lambda path: {"path": {"type": "Exact", "value": path}}, paths)
rules = some.fixed_dictionaries(
    {},
    optional={
        "name": some.sampled_from(["a", "b"]),
        "matches": some.lists(matches, max_size=3),
        "filters": some.just([{"type": "ExtensionRef"}]),
        "backendRefs": some.lists(backends, max_size=3),
    },
)


@some.composite
def routes(draw: some.DrawFn) -> Object:
    metadata = {"name": "shop", "namespace": "test", "resourceVersion": "1"}
    notes = draw(some.sampled_from([{}, {"annotations": {"note": "x"}}]))
    spec = {"rules": draw(some.lists(rules, max_size=5))}
    return {"kind": "HTTPRoute", "metadata": {**metadata, **notes}, "spec": spec}


def shares(rule: Mapping[str, Any]) -> Mapping[str, int]:
    return {one["name"]: one["weight"] for one in rule["backendRefs"]}


@given(canaries())
def test_the_shares_of_a_route_of_ours_are_a_hundred_together(canary: Canary) -> None:
    (wanted,) = ROUTER.manifests(canary, {})
    for rule in wanted["spec"]["rules"]:
        found = shares(rule)
        assert set(found) == {"shop-primary", "shop-canary"}
        assert sum(found.values()) == 100
        assert min(found.values()) >= 0


@given(canaries())
def test_without_weight_match_and_cookie_nobody_meets_the_canary(canary: Canary) -> None:
    (wanted,) = ROUTER.manifests(canary, {})
    others = shares(wanted["spec"]["rules"][-1])
    assert others["shop-canary"] == canary.status.canary_weight
    if not canary.status.has_users:
        assert all(not shares(one)["shop-canary"] for one in wanted["spec"]["rules"])


@given(canaries(), canaries(), routes())
def test_a_route_is_given_back_as_it_was(before: Canary, after: Canary, route: Object) -> None:
    """However the split has moved in between."""
    found = cases.as_found(route)
    if ROUTER.refused(before, found):
        return
    (first,) = ROUTER.manifests(before, found)
    (second,) = ROUTER.manifests(after, cases.as_found(first))
    assert ROUTER.manifests(after, cases.as_found(second)) == (second,)
    assert ORIGIN in second["metadata"]["annotations"]
    assert ROUTER.restored(after, cases.as_found(second)).written == (route,)


@given(canaries(), routes())
def test_what_leads_elsewhere_keeps_its_share(canary: Canary, route: Object) -> None:
    found = cases.as_found(route)
    if ROUTER.refused(canary, found):
        return
    (wanted,) = ROUTER.manifests(canary, found)
    kept = [one for one in route["spec"]["rules"] if one in wanted["spec"]["rules"]]
    led = [one for one in route["spec"]["rules"] if any(map(is_called, refs(one)))]
    assert len(kept) + len(led) == len(route["spec"]["rules"])


def refs(rule: Mapping[str, Any]) -> Any:
    return rule.get("backendRefs") or ()


def is_called(one: Mapping[str, Any]) -> bool:
    here = one.get("namespace", "test") == "test"
    return bool(one["name"] == "shop" and here and one.get("weight", 1))
