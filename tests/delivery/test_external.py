"""Apps that Istio routes: what is written of them, and what is restored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from delivery import external, intent, names
from delivery.canary import Canary, Status
from delivery.decision import Apply, Disown, Write
from delivery.eligibility import Neighbours
from delivery.observation import Observation, Routes
from delivery.routers.interface import Object
from delivery.routers.marks import made
from delivery.routers.table import ROUTERS
from delivery.service_words import ServiceWords
from tests.delivery import worlds
from tests.delivery.routed import (
    ABSENT,
    TAKEN,
    UNREAD,
    VIRTUAL,
    at,
    marked,
    named,
    objects,
    routed,
    user,
    weights,
    written,
)
from tests.delivery.scenes import IDLE, JUDGED, canary, half, releasing, seen


def test_what_is_missing_is_written_and_what_is_there_is_not() -> None:
    found = routed(JUDGED)
    every = written(found, at(Routes(), releasing()))
    assert [external.key(one.manifest)[1] for one in every if isinstance(one, Apply)] == [
        *("app-primary", "app-canary", "web"),
    ]
    assert weights(every[-1]) == [80, 20]
    assert written(found, at(objects(found), releasing())) == []
    assert written(found, at(objects(found, user()), releasing())) == []


def test_a_split_that_was_changed_by_hand_is_put_right_never_to_none() -> None:
    found, idle_now = routed(JUDGED), routed(IDLE)
    (only,) = written(found, at(objects(idle_now), releasing()))
    assert weights(only) == [80, 20]
    (only,) = written(found, at(objects(idle_now, user()), releasing()))
    assert isinstance(only, Write)
    assert weights(only) == [80, 20]


WORDS = ServiceWords(port=80, port_discovery=True, gateways=("edge",), hosts=("web",))


def leading_to(port: int, *ports: int) -> tuple[Canary, Observation]:
    """At 20 %, its objects at none and on port 80; the Canary names `port`."""
    before, now = routed(IDLE, words=WORDS), routed(JUDGED, words=replace(WORDS, port=port))
    service = worlds.merged(worlds.service(), {"spec": {"ports": [{"port": one} for one in ports]}})
    return now, at(objects(before), releasing(apex=service))


def test_nothing_is_led_at_first_to_a_port_that_the_service_lacks() -> None:
    found, look = leading_to(8080, 80)
    unwritten = at(Routes(), look)
    assert written(found, unwritten) == []
    assert external.dropped(found, unwritten) == ""
    assert "no port 8080; add it there" in external.unshown(found, unwritten)


@pytest.mark.parametrize(
    ("port", "ports", "led"),
    [
        pytest.param(81, (80,), 80, id="mistyped"),
        pytest.param(81, (80, 90), 80, id="mistyped among several"),
        pytest.param(80, (8080,), 8080, id="renumbered"),
        pytest.param(80, (8080, 90), 80, id="renumbered, and which of them nobody knows"),
        pytest.param(80, (), 80, id="a Service without ports"),
        pytest.param(90, (80, 90), 90, id="changed for one that is there"),
    ],
)
def test_a_split_is_written_by_a_port_that_is_there(
    port: int, ports: tuple[int, ...], led: int
) -> None:
    (only,) = written(*leading_to(port, *ports))
    assert weights(only) == [80, 20]
    assert isinstance(only, Apply)
    (rule,) = only.manifest["spec"]["http"]
    assert [one["destination"]["port"] for one in rule["route"]] == [{"number": led}] * 2


def test_a_gateways_route_tells_the_port_that_it_leads_to() -> None:
    words = ServiceWords(port=80, gateway_refs=({"name": "edge", "port": 443},))
    found = canary(JUDGED, provider="gatewayapi:v1", external=True, words=words)
    made_of_it = ROUTERS["gatewayapi:v1"].manifests(found, {})
    assert set(external.ports_to("app-primary", made_of_it)) == {80}


def test_labels_of_ours_that_are_gone_are_written_again() -> None:
    found = routed(JUDGED)
    there = dict(objects(found).objects)
    bare = there[VIRTUAL]["metadata"] | {"labels": {}}
    there[VIRTUAL] = {**there[VIRTUAL], "metadata": bare}
    assert len(written(found, at(Routes(there), releasing()))) == 1


EARLY = replace(JUDGED, apex_moved=None)


@pytest.mark.parametrize(
    ("found", "look"),
    [
        pytest.param(canary(JUDGED), at(Routes(), releasing()), id="another router"),
        pytest.param(
            routed(replace(JUDGED, apex_moved=None)), at(Routes(), releasing()), id="early"
        ),
        pytest.param(routed(JUDGED), at(Routes(), releasing(), services={}), id="no mark yet"),
        pytest.param(routed(JUDGED), at(Routes(missing=UNREAD), releasing()), id="nothing read"),
        pytest.param(routed(JUDGED), at(Routes({VIRTUAL: user("x")}), releasing()), id="refused"),
    ],
)
def test_nothing_is_written(found: Canary, look: Observation) -> None:
    assert written(found, look) == []


def test_a_canary_without_a_ready_pod_gets_no_share_whatever_is_intended() -> None:
    found = routed(replace(JUDGED, mirror_weight=50))
    look = at(Routes(), releasing(target=half("v2", 2, ready_pods=0)))
    assert weights(written(found, look)[-1]) == [100, 0]
    assert external.unshown(found, look) == "DestinationRule app-primary is being written"
    shown = at(objects(routed(replace(JUDGED, canary_weight=0))), look)
    assert external.unshown(found, shown) == ""
    assert written(found, replace(shown, target=None)) == []


def role_services(found: Canary, look: Observation) -> list[Object]:
    every = intent.service_effects(found, look, worlds.service())
    return [one.manifest for one in every if isinstance(one, Apply)]


def with_ports(services: Mapping[str, Object], look: Observation) -> Observation:
    """As the effects would have them, but for the mark."""
    wanted = {one["metadata"]["name"]: one for one in role_services(canary(IDLE), look)}
    found = {name: worlds.merged(services.get(name, {}), one) for name, one in wanted.items()}
    return replace(look, services=found)


def test_the_primarys_service_names_the_router_before_its_objects_are_written() -> None:
    look = with_ports(marked(""), seen())
    (only,) = role_services(routed(IDLE), look)
    assert only["metadata"]["annotations"] == {"outrider.dev/router": "istio"}
    assert role_services(routed(IDLE), with_ports(marked(), seen())) == []


def test_the_mark_of_another_router_stays_until_its_objects_are_gone() -> None:
    look = with_ports(marked(), seen())
    left = replace(look, routes=objects(routed(IDLE)))
    assert role_services(canary(IDLE), left) == []
    assert role_services(canary(IDLE), replace(look, routes=Routes(missing=UNREAD))) == []
    for routes in (Routes(), ABSENT):
        (only,) = role_services(canary(IDLE), replace(look, routes=routes))
        assert "annotations" not in only["metadata"]


def test_an_apex_dresses_what_we_make() -> None:
    words = ServiceWords(labels={"a": "b"}, annotations={"c": "d"})
    found = made(routed(IDLE, words=words), "v1", "VirtualService", "web", {})
    assert found["metadata"]["labels"] == {
        "a": "b",
        names.APP: "app",
        names.MANAGED_BY: "outrider",
    }
    assert found["metadata"]["annotations"] == {"c": "d"}


def test_an_app_is_refused_for_what_its_router_says() -> None:
    service = worlds.service()
    fresh = routed(Status())
    assert external.refusals(fresh, service, Routes()) == ()
    assert external.refusals(fresh, service, ABSENT) == ("install its CRDs",)
    (only,) = external.refusals(fresh, service, Routes({VIRTUAL: user("else")}))
    assert only.startswith("VirtualService web.shop has no rule that leads to web: add one")
    assert external.refusals(fresh, None, ABSENT) == ()
    assert external.refusals(canary(Status()), service, ABSENT) == ()


@pytest.mark.parametrize(("protocol", "opaque"), [("TCP", True), ("tcp", True), ("http", False)])
def test_only_with_an_external_router_any_tcp_will_do(protocol: str, opaque: bool) -> None:
    around = Neighbours((), (), ())
    words = ServiceWords(app_protocol=protocol)
    found = external.neighbours(routed(IDLE, words=words), around)
    assert (found.external, found.opaque) == (True, opaque)
    assert external.neighbours(canary(IDLE, words=words), around) == around


# Leaving, and what a Canary leaves that was deleted.


def test_leaving_restores_what_was_taken_over_and_deletes_what_was_made() -> None:
    found = routed(IDLE)
    look = at(objects(found, user()), seen())
    assert named(list(external.leaving(found, look))) == TAKEN
    assert not external.is_restored(found, look)
    assert external.is_restored(found, at(Routes({VIRTUAL: user()}), seen()))


def test_what_cannot_be_read_is_not_known_to_be_restored() -> None:
    found = routed(IDLE)
    unread = at(Routes(missing=UNREAD), seen())
    assert not external.is_restored(found, unread)
    assert list(external.leaving(found, unread)) == []
    assert external.is_restored(found, at(ABSENT, seen()))
    assert external.is_restored(canary(IDLE), unread)


def raw(provider: str, phase: str = "Progressing", **metadata: Any) -> Object:
    reference = {"kind": "Deployment", "name": "app"}
    return {
        "metadata": metadata,
        "spec": {"provider": provider, "targetRef": reference},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    ("canaries", "manifests", "kept"),
    [
        pytest.param([routed(JUDGED)], [raw("istio")], True, id="decides"),
        pytest.param([], [raw("istio")], True, id="cannot be read"),
        pytest.param([], [], False, id="deleted"),
        pytest.param([], [raw("istio", deletionTimestamp="now")], False, id="going"),
        pytest.param([canary(JUDGED)], [raw("envoy")], False, id="another provider"),
        pytest.param([canary(JUDGED)], [raw("istio"), raw("envoy")], False, id="another decides"),
        pytest.param([routed(Status())], [raw("istio", "")], False, id="a new one"),
        pytest.param([], [raw("istio", "Terminated")], False, id="left"),
    ],
)
def test_objects_that_nobody_answers_for_are_restored(
    canaries: list[Canary], manifests: list[Object], kept: bool
) -> None:
    routes = objects(routed(JUDGED), user())
    claims = external.claims(canaries, manifests)
    assert named(list(external.leftovers(claims, routes, "shop"))) == ([] if kept else TAKEN)


def test_what_was_given_back_before_a_crash_is_disowned() -> None:
    ours = [{"manager": names.AGENT_MANAGER, "operation": "Update", "fieldsV1": {}}]
    routes = Routes({VIRTUAL: user(managedFields=ours), ("VirtualService", "x"): user()})
    (only,) = external.leftovers({}, routes, "shop")
    assert only == Disown("VirtualService", "web", ({},), "4")


def test_only_kinds_of_routers_that_are_named_or_left_are_read() -> None:
    assert external.providers([raw("envoy"), {"metadata": {}}], marked("").values()) == set()
    assert external.providers([raw("istio")], []) == {"istio"}
    assert external.providers([], marked().values()) == {"istio"}
    users = {"metadata": {"annotations": {names.ROUTED_BY: "istio"}}}
    assert external.providers([], [users]) == set()
