"""Istio's objects: golden cases, and what must hold of any VirtualService that a user may write."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.canary import Canary
from delivery.matching import Comparison, Match, Way
from delivery.routers.interface import Found, Object
from delivery.routers.istio_rules import said
from delivery.routers.table import ROUTERS
from tests.delivery import goldens

ISTIO = ROUTERS["istio"]
CASES = goldens.names("istio")
ROUTED = [name for name in CASES if "refused" not in goldens.case("istio", name)]
REFUSED = sorted({*CASES} - {*ROUTED})
Rule = dict[str, Any]


@pytest.mark.parametrize("name", ROUTED)
def test_the_objects_are_as_the_golden_case_says(name: str) -> None:
    case = goldens.case("istio", name)
    canary, found = goldens.canary("istio", case), goldens.known(case["found"])
    assert ISTIO.refused(canary, found) == ""
    assert list(ISTIO.manifests(canary, found)) == case["expected"]
    assert ISTIO.unready(canary, found) == ""


@pytest.mark.parametrize("name", ROUTED)
def test_what_was_written_is_not_written_again(name: str) -> None:
    case = goldens.case("istio", name)
    canary, found = goldens.canary("istio", case), goldens.known(case["found"])
    after = goldens.stored(ISTIO.manifests(canary, found), found)
    assert ISTIO.refused(canary, after) == ""
    assert goldens.stored(ISTIO.manifests(canary, after), after) == after


@pytest.mark.parametrize("name", ROUTED)
def test_what_was_there_comes_back_and_what_we_made_goes(name: str) -> None:
    case = goldens.case("istio", name)
    canary, found = goldens.canary("istio", case), goldens.known(case["found"])
    after = goldens.stored(ISTIO.manifests(canary, found), found)
    back = ISTIO.restored(nameless(canary), after)
    assert list(back.written) == case["restored"]["written"]
    assert [list(one) for one in back.deleted] == case["restored"]["deleted"]


def nameless(canary: Canary) -> Canary:
    """All that is known of an app whose Canary is gone."""
    return Canary(canary.target, canary.namespace, canary.target)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_divided_is_refused_by_name_and_with_the_fix(name: str) -> None:
    case = goldens.case("istio", name)
    canary, found = goldens.canary("istio", case), goldens.known(case["found"])
    assert ISTIO.refused(canary, found) == case["refused"]


HOSTS = ("shop", "shop.web", "shop.web.svc", "shop.web.svc.cluster.local")
OTHERS = ("assets", "shop.other", "shop2", "shop-primary.other", "till.web.svc.cluster.local")


def target(host: str) -> Rule:
    return {"destination": {"host": host}}


def weighed(hosts: Sequence[str], shares: Sequence[int]) -> list[Rule]:
    if len(hosts) == 1:
        return [target(hosts[0])]
    parts = [share * 100 // sum(shares) for share in shares[: len(hosts)]]
    parts[0] += 100 - sum(parts)
    return [{**target(host), "weight": part} for host, part in zip(hosts, parts, strict=False)]


def rule(draw: st.DrawFn, hosts: Sequence[str]) -> Rule:
    count = draw(st.integers(1, 3))
    named = draw(st.lists(st.sampled_from(hosts), min_size=count, max_size=count))
    shares = draw(st.lists(st.integers(1, 9), min_size=count, max_size=count))
    found: Rule = {"route": weighed(named, shares)}
    if draw(st.booleans()):
        found["match"] = [{"uri": {"prefix": draw(st.sampled_from(("/", "/a", "/b")))}}]
    if draw(st.booleans()):
        found["mirror"] = {"host": "audit"}
    return found


@st.composite
def written(draw: st.DrawFn) -> Object:
    """A VirtualService of a user's, some rule of which leads to the app."""
    rules = [rule(draw, HOSTS + OTHERS) for _ in range(draw(st.integers(0, 4)))]
    rules.insert(draw(st.integers(0, len(rules))), rule(draw, HOSTS))
    rules.insert(draw(st.integers(0, len(rules))), {"redirect": {"uri": "/new"}})
    spec: dict[str, Any] = {"hosts": ["shop.example.com"], "http": rules}
    if draw(st.booleans()):
        spec["tcp"] = [{"route": [target(draw(st.sampled_from(HOSTS + OTHERS)))]}]
    metadata: dict[str, Any] = {"name": "shop", "namespace": "web", "resourceVersion": "1"}
    if draw(st.booleans()):
        metadata["annotations"] = {"team": "shop"}
    return {"kind": "VirtualService", "metadata": metadata, "spec": spec}


