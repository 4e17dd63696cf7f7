"""What the routers are told of each application."""

from dataclasses import replace

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from hypothesis import given
from hypothesis import strategies as some

from delivery.canary import Affinity
from delivery.cookies import Cookies
from delivery.matching import Comparison, Match, Way
from delivery.routers.bootstrap import Surroundings, bootstrap
from delivery.routers.division import Division
from delivery.routers.envoy import (
    CDS,
    EDS,
    LDS,
    RDS,
    Application,
    Endpoint,
    UnknownCluster,
    cluster_name,
    division,
    parse_cluster_name,
    resources,
)

POD, OTHER, CANARY = (Endpoint(f"10.0.0.{number}", 8080) for number in (1, 2, 3))
SERVICE = Endpoint("10.96.0.1", 80)
BETA = Match(headers=(Comparison("x-beta", Way.EXACT, "yes"),))
ANY = (Comparison("q", Way.PRESENT),)
SHOP = Application("shop", 80, 20000, (POD, OTHER), (CANARY,), SERVICE, 10)


def shares(application: Application) -> dict[str, int]:
    told = RouteConfiguration.FromString(resources([application]).resources[RDS]["shop/80"])
    brought_proto, others = (route.route for route in told.virtual_hosts[0].routes)
    assert brought_proto == others
    return {part.name: part.weight.value for part in others.weighted_clusters.clusters}


def endpoints(application: Application, role: str) -> list[tuple[int, list[str]]]:
    told = resources([application]).resources[EDS][f"shop/80/{role}"]
    return [
        (
            group.priority,
            [one.endpoint.address.socket_address.address for one in group.lb_endpoints],
        )
        for group in ClusterLoadAssignment.FromString(told).endpoints
    ]


def test_an_application_is_two_clusters_a_listener_and_a_route() -> None:
    assert {kind: set(named) for kind, named in resources([SHOP]).resources.items()} == {
        CDS: {"shop/80/primary", "shop/80/canary"},
        EDS: {"shop/80/primary", "shop/80/canary"},
        LDS: {"shop/80"},
        RDS: {"shop/80"},
    }


def test_an_application_that_is_closed_keeps_its_routes_for_old_connections_only() -> None:
    found = resources([replace(SHOP, closed=True)]).resources
    assert not found.get(LDS)
    assert set(found[RDS]) == {"shop/80"}


@given(some.integers(0, 100))
def test_the_split_is_the_weight_and_its_rest_is_the_primarys(weight: int) -> None:
    found = shares(replace(SHOP, canary_weight=weight))
    assert found == {"shop/80/primary": 100 - weight, "shop/80/canary": weight}


def test_a_canary_without_ready_pods_gets_nothing() -> None:
    assert division(replace(SHOP, canary=(), matches=(BETA,))) == Division()
    assert shares(replace(SHOP, canary=())) == {"shop/80/primary": 100, "shop/80/canary": 0}


def test_whoever_matches_goes_to_the_canary_and_all_others_by_weight() -> None:
    test = replace(SHOP, canary_weight=0, matches=(BETA, Match(parameters=ANY)))
    told = RouteConfiguration.FromString(resources([test]).resources[RDS]["shop/80"])
    routes = told.virtual_hosts[0].routes
    found = [
        (
            [(one.name, one.string_match.exact) for one in route.match.headers[:1]],
            [(one.name, one.present_match) for one in route.match.query_parameters],
            [part.weight.value for part in route.route.weighted_clusters.clusters],
        )
        for route in routes[1::2]
    ]
    assert found == [
        ([("x-beta", "yes")], [], [0, 100]),
        ([], [("q", True)], [0, 100]),
        ([], [], [100, 0]),
    ]
    brought = [route.match.headers[-1].name for route in routes[::2]]
    assert brought == ["x-outrider-router-own-proto"] * 3


def test_copies_go_to_a_cluster_that_never_falls_back_on_the_primary() -> None:
    mirrored = replace(SHOP, canary_weight=0, mirror=30)
    assert endpoints(mirrored, "mirror") == [(0, ["10.0.0.3"])]
    told = RouteConfiguration.FromString(resources([mirrored]).resources[RDS]["shop/80"])
    for route in told.virtual_hosts[0].routes:
        (copied,) = route.route.request_mirror_policies
        assert copied.cluster == "shop/80/mirror"
        assert copied.runtime_fraction.default_value.numerator == 30
    assert "shop/80/mirror" not in resources([replace(mirrored, canary=())]).resources[CDS]
    assert parse_cluster_name("shop/80/mirror") == ("shop", 80, "mirror", "")


def test_the_answers_of_each_half_set_its_own_cookie() -> None:
    cookies = Cookies(Affinity("a%", "b", 60, 10), "a%=c", "b=d")
    told = RouteConfiguration.FromString(
        resources([replace(SHOP, cookies=cookies)]).resources[RDS]["shop/80"]
    )
    primary, canary = told.virtual_hosts[0].routes[-1].route.weighted_clusters.clusters
    (stays,), (joins,) = primary.response_headers_to_add, canary.response_headers_to_add
    assert (stays.header.key, stays.header.value) == ("set-cookie", "b=d; Max-Age=10; Path=/")
    assert joins.header.value == "a%%=c; Max-Age=60; Path=/"


