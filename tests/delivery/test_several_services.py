"""Several Services of one app: all are routed, all find home, one may come or go at any time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.apex import ROUTER_SELECTOR, is_unmarked, key, leads_to_routers, owner, present
from delivery.canary import Canary, Phase, Status
from delivery.decision import Apply
from delivery.intent import effects
from delivery.observation import Routers
from delivery.pair import Objects
from delivery.routers.envoy import Endpoint
from delivery.serving import (
    applications,
    clusters,
    more_services,
    service_names,
    still_routed,
    unroutable,
    untried,
)
from delivery.step import step
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.scenes import canary, seen
from tests.delivery.turns import Agent, look
from tests.delivery.worlds import merged, populated

OTHER = {"name": "http", "port": 80, "targetPort": 9090}
OURS = {"metadata": {"labels": {names.MANAGED_BY: names.OUTRIDER}}}
PORTS = {"80": 20001, "api/80": 20002}


def service(name: str = "api", **spec: Any) -> Document:
    return merged(worlds.service(), {"metadata": {"name": name}, "spec": spec})


def agent(*more: Document, seconds: int = 15) -> Agent:
    world = populated()
    for one in more:
        world.put(one)
    world.lost = 0
    return Agent(world).run(seconds)


def led(found: Agent) -> dict[str, bool]:
    """Which of the user's Services lead to the routers."""
    every = found.world.services.values()
    return {
        one["metadata"]["name"]: leads_to_routers(one)
        for one in every
        if names.ROLE not in one["metadata"].get("labels", {})
    }


def test_all_services_of_an_app_are_routed_and_nobody_is_lost() -> None:
    found = agent(service(), service("web-admin"))
    assert found.canary.status.phase is Phase.INITIALIZED
    assert led(found) == {"web": True, "api": True, "web-admin": True}
    assert set(found.canary.status.ports) == {"80", "api/80", "web-admin/80"}
    assert len({*found.canary.status.ports.values()}) == 3
    assert found.world.lost == 0


def test_a_release_counts_what_comes_by_each_of_them() -> None:
    found = agent(service())
    found.world.apply("bad:2")
    assert found.run(60).canary.status.phase is Phase.FAILED
    counted = {"web/80/canary", "web/api/80/canary", "web/80/mirror", "web/api/80/mirror"}
    assert set(clusters(found.canary, "canary")) == counted


def test_all_of_them_find_home_when_the_app_leaves() -> None:
    found = agent(service())
    found.world.enrolled = False
    found.run(90)
    assert led(found) == {"web": False, "api": False}
    assert all(map(is_unmarked, found.world.services.values()))
    assert set(found.world.services) == {"web", "api"}
    assert found.world.lost == 0


def test_a_service_that_comes_later_is_taken_in_and_one_that_is_deleted_is_dropped() -> None:
    found = agent()
    found.world.put(service())
    assert led(found.run(3)) == {"web": True, "api": True}
    del found.world.services["api"]
    assert set(found.run(2).canary.status.ports) == {"80"}
    assert found.world.lost == 0


def test_what_can_no_longer_be_routed_goes_home_and_then_its_listener() -> None:
    found = agent(service())
    unknown = [{"name": "tcp", "port": 80, "targetPort": 20002}]
    found.world.put(merged(found.world.services["api"], {"spec": {"ports": unknown}}))
    found.run(4)
    assert led(found) == {"web": True, "api": False}
    assert is_unmarked(found.world.services["api"])
    assert set(found.canary.status.ports) == {"80"}
    assert found.world.lost == 0


def test_the_others_go_on_when_the_first_one_is_deleted() -> None:
    found = agent(service())
    del found.world.services["web"]
    found.run(5)
    assert led(found) == {"api": True}
    assert found.world.lost == 0


def test_nothing_moves_before_the_listeners_of_all_are_open() -> None:
    found = agent(service(), seconds=0)
    half = Routers(2, frozenset({20001}))
    status = Status(Phase.INITIALIZING, promoted="v1", ports=PORTS, apex="web")
    before = replace(look(found.canary, found.world), routers=half, primary=seen().primary)
    assert step(replace(found.canary, status=status), before).canary.status.apex_moved is None
    both = replace(before, routers=Routers(2, frozenset(PORTS.values())))
    assert step(replace(found.canary, status=status), both).canary.status.apex_moved


def test_the_primarys_service_has_every_target_once_under_a_name() -> None:
    same, bare = service("same"), service("other", ports=[OTHER])
    found = agent(same, bare)
    ports = found.world.services["web-primary"]["spec"]["ports"]
    listener = found.canary.status.ports["other/80"]
    assert [(one["name"], one["port"], one["targetPort"]) for one in ports] == [
        ("http", 80, "http"),
        (f"outrider-{listener}", listener, 9090),
    ]


def test_ports_without_a_name_get_one_where_they_must_have_it() -> None:
    found = agent(service("other", ports=[OTHER]))
    bare = merged(worlds.service(), {"spec": {"ports": [{"port": 80, "targetPort": "http"}]}})
    due = effects(found.canary, replace(look(found.canary, found.world), apex=bare))
    [role, *_] = [one.manifest for one in due if isinstance(one, Apply)]
    assert [port["name"] for port in role["spec"]["ports"]][0] == "port-80"


def test_a_number_that_the_first_service_has_itself_is_not_taken_twice() -> None:
    more = [{"name": "http", "port": 20002, "targetPort": "http"}]
    first, other = service("web", ports=more), service(ports=[OTHER])
    status = Status(Phase.INITIALIZED, ports={"20002": 20001, "api/80": 20002}, apex="web")
    look = seen(apex=first, beside=(other,), revisions={}, primary=None)
    due = effects(canary(status), look)
    assert all(len(one.manifest["spec"]["ports"]) == 1 for one in due if isinstance(one, Apply))