@st.composite
def splits(draw: st.DrawFn) -> Canary:
    """Any split of any strategy."""
    analysis = {
        "iterations": 3,
        "match": [{"headers": {"x-beta": {"exact": "1"}}}, {"queryParams": {"b": {}}}],
        "sessionAffinity": {"cookieName": "met", "primaryCookieName": "stay"},
    }
    status: dict[str, Any] = {"canaryWeight": draw(st.integers(0, 100))}
    status["matched"] = draw(st.booleans())
    status["mirrorWeight"] = draw(st.sampled_from((0, 1, 50, 100)))
    if draw(st.booleans()):
        status |= {"sessionAffinityCookie": "met=a", "primarySessionAffinityCookie": "stay=b"}
    if draw(st.booleans()):
        status["previousSessionAffinityCookie"] = "met=z"
    service = {"port": 80, "match": [{"uri": {"prefix": "/"}}]} if draw(st.booleans()) else None
    return goldens.canary(
        "istio", {"service": service or {"port": 80}, "analysis": analysis, "status": status}
    )


def rules_of(objects: Sequence[Object]) -> Iterator[Rule]:
    for one in objects:
        if one["kind"] == "VirtualService":
            yield from (*one["spec"].get("http", ()), *one["spec"].get("tcp", ()))


@given(splits(), st.none() | written())
def test_weights_make_a_hundred_whatever_is_found(canary: Canary, user: Object | None) -> None:
    found = goldens.known([user] if user else [])
    for one in rules_of(ISTIO.manifests(canary, found)):
        weights = [each.get("weight") for each in one.get("route", ())]
        assert weights in ([], [None]) or sum(filter(None, weights)) == 100


@given(splits(), splits(), written())
def test_one_split_after_another_leaves_the_same_as_the_last_alone(
    canary: Canary, later: Canary, user: Object
) -> None:
    found = goldens.known([user])
    first = goldens.stored(ISTIO.manifests(canary, found), found)
    assert goldens.stored(ISTIO.manifests(canary, first), first) == first
    second = goldens.stored(ISTIO.manifests(later, first), first)
    assert second == goldens.stored(ISTIO.manifests(later, found), found)


@given(splits(), written())
def test_restored_is_whatever_the_user_wrote(canary: Canary, user: Object) -> None:
    found = goldens.known([user])
    after = goldens.stored(ISTIO.manifests(canary, found), found)
    back = ISTIO.restored(nameless(canary), after)
    assert back.written == (user,)
    rules = [("DestinationRule", f"shop-{half}") for half in ("canary", "primary")]
    assert list(back.deleted) == rules


def routed(user: Object) -> tuple[Canary, Object]:
    """A user's object as it is while a tenth of the requests is the canary's."""
    case = {"service": {"port": 80}, "analysis": {"stepWeight": 10}, "status": {"canaryWeight": 10}}
    canary = goldens.canary("istio", case)
    return canary, ISTIO.manifests(canary, goldens.known([user]))[-1]


def user(*rules: Rule) -> Object:
    metadata = {"name": "shop", "namespace": "web", "resourceVersion": "1"}
    spec = {"hosts": ["shop"], "http": list(rules)}
    return {"kind": "VirtualService", "metadata": metadata, "spec": spec}


def with_rules(found: Object, *rules: Rule) -> Object:
    return {**found, "spec": {**found["spec"], "http": list(rules)}}


