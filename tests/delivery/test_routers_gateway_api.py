"""The Gateway API as a router: each case is a file that says what there should be."""

from collections.abc import Mapping
from typing import Any

import pytest

from delivery.covering import covers
from delivery.names import ORIGIN
from delivery.routers.gateway_api import GatewayApi
from delivery.routers.interface import Object
from tests.delivery import gateway_cases as cases

SERVICE = {"port": 80, "gatewayRefs": [{"name": "public"}]}
ROUTER = GatewayApi()


def route(*backends: Mapping[str, Any], **metadata: Any) -> Object:
    """A user's, with a rule for each Service that it leads to."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "test", "resourceVersion": "7", **metadata},
        "spec": {"rules": [{"backendRefs": [one]} for one in backends]},
    }


def led(name: str, **more: Any) -> Mapping[str, Any]:
    return {"group": "", "kind": "Service", "name": name, "port": 80, "weight": 1, **more}


@pytest.mark.parametrize("name", cases.NAMES)
def test_what_there_should_be_is_what_the_file_says(name: str) -> None:
    case = cases.case(name)
    found = cases.as_found(*case.found)
    assert case.router.kinds == (case.expected["kind"],)
    assert case.router.refused(case.canary, found) == ""
    assert case.router.manifests(case.canary, found) == (case.expected,)


@pytest.mark.parametrize("name", cases.NAMES)
def test_what_is_as_it_should_be_is_told_the_same_again(name: str) -> None:
    case = cases.case(name)
    (again,) = case.router.manifests(case.canary, cases.as_found(case.expected))
    assert again["spec"] == case.expected["spec"]
    assert covers(case.expected["metadata"], again["metadata"])


@pytest.mark.parametrize("name", cases.NAMES)
def test_an_app_that_is_given_back_leaves_users_what_they_wrote(name: str) -> None:
    case = cases.case(name)
    left = case.router.restored(case.canary, cases.as_found(case.expected))
    if ORIGIN in case.expected["metadata"].get("annotations", {}):
        assert (left.written, left.deleted) == (case.found, ())
    else:
        assert (left.written, left.deleted) == ((), ((case.expected["kind"], "shop"),))


def test_the_route_of_another_app_is_not_given_back_with_this_one() -> None:
    canary = cases.canary(SERVICE)
    (ours,) = ROUTER.manifests(canary, {})
    labels = {**ours["metadata"]["labels"], "outrider.dev/app": "other"}
    other = {**ours, "metadata": {**ours["metadata"], "labels": labels}}
    assert ROUTER.restored(canary, cases.as_found(other)).deleted == ()


ELSEWHERE = (
    led("other"),
    led("shop", namespace="else"),
    led("shop", weight=0),
    led("shop", kind="Import"),
    led("shop", group="x"),
)


@pytest.mark.parametrize("found", [route(*ELSEWHERE), route(), {**route(), "spec": {}}])
def test_a_route_of_the_user_needs_a_rule_that_leads_to_the_app(found: Object) -> None:
    assert ROUTER.refused(cases.canary(SERVICE), cases.as_found(found)) == (
        "HTTPRoute shop.test: none of its rules leads to Service shop; "
        "add a backendRef to it, or give the route another name"
    )


def test_a_route_that_is_routed_for_another_app_is_left_to_it() -> None:
    marks = {"outrider.dev/app": "other", ORIGIN: "{}"}
    found = cases.as_found(route(led("shop"), annotations=marks))
    assert ROUTER.refused(cases.canary(SERVICE), found) == (
        "HTTPRoute shop.test is routed for other already; give one of them another Service"
    )


def test_without_a_gateway_no_route_is_made() -> None:
    canary = cases.without_gateways(cases.canary(SERVICE))
    assert "GatewayRefs must be specified" in ROUTER.refused(canary, {})
    assert ROUTER.refused(canary, cases.as_found(route(led("shop")))) == ""


@pytest.mark.parametrize(
    ("service", "analysis", "text"),
    [
        (
            {"match": [{"uri": {"prefix": f"/{one}"}} for one in range(20)]},
            {"iterations": 2, "match": [{"headers": {"x": {"exact": str(n)}}} for n in range(4)]},
            "80 matches in a rule in a release, and 64 are allowed",
        ),
        (
            {
                "match": [{"uri": {"prefix": f"/{one}"}} for one in range(9)],
                "rewrite": {"uri": "/", "type": "ReplacePrefixMatch"},
            },
            {"iterations": 2, "match": [{"headers": {"x": {"exact": "1"}}}]},
            "18 rules in a release, and 16 are allowed",
        ),
        (
            {"match": [{"uri": {"prefix": f"/{one}"}} for one in range(40)]},
            {
                "stepWeight": 10,
                "sessionAffinity": {"cookieName": "a", "primaryCookieName": "b"},
            },
            "160 matches in a release, and 128 are allowed",
        ),
    ],
)
def test_what_would_not_fit_into_a_route_is_said_before_a_release(
    service: Mapping[str, Any], analysis: Mapping[str, Any], text: str
) -> None:
    canary = cases.canary({**SERVICE, **service}, analysis)
    assert text in ROUTER.refused(canary, {})


def test_a_rule_that_a_user_changed_beside_ours_stays_changed() -> None:
    canary = cases.canary(SERVICE, canary_weight=30)
    (taken,) = ROUTER.manifests(canary, cases.as_found(route(led("other"), led("shop"))))
    rules = [{"backendRefs": [led("third")]}, *taken["spec"]["rules"][1:]]
    edited = {**taken, "spec": {"rules": rules}}
    assert ROUTER.manifests(canary, cases.as_found(edited)) == (edited,)
    (back,) = ROUTER.restored(canary, cases.as_found(edited)).written
    assert back == route(led("third"), led("shop"))


def test_a_route_that_its_user_applies_again_is_taken_over_again() -> None:
    canary = cases.canary(SERVICE, canary_weight=30)
    (taken,) = ROUTER.manifests(canary, cases.as_found(route(led("shop"))))
    again = {**taken, "spec": route(led("shop", port=81), led("new"))["spec"]}
    (wanted,) = ROUTER.manifests(canary, cases.as_found(again))
    assert [one["backendRefs"][0]["name"] for one in wanted["spec"]["rules"]] == [
        "shop-primary",
        "new",
    ]
    (back,) = ROUTER.restored(canary, cases.as_found(wanted)).written
    assert back == route(led("shop", port=81), led("new"))


def test_what_was_made_of_one_rule_is_one_rule_again() -> None:
    """Also where something came between, or nothing is known of a second one."""
    canary = cases.canary(SERVICE, canary_weight=30)
    (taken,) = ROUTER.manifests(canary, cases.as_found(route(led("shop"))))
    first = taken["spec"]["rules"][0]
    mixed = {**taken, "spec": {"rules": [first, route(led("new"))["spec"]["rules"][0], first]}}
    (back,) = ROUTER.restored(canary, cases.as_found(mixed)).written
    assert back == route(led("shop"), led("new"))


@pytest.mark.parametrize("spoiled", ["{", "[]", '{"rules": [], "services": ["a"]}'])
def test_a_spoiled_note_changes_no_rule(spoiled: str) -> None:
    canary = cases.canary(SERVICE, canary_weight=30)
    (taken,) = ROUTER.manifests(canary, cases.as_found(route(led("shop"))))
    marks = {**taken["metadata"]["annotations"], ORIGIN: spoiled}
    found = {**taken, "metadata": {**taken["metadata"], "annotations": marks}}
    assert "none of its rules leads" in ROUTER.refused(canary, cases.as_found(found))
    (back,) = ROUTER.restored(canary, cases.as_found(found)).written
    assert back["spec"] == taken["spec"]


def test_a_rule_that_says_nothing_of_our_services_is_nobodys_but_the_users() -> None:
    """Such as one for tests, that leads to the canary alone."""
    canary = cases.canary(SERVICE, canary_weight=30)
    (taken,) = ROUTER.manifests(
        canary, cases.as_found(route(led("shop-canary"), led("shop-primary"), led("shop")))
    )
    assert [len(one["backendRefs"]) for one in taken["spec"]["rules"]] == [1, 1, 2]


def test_a_cookie_joins_what_the_users_backend_changes_in_answers() -> None:
    affinity = {"stepWeight": 10, "sessionAffinity": {"cookieName": "c"}}
    canary = cases.canary(SERVICE, affinity, canary_weight=30, cookie="c=1")
    changed = {"set": [{"name": "a", "value": "b"}]}
    said = {"type": "ResponseHeaderModifier", "responseHeaderModifier": changed}
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": led("other")}}
    found = route(led("shop", filters=[said, mirror]))
    (wanted,) = ROUTER.manifests(canary, cases.as_found(found))
    filters = wanted["spec"]["rules"][-1]["backendRefs"][1]["filters"]
    cookie = {"name": "Set-Cookie", "value": "c=1; Max-Age=86400; Path=/"}
    assert filters == [mirror, {**said, "responseHeaderModifier": {**changed, "add": [cookie]}}]


def test_a_route_without_parents_waits_for_nobody() -> None:
    assert ROUTER.unready(cases.canary(SERVICE), {}) == ""
    assert ROUTER.unready(cases.canary(SERVICE), cases.as_found(route(led("shop")))) == ""


def test_a_mirror_of_a_backend_without_port_names_none() -> None:
    mirrored = cases.canary(SERVICE, {"iterations": 2, "mirror": True}, mirror_weight=100)
    found = route({"name": "shop"})
    (wanted,) = ROUTER.manifests(mirrored, cases.as_found(found))
    (said,) = wanted["spec"]["rules"][0]["filters"]
    backend = {"group": "", "kind": "Service", "name": "shop-canary"}
    assert said["requestMirror"] == {"backendRef": backend}
