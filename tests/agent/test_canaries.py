"""Canaries as an agent reads them: the newest, the valid, and those that routers must know of."""

from collections.abc import Callable
from typing import Any

import pytest

from agent.canaries import Canaries
from cluster.api import Api, Object, TimedClient
from cluster.watch import Cache, Watched
from delivery import schema
from delivery.alert import Route
from delivery.apex import ROUTER_SELECTOR
from delivery.canary import Canary
from delivery.pair import Objects
from delivery.references import Named

WRONG = {"interval": "soon"}
Said = list[tuple[str, str]]


def manifest(name: str = "shop", version: int = 1, **spec: Any) -> Object:
    """A Canary that the agent made, as the API would show it."""
    made = dict(schema.generated(name, "web", uid="u"))
    metadata = {**made["metadata"], "resourceVersion": str(version), "uid": f"uid-{name}"}
    return {**made, "metadata": metadata, "spec": {**made["spec"], **spec}}


def routed(version: int = 2, **status: Any) -> Object:
    """One whose apex has been moved."""
    moved = {"apexService": "shop", "apexMovedTime": "2026-01-01T00:00:00Z"}
    return {**manifest(version=version), "status": {"phase": "Initialized", **moved, **status}}


class Namespace:
    """The caches of a namespace, filled by hand, and what was said of its Canaries."""

    def __init__(self, *canaries: Object, config: dict[str, str] | None = None) -> None:
        api = Api(TimedClient())
        kinds = ("Canary", "ConfigMap", "MetricTemplate")
        self.cache = Cache([Watched(api, kind, "web") for kind in kinds])
        self.said: Said = []
        self.canaries = Canaries(
            self.cache,
            lambda raw, text: self.said.append((raw["metadata"]["name"], text)),
            self.find,
        )
        self.show(*canaries)
        if config is not None:
            self.fill("ConfigMap", {"metadata": {"name": "outrider-defaults"}, "data": config})

    def told(self) -> list[str]:
        return [route.name for one in self.current() for route in one.analysis.alerts]

    def find(self, named: Named) -> Object | None:
        every = self.cache.items(named.kind)
        return next((one for one in every if one["metadata"]["name"] == named.name), None)

    def show(self, *canaries: Object) -> None:
        self.fill("Canary", *canaries)

    def fill(self, kind: str, *items: Object) -> None:
        self.cache.by_kind[kind].informer.cache._replace_all(list(items))

    def current(self, found: Objects | None = None) -> list[Canary]:
        return [canary for _, canary in self.canaries.current(found or Objects())]

    def served(self, found: Objects) -> list[str]:
        return [one.target for one in self.canaries.to_serve(self.current(found), found)]


def leading(selector: dict[str, str]) -> Objects:
    """A namespace whose Service leads there."""
    port = {"port": 80, "targetPort": 20000}
    service = {"metadata": {"name": "shop"}, "spec": {"selector": selector, "ports": [port]}}
    return Objects(services=[service])


TO_ROUTERS, TO_PODS = leading(dict(ROUTER_SELECTOR)), leading({"app": "shop"})


def test_canaries_come_in_the_order_of_their_names() -> None:
    place = Namespace(manifest("b"), manifest("c"), manifest("a"))
    assert [one.name for one in place.current()] == ["a", "b", "c"]


def test_what_we_wrote_is_newer_than_a_cache_that_lags() -> None:
    place = Namespace(manifest(version=9))
    place.canaries.wrote(routed(version=10, canaryWeight=20))
    assert place.current()[0].status.canary_weight == 20
    place.show(routed(version=11, canaryWeight=30))
    assert place.current()[0].status.canary_weight == 30


def test_what_we_wrote_does_not_outlive_the_canary() -> None:
    place = Namespace(manifest())
    place.canaries.wrote(routed(version=2))
    place.show()
    assert place.current() == []
    place.show(manifest(version=1))
    assert place.current()[0].status.apex_moved is None


def test_one_that_is_being_deleted_is_left_alone() -> None:
    raw = manifest()
    raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert Namespace(raw).current() == []


