"""Reading and comparing what Envoy counted."""

from dataclasses import fields, replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as some

from delivery.stats import (
    Counters,
    Sample,
    StatsMalformed,
    delta,
    merged,
    parse,
    quantile,
    total,
)

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
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="shop/80/canary",le="+Inf"} 10
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="shop/80/canary",le="0.5"} 8
envoy_cluster_upstream_rq_time_sum{envoy_cluster_name="shop/80/canary"} 12.5
a line that does not matter is never looked into
"""


def test_the_counters_of_each_cluster_are_read() -> None:
    read = parse(TEXT)
    assert read[CANARY] == Counters(
        completed=10,
        server_errors=4,
        unavailable=3,
        rescued=1,
        active=3,
        buckets=((0.5, 8), (inf, 10)),
    )
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
        parse(f"{TEXT}{line}\n")


@given(some.text())
def test_arbitrary_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        parse(f"envoy_cluster_upstream_rq_completed{{{text}\n{text}")
    except StatsMalformed:
        return


def test_a_router_that_was_not_seen_before_says_nothing_yet() -> None:
    assert delta(None, {CANARY: Counters(completed=10)}) == {}


def test_a_cluster_that_was_not_used_before_counts_from_zero() -> None:
    assert delta({}, {CANARY: Counters(completed=10)})[CANARY].requests == 10


def test_only_what_was_added_counts() -> None:
    before = Counters(completed=10, server_errors=4, buckets=((1.0, 7), (inf, 10)))
    after = Counters(completed=15, server_errors=5, buckets=((1.0, 8), (inf, 15)))
    assert delta({CANARY: before}, {CANARY: after})[CANARY] == Sample(5, 1, ((1.0, 1), (inf, 5)))


def test_a_router_that_started_anew_counts_from_zero() -> None:
    before = Counters(completed=10, server_errors=4, buckets=((1.0, 7), (inf, 10)))
    after = Counters(completed=11, server_errors=2, buckets=((1.0, 3), (inf, 11)))
    assert delta({CANARY: before}, {CANARY: after})[CANARY] == Sample(11, 2, ((1.0, 3), (inf, 11)))


@pytest.mark.parametrize(
    ("counted", "bad"),
    [
        (Counters(completed=9), 0),
        (Counters(completed=9, server_errors=2), 2),
        (Counters(completed=9, rescued=2, retries=2, ejected=2), 2),
        (Counters(completed=9, server_errors=2, unavailable=2, broken_connections=2), 2),
        (Counters(completed=9, broken_connections=2), 2),
        (Counters(completed=9, resets=2), 2),
        (Counters(completed=9, broken_connections=1, ejected=5), 5),
        (Counters(completed=9, retries=6, retries_exhausted=2, ejected=8, server_errors=2), 2),
        (Counters(completed=9, server_errors=3, resets=2), 5),
        (Counters(completed=2, server_errors=2, rescued=2), 2),
    ],
)
def test_each_way_to_fail_counts_once(counted: Counters, bad: int) -> None:
    assert delta({}, {CANARY: counted})[CANARY].bad == bad


names = [field.name for field in fields(Counters) if field.name != "buckets"]
counters = some.builds(Counters, **{name: some.integers(0, 1000) for name in names})


@given(some.lists(some.tuples(counters, counters)))
def test_there_are_never_more_failures_than_requests(
    pairs: list[tuple[Counters, Counters]],
) -> None:
    summed = merged(delta({"x": one}, {"x": other})["x"] for one, other in pairs)
    assert 0 <= summed.bad <= summed.requests
    assert summed.success_rate is None or 0 <= summed.success_rate <= 100


@given(counters, some.integers(0, 100))
def test_two_windows_add_up_to_the_whole(counted: Counters, more: int) -> None:
    later = replace(counted, completed=counted.completed + more)
    parts = [delta({}, {"x": counted}), delta({"x": counted}, {"x": later})]
    assert total(parts)["x"] == delta({}, {"x": later})["x"]


def test_samples_with_and_without_times_add_up() -> None:
    timed = Sample(2, 0, ((1.0, 1), (inf, 2)))
    assert merged([Sample(1), timed, timed]) == Sample(5, 0, ((1.0, 2), (inf, 4)))


def test_without_requests_there_is_no_rate() -> None:
    assert Sample().success_rate is None
    assert Sample(200, 1).success_rate == 99.5


BUCKETS = ((100.0, 90), (250.0, 98), (500.0, 100), (inf, 104))


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, None), (0.5, 100.0 * 52 / 90), (0.9, 100 + 150 * 3.6 / 8), (0.99, 500.0)],
)
def test_a_quantile_is_the_one_prometheus_would_give(share: float, expected: float | None) -> None:
    assert Sample(104, 0, BUCKETS).quantile(share) == pytest.approx(expected)


def test_a_quantile_of_nothing_is_nothing() -> None:
    assert quantile((), 0.99) is None
    assert quantile(((1.0, 0), (inf, 0)), 0.99) is None


def test_a_quantile_of_a_last_finite_bucket_lies_within_it() -> None:
    assert quantile(((1.0, 0), (2.0, 4)), 1.0) == 2.0


@pytest.mark.parametrize(("limit", "slower"), [(100, 14), (101, 6), (250, 6), (500, 4), (501, 0)])
def test_slow_requests_are_counted_by_the_next_edge(limit: float, slower: int) -> None:
    assert Sample(104, 0, BUCKETS).slower_than(limit) == slower


def test_nobody_is_slower_where_nothing_was_timed() -> None:
    assert Sample(104).slower_than(500) == 0
