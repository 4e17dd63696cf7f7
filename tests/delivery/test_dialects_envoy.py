"""What Envoy says of its clusters, read in both of its ways."""

import json
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from delivery.dialects import prometheus, router
from delivery.dialects.malformed import StatsMalformed
from delivery.stats import Counters

CANARY = "shop/80/canary"
TEXT = """\
# TYPE envoy_cluster_upstream_rq_completed counter
envoy_cluster_upstream_rq_completed{envoy_cluster_name="shop/80/canary"} 10
envoy_cluster_upstream_rq_completed{envoy_cluster_name="shop/80/primary"} 90
# TYPE envoy_cluster_upstream_rq_xx counter
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="shop/80/canary"} 5
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="shop/80/canary"} 4
envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="shop/80/canary"} 5
envoy_cluster_upstream_rq{envoy_response_code="502",envoy_cluster_name="shop/80/canary"} 1
envoy_cluster_upstream_rq{envoy_response_code="503",envoy_cluster_name="shop/80/canary"} 2
envoy_cluster_upstream_rq_retry_success{envoy_cluster_name="shop/80/canary"} 1
envoy_cluster_upstream_rq_active{envoy_cluster_name="shop/80/canary"} 3
envoy_cluster_grpc_0{envoy_cluster_name="shop/80/canary"} 7
envoy_cluster_grpc_2{envoy_cluster_name="shop/80/canary"} 1
envoy_cluster_grpc_13{envoy_cluster_name="shop/80/canary"} 5
envoy_cluster_grpc_14{envoy_cluster_name="shop/80/canary"} 3
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="shop/80/canary",le="+Inf"} 10
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="shop/80/canary",le="0.5"} 8
envoy_cluster_upstream_rq_time_sum{envoy_cluster_name="shop/80/canary"} 12.5
a line that does not matter is never looked into
"""
COUNTED = Counters(
    completed=10,
    server_errors=4,
    unavailable=3,
    rescued=1,
    grpc_errors=6,
    grpc_unavailable=3,
    active=3,
    buckets=((0.0, 0.5, 8), (0.5, inf, 2)),
)


def test_the_counters_of_each_cluster_are_read() -> None:
    read = prometheus.parse(TEXT)
    assert read[CANARY] == COUNTED
    assert read["shop/80/primary"].completed == 90


@pytest.mark.parametrize(
    "line",
    [
        'envoy_cluster_upstream_rq_completed{envoy_cluster_name="shop/80/can',
        'envoy_cluster_upstream_rq_completed{envoy_cluster_name="shop"}',
        'envoy_cluster_upstream_rq_completed{envoy_cluster_name="shop"} many',
        'envoy_cluster_upstream_rq_completed{envoy_cluster_name="shop"} NaN',
        'envoy_cluster_upstream_rq_completed{envoy_cluster_name="shop"} +Inf',
        'envoy_cluster_upstream_rq_completed{other="shop"} 1',
        'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="shop"} 1',
        'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="shop",le="x"} 1',
    ],
)
def test_a_line_that_matters_and_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(StatsMalformed, match="envoy_cluster_upstream_rq"):
        prometheus.parse(f"{TEXT}{line}\n")


@given(some.text())
def test_arbitrary_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        prometheus.parse(f"envoy_cluster_upstream_rq_completed{{{text}\n{text}")
    except StatsMalformed:
        return


def stat(key: str, value: object) -> dict[str, Any]:
    return {"name": f"cluster.{CANARY}.{key}", "value": value}


def histogram(*buckets: object, name: str = f"cluster.{CANARY}.upstream_rq_time") -> dict[str, Any]:
    return {"histograms": {"details": [{"name": name, "totals": list(buckets)}]}}


def parsed(*entries: object) -> Counters:
    return router.parse(json.dumps({"stats": entries}))[CANARY]


FULL = {"lower_bound": 0.3, "width": 0.1, "count": 4}
SAID = (
    stat("upstream_rq_completed", 10),
    stat("upstream_rq_2xx", 5),
    stat("upstream_rq_5xx", 4),
    stat("upstream_rq_502", 1),
    stat("upstream_rq_503", 2),
    stat("upstream_rq_retry_success", 1),
    stat("upstream_rq_active", 3),
    *(stat(f"grpc.{status}", count) for status, count in {0: 7, 2: 1, 13: 5, 14: 3}.items()),
    {"name": "server.live", "value": 1},
    {"name": "cluster.short", "value": "text"},
    {"something": "else"},
    histogram(
        {"lower_bound": 500, "width": 10, "count": 6},
        FULL,
        {"lower_bound": 0, "width": 0, "count": 1},
    ),
    histogram(FULL, name=f"cluster.{CANARY}.upstream_rq_per_cx"),
    histogram(FULL, name="listener.x"),
)


def test_a_router_says_the_same_in_json() -> None:
    times = ((0.0, 0.0, 1), (0.3, 0.4, 4), (500.0, 510.0, 6))
    assert parsed(*SAID) == Counters(**{**vars(COUNTED), "buckets": times})


def test_a_router_tells_whose_errors_they_were() -> None:
    pods = {"10.0.0.1_80": 2, "[fd00__3]_80": 0}
    entries = [stat(f"endpoint.{at}.rq_error", count) for at, count in pods.items()]
    other = stat("endpoint.10.0.0.1_80.rq_success", 9)
    found = parsed(stat("upstream_rq_completed", 1), *entries, other)
    assert (dict(found.errors_at), found.completed) == (pods, 1)
    with pytest.raises(StatsMalformed, match="is no count"):
        parsed(stat("endpoint.10.0.0.1_80.rq_error", "many"))


def test_a_router_that_served_nobody_says_nothing() -> None:
    assert router.parse('{"stats": []}') == {}
    assert router.parse('{"stats": [{"histograms": {"supported_percentiles": []}}]}') == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[" * 100_000,
        "[]",
        '{"stats": 1}',
        *(
            json.dumps({"stats": [entry]})
            for entry in (
                stat("upstream_rq_completed", "1"),
                stat("upstream_rq_completed", -1),
                stat("upstream_rq_completed", 1.5),
                histogram("bucket"),
                histogram({"lower_bound": 1, "count": 1}),
                histogram({"lower_bound": 1, "width": -1, "count": 1}),
                histogram({"lower_bound": -1, "width": 1, "count": 1}),
                histogram({"lower_bound": 1, "width": 1}),
                histogram({"lower_bound": 10**400, "width": 0.5, "count": 1}),
                histogram({"lower_bound": float("nan"), "width": 1, "count": 1}),
            )
        ),
    ],
)
def test_what_matters_and_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(StatsMalformed):
        router.parse(text)


names = some.sampled_from(
    [f"cluster.{CANARY}.upstream_rq_completed", f"cluster.{CANARY}.upstream_rq_time", "x"]
)
anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=3),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["lower_bound", "width", "count", "x"]), inner)
    ),
    max_leaves=8,
)
entries = some.fixed_dictionaries({"name": names | anything, "value": anything}) | some.builds(
    lambda name, totals: {"histograms": {"details": [{"name": name, "totals": totals}]}},
    names,
    anything,
)


@given(some.lists(entries | anything, max_size=4))
def test_arbitrary_json_is_read_or_refused_by_name(said: list[Any]) -> None:
    try:
        router.parse(json.dumps({"stats": said}))
    except StatsMalformed:
        return


@given(some.text())
def test_arbitrary_text_is_no_json_or_says_nothing(text: str) -> None:
    with pytest.raises(StatsMalformed):
        router.parse(text)
