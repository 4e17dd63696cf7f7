"""The Service that clients call: where it led before us, and where it leads now."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.apex import (
    ROUTER_SELECTOR,
    leads_home,
    leads_to,
    leads_to_routers,
    listeners_open,
    may_move,
    origin,
    own_ports,
    wanted_route,
)
from delivery.canary import Canary, Status
from delivery.observation import Observation, Routers, Workload
from tests.delivery import scenes, worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged

OWN: Document = {"selector": {"app": "web"}, "targetPorts": {"80": "http"}}
ROUTED: Document = {"selector": dict(ROUTER_SELECTOR), "targetPorts": {"80": 20001}}
TO_PRIMARY: Document = {"selector": {"app": "web-primary"}, "targetPorts": {"80": "http"}}
PRIMARY = Workload({"spec": {"selector": {"matchLabels": {"app": "web-primary"}}}}, "1", 3)
CANARY = Canary(
    "web", "shop", "web", status=Status(apex_moved=1.0, apex="web", ports={"80": 20001})
)
OPEN = Routers(2, frozenset({20001}))
SHUT = Routers(2, frozenset())
GONE = Routers()


def routed(*more: Document) -> Document:
    port = {**worlds.service()["spec"]["ports"][0], "targetPort": 20001}
    selector = {"app": None, **ROUTER_SELECTOR}
    wiring = {"selector": selector, "ports": [port, *more]}
    annotations = {names.ORIGIN: json.dumps(OWN)}
    return merged(worlds.service(), {"metadata": {"annotations": annotations}, "spec": wiring})


def seen(apex: Document | None, routers: Routers, primary: Workload | None = PRIMARY) -> Any:
    return Observation(1.0, apex=apex, routers=routers, primary=primary)


def test_a_service_that_is_not_routed_is_its_own_origin() -> None:
    assert origin(worlds.service()) == OWN == leads_to(worlds.service())


def test_a_routed_service_remembers_where_it_led() -> None:
    assert origin(routed()) == OWN
    assert leads_to(routed()) == ROUTED
    assert leads_to_routers(routed())
    assert not leads_to_routers(worlds.service())


@pytest.mark.parametrize(
    ("said", "home"),
    [({}, True), ({names.ROUTE: "{}"}, False), ({names.ORIGIN: "{}"}, False), ({"x": "y"}, True)],
)
def test_a_service_is_home_when_no_word_of_ours_is_on_it(said: Document, home: bool) -> None:
    found = merged(worlds.service(), {"metadata": {"annotations": said}})
    assert leads_home(found, scenes.seen()) is home


def test_a_service_that_flagger_had_led_to_its_primary_is_not_home_there() -> None:
    primary = merged(worlds.deployment(), {"spec": {"selector": {"matchLabels": {"app": "other"}}}})
    look = replace(
        scenes.seen(),
        target=replace(scenes.half("v1"), manifest=worlds.deployment()),
        primary=replace(scenes.half("v1"), manifest=primary),
    )
    for selector, home in (("other", False), ("web", True)):
        found = merged(worlds.service(), {"spec": {"selector": {"app": selector}}})
        assert leads_home(found, look) is home


def test_a_port_without_a_target_port_targets_itself() -> None:
    bare = merged(worlds.service(), {"spec": {"ports": [{"port": 80}], "selector": None}})
    assert origin(bare) == {"selector": {}, "targetPorts": {"80": 80}}


def test_the_ports_of_a_routed_service_are_those_that_its_user_wrote() -> None:
    assert own_ports(routed()) == worlds.service()["spec"]["ports"]
    assert own_ports(routed({"port": 81}))[1] == {"port": 81, "targetPort": 81}


@pytest.mark.parametrize(
    ("routers", "is_open"),
    [(OPEN, True), (SHUT, False), (GONE, False), (Routers(0, frozenset({20001})), False)],
)
def test_listeners_are_open_when_a_ready_router_has_them_all(
    routers: Routers, is_open: bool
) -> None:
    assert listeners_open(CANARY, seen(worlds.service(), routers), worlds.service()) is is_open


def test_no_listener_is_open_for_an_apex_that_is_not_there() -> None:
    assert not may_move(CANARY, seen(None, OPEN))


def test_a_listener_of_a_port_that_was_removed_is_not_waited_for() -> None:
    more = replace(CANARY, status=replace(CANARY.status, ports={"80": 20001, "81": 20002}))
    assert may_move(more, seen(worlds.service(), OPEN))


def test_a_port_without_a_listener_is_waited_for() -> None:
    none = replace(CANARY, status=replace(CANARY.status, ports={}))
    assert not may_move(none, seen(worlds.service(), OPEN))


@pytest.mark.parametrize(
    ("apex", "routers", "route"),
    [
        (worlds.service(), OPEN, ROUTED),
        (worlds.service(), SHUT, TO_PRIMARY),
        (worlds.service(), GONE, TO_PRIMARY),
        (routed(), OPEN, ROUTED),
        (routed(), SHUT, ROUTED),
        (routed(), GONE, TO_PRIMARY),
    ],
)
def test_the_apex_leads_to_the_routers_and_to_the_primary_while_none_is_ready(
    apex: Document, routers: Routers, route: Document | None
) -> None:
    assert wanted_route(CANARY, seen(apex, routers), apex) == route


def test_the_apex_is_not_touched_before_it_is_to_move() -> None:
    staying = replace(CANARY, status=Status(apex="web", ports={"80": 20001}))
    assert wanted_route(staying, seen(worlds.service(), OPEN), worlds.service()) is None


def test_without_routers_and_primary_the_apex_stays_where_it_is() -> None:
    assert wanted_route(CANARY, seen(routed(), GONE, primary=None), routed()) is None


def test_a_port_that_was_added_keeps_its_target_until_it_has_a_listener() -> None:
    found = routed({"port": 81, "targetPort": "admin"})
    route = wanted_route(CANARY, seen(found, OPEN), found)
    assert route == {**ROUTED, "targetPorts": {"80": 20001, "81": "admin"}}
    back = wanted_route(CANARY, seen(found, GONE), found)
    assert back == {**TO_PRIMARY, "targetPorts": {"80": "http", "81": "admin"}}


def test_a_port_that_was_removed_is_not_wanted_back() -> None:
    more = replace(CANARY, status=replace(CANARY.status, ports={"80": 20001, "81": 20002}))
    assert wanted_route(more, seen(routed(), SHUT), routed()) == ROUTED