@pytest.mark.parametrize("way", list(Way))
def test_each_way_to_compare_is_the_routers_own(way: Way) -> None:
    one = (Comparison("x", way, "a"),)
    test = replace(SHOP, matches=(Match(one, one),))
    told = RouteConfiguration.FromString(resources([test]).resources[RDS]["shop/80"])
    matched = told.virtual_hosts[0].routes[1].match
    for found in (matched.headers[0], matched.query_parameters[0]):
        if way is Way.PRESENT:
            assert found.present_match
        elif way is Way.REGEX:
            assert found.string_match.safe_regex.regex == "a"
        else:
            assert getattr(found.string_match, way) == "a"


def test_pods_come_first_and_the_service_when_they_fail() -> None:
    assert endpoints(SHOP, "primary") == [(0, ["10.0.0.1", "10.0.0.2"]), (1, ["10.96.0.1"])]
    assert endpoints(SHOP, "canary") == [(0, ["10.0.0.3"]), (1, ["10.96.0.1"])]
    assert endpoints(replace(SHOP, fallback=None), "canary") == [(0, ["10.0.0.3"])]


def test_only_the_primary_leaves_dead_pods_alone() -> None:
    told = resources([SHOP]).resources[CDS]
    primary = Cluster.FromString(told["shop/80/primary"])
    assert primary.outlier_detection.consecutive_local_origin_failure.value == 3
    assert primary.outlier_detection.enforcing_consecutive_5xx.value == 0
    assert not Cluster.FromString(told["shop/80/canary"]).HasField("outlier_detection")


def test_the_listener_is_open_to_all() -> None:
    told = Listener.FromString(resources([SHOP]).resources[LDS]["shop/80"])
    assert told.address.socket_address.address == "0.0.0.0"
    assert told.address.socket_address.port_value == 20000


def test_where_pods_have_ipv6_the_listeners_are_open_to_both() -> None:
    told = Listener.FromString(resources([SHOP], ipv6=True).resources[LDS]["shop/80"])
    assert told.address.socket_address.address == "::"
    assert told.address.socket_address.ipv4_compat
    own = bootstrap("shop", Surroundings(ipv6=True))["static_resources"]["listeners"]
    assert [one["address"]["socket_address"] for one in own] == [
        {"address": "::", "port_value": port, "ipv4_compat": True} for port in (19091, 19090)
    ]


def test_a_sticky_application_differs_in_how_a_pod_is_chosen_alone() -> None:
    plain, sticky = resources([SHOP]).resources, resources([replace(SHOP, sticky=True)]).resources
    assert plain[EDS] == sticky[EDS]
    told = Cluster.FromString(sticky[CDS]["shop/80/primary"])
    assert told.lb_policy == Cluster.RING_HASH
    assert shares(replace(SHOP, sticky=True)) == shares(SHOP)


@given(some.permutations([SHOP, replace(SHOP, name="cart"), replace(SHOP, port=81)]))
def test_the_same_state_has_the_same_versions(applications: list[Application]) -> None:
    turned = [replace(one, primary=one.primary[::-1]) for one in applications]
    assert resources(turned).versions == resources(applications).versions


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        (replace(SHOP, canary_weight=20), {RDS}),
        (replace(SHOP, primary=(POD,)), {EDS}),
        (replace(SHOP, listener=20001), {LDS}),
        (replace(SHOP, name="cart"), {CDS, EDS, LDS, RDS}),
    ],
)
def test_a_change_touches_only_what_it_must(changed: Application, kinds: set[str]) -> None:
    old, new = resources([SHOP]).versions, resources([changed]).versions
    assert {kind for kind in old if old[kind] != new[kind]} == kinds


@pytest.mark.parametrize("name", ["shop", "shop-v2", "shop.example.com"])
def test_a_cluster_name_has_no_dots_and_tells_all(name: str) -> None:
    cluster = cluster_name(name, 8080, "canary")
    assert "." not in cluster
    assert parse_cluster_name(cluster) == (name, 8080, "canary", "")


def test_another_service_of_the_app_has_clusters_of_its_own() -> None:
    cluster = cluster_name("shop", 80, "canary", "api")
    assert parse_cluster_name(cluster) == ("shop", 80, "canary", "api")
    assert set(resources([replace(SHOP, service="api")]).resources[LDS]) == {"shop/api/80"}


@pytest.mark.parametrize("name", ["admin", "shop/80", "shop/x/canary", "shop/80/baseline", ""])
def test_any_other_cluster_is_refused(name: str) -> None:
    with pytest.raises(UnknownCluster):
        parse_cluster_name(name)


def test_the_bootstrap_names_the_agents_of_its_namespace() -> None:
    told = bootstrap("shop", Surroundings(xds_host="agents.shop", xds_port=1))
    agents = told["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]
    address = agents["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert address == {"address": "agents.shop", "port_value": 1}
    assert told["node"]["cluster"] == "outrider/shop"