def test_one_that_cannot_be_read_keeps_no_other_from_its_turn_and_is_told_once() -> None:
    place = Namespace(manifest("bad", analysis=WRONG), manifest())
    for _ in range(3):
        assert [one.name for one in place.current()] == ["shop"]
    assert [name for name, _ in place.said] == ["bad"]
    assert "interval" in place.said[0][1]


def test_a_problem_that_comes_back_is_told_again() -> None:
    bad = manifest(version=2, analysis=WRONG)
    place = Namespace(bad)
    for raw in (bad, manifest(version=3), {**bad, "metadata": {**bad["metadata"]}}):
        place.show(raw)
        place.current()
    assert len(place.said) == 2


def test_a_generated_one_takes_the_namespaces_defaults_then_its_deployments() -> None:
    place = Namespace(manifest(), config={"interval": "7s", "threshold": "4"})
    marks = {"outrider.dev/threshold": "6"}
    found = Objects(deployments=[{"metadata": {"name": "shop", "annotations": marks}}])
    (canary,) = place.current(found)
    assert (canary.analysis.interval, canary.analysis.threshold) == (7.0, 6)


def test_a_default_that_cannot_be_read_is_told_and_the_canary_stays() -> None:
    place = Namespace(manifest(), config={"interval": "soon"})
    assert [one.name for one in place.current()] == ["shop"]
    assert "interval" in place.said[0][1]


def test_routers_know_those_under_way_and_those_that_are_new() -> None:
    place = Namespace(routed(), manifest("cart"))
    assert place.served(TO_ROUTERS) == ["shop", "cart"]


@pytest.mark.parametrize(
    ("found", "served"), [(TO_ROUTERS, ["shop"]), (TO_PODS, []), (Objects(), [])]
)
def test_one_that_is_gone_is_served_while_its_apex_leads_to_the_routers(
    found: Objects, served: list[str]
) -> None:
    place = Namespace(routed())
    assert place.served(TO_ROUTERS) == ["shop"]
    place.show()
    assert place.served(found) == served
    assert place.served(found) == served


def spoilt(raw: Object) -> Object:
    return {**raw, "spec": {**raw["spec"], "analysis": WRONG}}


