"""Istio's telemetry and the gateways' clusters, and the table that they stand in."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as some

from delivery.dialects.malformed import StatsMalformed
from delivery.dialects.table import DIALECTS, UnknownDialect, dialect
from delivery.stats import Counters


def request(count: int, **labels: str) -> str:
    said = {
        "reporter": "destination",
        "destination_workload_namespace": "shop",
        "destination_workload": "web",
        "response_code": "200",
        "response_flags": "-",
        "grpc_response_status": "",
        **labels,
    }
    written = ",".join(f'{name}="{value}"' for name, value in said.items())
    return f"istio_requests_total{{{written}}} {count}\n"


def times(counts: dict[str, int], reporter: str = "destination") -> str:
    head = (
        f'istio_request_duration_milliseconds_bucket{{reporter="{reporter}",response_code="200",'
        'destination_workload_namespace="shop",destination_workload="web",le='
    )
    return "".join(f'{head}"{edge}"}} {count}\n' for edge, count in counts.items())


def istio(text: str, name: str = "istio") -> Counters:
    return dialect(name).reading.parse(text)["shop/web"]


@pytest.mark.parametrize(
    ("labels", "counted", "bad"),
    [
        ({}, 3, 0),
        ({"response_code": "404", "response_flags": "NR"}, 3, 0),
        ({"response_code": "429"}, 3, 0),
        ({"response_code": "500"}, 3, 3),
        ({"response_code": "503", "response_flags": "UF,URX"}, 3, 3),
        ({"response_code": "200", "response_flags": "UC"}, 3, 3),
        ({"response_code": "200", "response_flags": "DC"}, 3, 0),
        ({"response_code": "0", "response_flags": "DC"}, 0, 0),
        ({"response_code": "0", "response_flags": "UPE"}, 3, 3),
        *(({"grpc_response_status": str(status)}, 3, 0) for status in (0, 1, 3, 5, 6, 7, 8, 9)),
        *(({"grpc_response_status": str(status)}, 3, 0) for status in (10, 11, 16)),
        *(({"grpc_response_status": str(status)}, 3, 3) for status in (2, 4, 12, 13, 14, 15)),
        ({"response_code": "503", "grpc_response_status": "14"}, 3, 3),
    ],
)
def test_istio_judges_each_request_once_by_all_that_is_said_of_it(
    labels: dict[str, str], counted: int, bad: int
) -> None:
    found = istio(request(5) + request(3, **labels))
    assert (found.completed, found.server_errors) == (5 + counted, bad)


def test_istio_tells_workloads_and_reporters_apart() -> None:
    text = (
        request(1)
        + request(2, destination_workload="web-primary")
        + request(4, destination_workload_namespace="other")
        + request(8, reporter="source")
        + request(16, reporter="waypoint")
    )
    read = dialect("istio").reading.parse(text)
    assert {name: counters.completed for name, counters in read.items()} == {
        **{"shop/web": 1, "shop/web-primary": 2, "other/web": 4}
    }
    assert istio(text, "istio-gateway").completed == 8
    assert istio(text, "istio-waypoint").completed == 16


def test_istio_adds_up_durations_of_all_outcomes() -> None:
    text = times({"5": 1, "+Inf": 4}) + times({"5": 1000}, "source")
    more = times({"5": 2, "+Inf": 2}).replace('"200"', '"404"')
    assert istio(text + more).buckets == ((0.0, 5.0, 3), (5.0, inf, 3))


def cluster(name: str, count: int) -> str:
    return f'envoy_cluster_upstream_rq_completed{{envoy_cluster_name="{name}"}} {count}\n'


@pytest.mark.parametrize(
    ("name", "canary", "primary", "others"),
    [
        (
            "contour",
            ["shop_site-canary_80", "shop_site-canary_9090"],
            ["shop_site-primary_80"],
            ["shop_site_80", "shop_other-canary_80", "else_site-canary_80", "contour"],
        ),
        (
            "envoy-gateway",
            ["httproute/shop/site/rule/0/backend/1", "grpcroute/shop/site/rule/1/backend/1"],
            ["httproute/shop/site/rule/0/backend/0"],
            ["httproute/shop/site/rule/0", "httproute/shop/site/rule/0/backend/2"],
        ),
        (
            "gloo",
            ["shop-web-canaryupstream-80_gloo-system"],
            ["shop-web-primaryupstream-80_gloo-system"],
            ["shop-web-80_gloo-system", "else-web-canaryupstream-80_gloo-system"],
        ),
    ],
)
def test_a_gateway_knows_the_halves_by_its_own_names(
    name: str, canary: list[str], primary: list[str], others: list[str]
) -> None:
    reading = dialect(name).reading
    text = "".join(cluster(one, 1) for one in canary + others)
    read = reading.parse(text + "".join(cluster(one, 100) for one in primary))
    found = {
        role: sum(read[series].completed for series in reading.series("shop", "web", "site", role))
        for role in ("canary", "primary")
    }
    assert found == {"canary": len(canary), "primary": 100 * len(primary)}


def test_any_envoy_is_read_by_the_names_of_its_clusters() -> None:
    reading = dialect("envoy").reading
    assert reading.parse(cluster("my-cluster", 7))["my-cluster"].completed == 7
    assert reading.series("shop", "web", "site", "canary") == ()


def test_a_name_that_is_not_known_is_told_those_that_are() -> None:
    with pytest.raises(UnknownDialect, match='"nginx" is unknown; use one of envoy, istio, .*gloo'):
        dialect("nginx")


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_asks_for_used_and_fitting_stats_alone(name: str) -> None:
    assert "?usedonly&filter=" in dialect(name).query
    assert dialect(name).reading.parse("") == {}


MATTER = ("istio_requests_total", "istio_request_duration_milliseconds_bucket")
LABELS = (
    "reporter",
    "destination_workload",
    "destination_workload_namespace",
    "envoy_cluster_name",
    "le",
    "response_code",
)
values = some.sampled_from(["destination", "shop", "0.5", "+Inf", "nan", "x_y-canary_1"])
lines = some.builds(
    lambda name, labels, value, tail: (
        name + "{" + ",".join(f'{key}="{one}"' for key, one in labels.items()) + "} " + value + tail
    ),
    some.sampled_from((*MATTER, "envoy_cluster_upstream_rq_completed", "other")),
    some.dictionaries(some.sampled_from(LABELS), values | some.text(max_size=4)),
    some.sampled_from(["1", "2.0", "-1", "NaN", "1e400", ""]) | some.text(max_size=3),
    some.sampled_from(["", "", " 1234", "}"]),
)


@pytest.mark.parametrize("name", DIALECTS)
@given(said=some.lists(lines | some.text()))
def test_whatever_is_said_is_read_or_refused_and_never_more_bad_than_there_was(
    name: str, said: list[str]
) -> None:
    try:
        read = dialect(name).reading.parse("\n".join(said))
    except StatsMalformed:
        return
    assert all(counters.completed >= 0 for counters in read.values())
    if name.startswith("istio"):
        assert all(one.server_errors <= one.completed for one in read.values())


@pytest.mark.parametrize(
    "line",
    [
        'istio_requests_total{reporter="destination",destination_workload="web"} 1',
        'istio_requests_total{reporter="destination"} many',
        'istio_request_duration_milliseconds_bucket{reporter="destination",le="x",'
        'destination_workload="web",destination_workload_namespace="shop"} 1',
        'istio_request_duration_milliseconds_bucket{reporter="destination",le="NaN",'
        'destination_workload="web",destination_workload_namespace="shop"} 1',
    ],
)
def test_what_istio_cannot_mean_is_refused(line: str) -> None:
    with pytest.raises(StatsMalformed):
        dialect("istio").reading.parse(line)