API: Rule = {"match": [{"uri": {"prefix": "/api"}}], "timeout": "5s", "route": [target("shop")]}
OLD: Rule = {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}}
ALL: Rule = {"route": [target("shop")]}


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        pytest.param(lambda ours: [ours[0], {**OLD, "name": "x"}, ours[2]],
                     [API, {**OLD, "name": "x"}, ALL], id="another rule is changed"),
        pytest.param(lambda ours: [OLD, *ours], [OLD, API, OLD, ALL], id="one is added"),
        pytest.param(lambda ours: [ours[0], ours[2]], [API, ALL], id="one is removed"),
        pytest.param(lambda ours: [ours[0], OLD, OLD], [API, ALL, OLD, OLD], id="one of ours is"),
        pytest.param(lambda ours: [API], [API], id="the user's own are applied again"),
        pytest.param(lambda ours: [*ours, {**ALL, "name": "y"}],
                     [API, OLD, ALL, {**ALL, "name": "y"}], id="one of the user's is added"),
        pytest.param(lambda ours: [{**ours[0], "fault": {}}, *ours[1:]],
                     [API, OLD, ALL], id="ours are changed by hand"),
        pytest.param(lambda ours: [ours[0], OLD, ours[2], OLD, ours[2]],
                     [API, OLD, ALL, OLD], id="ours are doubled by hand"),
    ],
)  # fmt: skip
def test_what_the_user_changes_meanwhile_is_the_users(edited: Any, expected: list[Rule]) -> None:
    canary, found = routed(user(API, OLD, ALL))
    changed = with_rules(found, *edited(found["spec"]["http"]))
    key = ("VirtualService", "shop")
    after = ISTIO.manifests(canary, {key: changed})[-1]
    (back,) = ISTIO.restored(nameless(canary), {key: after}).written
    assert back["spec"]["http"] == expected
    assert back == {**user(API, OLD, ALL), "spec": {**found["spec"], "http": expected}}


def test_a_user_who_writes_over_what_we_made_gets_it_back() -> None:
    canary, _ = routed(user(ALL))
    made = ISTIO.manifests(canary, {})[-1]
    written_over = with_rules(goldens.stored((made,), {})[("VirtualService", "shop")], ALL)
    after = ISTIO.manifests(canary, goldens.known([written_over]))[-1]
    assert after["metadata"]["labels"] == {}
    assert after["metadata"]["annotations"][names.APP] == "shop"
    (back,) = ISTIO.restored(nameless(canary), goldens.known([after])).written
    assert back["spec"]["http"] == [ALL]


@pytest.mark.parametrize("mark", ["{", "[]", '"x"'])
def test_marks_that_cannot_be_read_do_not_lose_the_rules(mark: str) -> None:
    canary, found = routed(user(API))
    annotations = {names.ORIGIN: mark, names.APP: "shop"}
    broken = {**found, "metadata": {**found["metadata"], "annotations": annotations}}
    found_so: Found = goldens.known([broken])
    assert ISTIO.refused(canary, found_so) == ""
    (back,) = ISTIO.restored(nameless(canary), found_so).written
    assert back["spec"]["http"] == [API]
    flaggers = {"flagger.kubernetes.io/original-configuration": mark}
    unread = {**found, "metadata": {**found["metadata"], "annotations": flaggers}}
    assert ISTIO.manifests(canary, goldens.known([unread]))[-1]["spec"] == found["spec"]


def test_a_hand_edited_object_of_ours_is_made_anew() -> None:
    canary, _ = routed(user(ALL))
    made = goldens.stored(ISTIO.manifests(canary, {}), {})
    edited = with_rules(made[("VirtualService", "shop")], OLD)
    found = {**made, ("VirtualService", "shop"): edited}
    assert ISTIO.refused(canary, found) == ""
    assert goldens.stored(ISTIO.manifests(canary, found), found) == made


def test_a_header_may_be_asked_for_by_its_name_alone() -> None:
    asked = Match(headers=(Comparison("X-Beta", Way.PRESENT),))
    assert said(asked) == {"headers": {"x-beta": {}}}


def test_names_are_those_of_the_service_that_is_called() -> None:
    canary, _ = routed(user(ALL))
    status = replace(canary.status, apex="front")
    other = replace(canary, service="front", status=status)
    found = [one["metadata"]["name"] for one in ISTIO.manifests(other, {})]
    assert found == ["front-primary", "front-canary", "front"]