SECOND = Canary("web", "shop", "web", status=Status(Phase.INITIALIZED, ports=PORTS, apex="web"))


@pytest.mark.parametrize(
    ("known_as", "name"), [("80", "web"), ("api/80", "api"), ("web-admin/8080", "web-admin")]
)
def test_a_listener_is_known_by_its_service_unless_that_is_the_first(
    known_as: str, name: str
) -> None:
    assert owner("web", known_as) == name
    assert key("web", service(name), known_as.rpartition("/")[2]) == known_as


def test_services_that_lead_to_the_routers_already_say_where() -> None:
    ports = [{"port": 80, "targetPort": 20009}, {"port": 81, "targetPort": "http"}]
    routed = service(selector={"app": None, **ROUTER_SELECTOR}, ports=ports)
    assert present("web", [service("web"), routed]) == {"api/80": 20009}


def namespace(*services: Document) -> Objects:
    return Objects(deployments=[worlds.deployment()], services=list(services))


def test_the_routers_know_a_further_service_by_its_name() -> None:
    found = list(applications(SECOND, namespace(service("web"), service())))
    assert [(one.service, one.listener) for one in found] == [("", 20001), ("api", 20002)]
    assert service_names(SECOND) == ["web", "api"]


def test_what_is_gone_is_not_served() -> None:
    assert [one.service for one in applications(SECOND, namespace(service()))] == ["api"]


def test_a_client_that_its_service_holds_to_a_pod_is_held_by_the_router() -> None:
    found = namespace(service("web"), service(sessionAffinity="ClientIP"))
    assert [one.sticky for one in applications(SECOND, found)] == [False, True]


def test_a_target_of_a_further_service_has_a_way_by_the_primarys_service() -> None:
    ports = [{"port": 80, "targetPort": "http"}, {"port": 20002, "targetPort": 9090}]
    own = merged(service("web-primary", ports=ports, clusterIP="10.0.0.9"), OURS)
    other = service(ports=[OTHER])
    found = applications(SECOND, namespace(service("web"), other, own))
    assert [one.fallback for one in found] == [
        Endpoint("10.0.0.9", 80),
        Endpoint("10.0.0.9", 20002),
    ]


TO_ROUTERS = {"app": None, **ROUTER_SELECTOR}


@pytest.mark.parametrize(
    ("services", "routed", "ports"),
    [
        ([service("web"), service()], False, {20001, 20002}),
        ([service("web", selector=TO_ROUTERS), service()], True, {20002}),
        ([service("web"), service(selector=TO_ROUTERS)], True, {20001}),
        ([], False, set()),
    ],
)
def test_ports_are_tried_until_their_service_leads_there(
    services: list[Document], routed: bool, ports: set[int]
) -> None:
    moved = replace(SECOND, status=replace(SECOND.status, apex_moved=1.0))
    assert still_routed(moved, services) is routed
    assert untried(moved, services) == ports


Change = Callable[[Document], Document]


def marked(found: Document) -> Document:
    return merged(found, {"metadata": {"annotations": {names.ROUTE: "{}"}}})


@pytest.mark.parametrize(
    ("other", "beside", "strays"),
    [
        (service(), ["api"], []),
        (service(clusterIP="None"), [], []),
        (marked(service(clusterIP="None")), [], ["api"]),
        (marked(service(selector={"app": "other"})), [], ["api"]),
        (marked(service("unknown", selector={"app": "other"})), [], []),
        (service("web-canary"), [], []),
        (
            merged(service("web-x"), OURS),
            [],
            [],
        ),
    ],
)
def test_a_service_is_routed_beside_the_first_or_has_to_go_home(
    other: Document, beside: list[str], strays: list[str]
) -> None:
    first = service("web")
    found = more_services(SECOND, worlds.deployment(), first, namespace(first, other))
    assert [[one["metadata"]["name"] for one in some] for some in found] == [beside, strays]


def test_without_a_port_for_all_of_its_services_an_app_is_left_alone() -> None:
    taken = frozenset(names.LISTENERS) - {20001}
    look = seen(scale=3, primary=None, serving="v1", beside=(service(),), ports_taken=taken)
    decision = step(canary(Status()), look)
    assert decision.canary.status.phase is Phase.NEW
    [message] = decision.messages
    assert message.text.startswith("app is left alone: the routers have no listener port left")


@pytest.mark.parametrize(
    ("phase", "reasons"),
    [
        (
            Phase.INITIALIZED,
            {"raw": ("Service raw is headless: make it anew without clusterIP: None",)},
        ),
        (Phase.TERMINATING, {}),
        (Phase.NEW, {}),
    ],
)
def test_what_an_adopted_app_got_later_and_cannot_be_routed_is_known(
    phase: Phase, reasons: dict[str, tuple[str, ...]]
) -> None:
    found = namespace(service("web"), service(), service("raw", clusterIP="None"))
    kept = replace(SECOND, status=replace(SECOND.status, phase=phase))
    assert unroutable(kept, found) == reasons
    assert unroutable(kept, replace(found, deployments=[])) == {}


def test_a_listener_keeps_its_name_whichever_service_comes_first() -> None:
    swapped = Status(Phase.INITIALIZED, ports={"80": 20002, "web/80": 20001}, apex="api")
    other = replace(SECOND, status=swapped)
    services = namespace(service("web"), service())
    assert set(clusters(SECOND, "canary")) == set(clusters(other, "canary"))
    before, after = (set(applications(one, services)) for one in (SECOND, other))
    assert before == after