def leaving(raw: Object) -> Object:
    return {**raw, "metadata": {**raw["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


both = pytest.mark.parametrize("change", [spoilt, leaving])


@both
def test_one_that_is_spoilt_or_leaves_in_mid_release_keeps_its_users(
    change: Callable[[Object], Object],
) -> None:
    place = Namespace(routed(canaryWeight=20))
    assert place.served(TO_ROUTERS) == ["shop"]
    place.show(change(routed(version=3, canaryWeight=40)))
    assert place.served(TO_ROUTERS) == ["shop"]
    assert place.canaries.served["shop"].status.canary_weight == 20


@both
def test_an_agent_that_starts_then_keeps_its_users_too(change: Callable[[Object], Object]) -> None:
    place = Namespace(change(routed(canaryWeight=20)))
    assert place.current() == []
    assert place.served(TO_ROUTERS) == ["shop"]
    assert place.canaries.served["shop"].status.canary_weight == 20
    assert place.served(TO_PODS) == []


@pytest.mark.parametrize(
    ("service", "timeout"),
    [({"port": 80, "timeout": "5s"}, "5s"), ({"port": 80, "timeout": "soon"}, "")],
)
def test_so_does_one_that_a_user_wrote_with_its_route_as_far_as_that_can_be_read(
    service: Object, timeout: str
) -> None:
    raw = routed(canaryWeight=20)
    metadata = {**raw["metadata"], "annotations": {}}
    spec = {**raw["spec"], "analysis": WRONG, "service": service}
    place = Namespace({**raw, "metadata": metadata, "spec": spec})
    assert place.served(TO_ROUTERS) == ["shop"]
    assert place.canaries.served["shop"].words.timeout == timeout


def younger(name: str, **spec: Any) -> Object:
    """Another Canary of the shop, written by a user a day later."""
    made = manifest(name, skipAnalysis=True, **spec)
    target = {**made["spec"]["targetRef"], "name": "shop"}
    metadata = {**made["metadata"], "annotations": {}, "creationTimestamp": "2026-01-02T00:00:00Z"}
    return {**made, "metadata": metadata, "spec": {**made["spec"], "targetRef": target}}


def test_of_two_canaries_of_one_app_the_younger_is_held_and_told_once() -> None:
    place = Namespace(manifest(skipAnalysis=True), younger("second"))
    for _ in range(2):
        assert [one.name for one in place.current()] == ["shop"]
    text = "Deployment shop is managed by Canary shop already: delete one of the two"
    assert place.said == [("second", text)]
    place.show(younger("second"))
    assert [one.name for one in place.current()] == ["second"]


def test_a_users_canary_takes_over_and_the_generated_one_serves_until_it_has() -> None:
    place = Namespace(routed(canaryWeight=20), younger("written"))
    assert [one.name for one in place.current()] == ["written"]
    assert place.served(TO_ROUTERS) == ["shop"]
    assert (place.said, place.canaries.superseded) == ([], set())
    status = {"phase": "Initialized", "promotedHash": "a"}
    place.show(routed(), {**younger("written"), "status": status})
    assert [one.name for one in place.current()] == ["written"]
    assert place.canaries.superseded == {"shop"}


def holding(name: str, port: int, phase: str = "Initialized", **spec: Any) -> Object:
    return {**manifest(name, **spec), "status": {"phase": phase, "routerPorts": {"80": port}}}


def test_every_canary_holds_its_ports_until_its_app_has_been_given_back() -> None:
    place = Namespace(
        holding("shop", 20001),
        holding("spoilt", 20002, analysis=WRONG),
        leaving(holding("leaving", 20003)),
        holding("gone", 20004, phase="Terminated"),
        manifest("new"),
    )
    place.current()
    held = {"shop": {20001}, "spoilt": {20002}, "leaving": {20003}, "new": set()}
    assert place.canaries.held_ports() == held


def test_one_that_is_gone_holds_its_ports_while_a_service_leads_to_them() -> None:
    place = Namespace(routed(routerPorts={"80": 20001}))
    place.served(TO_ROUTERS)
    place.show()
    place.served(TO_ROUTERS)
    assert place.canaries.held_ports() == {"shop": {20001}}
    place.served(TO_PODS)
    assert place.canaries.held_ports() == {}


def test_a_template_of_a_backend_that_is_not_built_halts_as_an_unbuilt_field_does() -> None:
    metric = {"name": "lag", "templateRef": {"name": "lag"}}
    analysis = {"interval": "5s", "threshold": 1, "stepWeight": 10, "metrics": [metric]}
    place = Namespace(manifest(analysis=analysis))
    provider = {"type": "datadog"}
    place.fill("MetricTemplate", {"metadata": {"name": "lag"}, "spec": {"provider": provider}})
    (found,) = place.current()
    assert found.unbuilt == (
        "spec.analysis.metrics[0].templateRef (MetricTemplate lag is of type datadog, "
        "which is not built; built are prometheus)",
    )


def test_what_a_users_own_service_lacks_halts_as_an_unbuilt_field_does() -> None:
    service = {"port": 80, "apex": {"labels": {"team": "shop"}}}
    place = Namespace(manifest(skipAnalysis=True, service=service))
    (found,) = place.current(TO_ROUTERS)
    assert [one.partition(" ")[0] for one in found.unbuilt] == ["spec.service.apex.labels"]


def test_who_names_nobody_is_told_of_as_the_installation_says() -> None:
    place = Namespace(manifest())
    place.canaries.otherwise = (Route("all", "all", everybodys=True),)
    assert place.told() == ["all"]
    place.fill("ConfigMap", {"metadata": {"name": "outrider-defaults"}, "data": {"alerts": "team"}})
    assert place.told() == ["team"]
