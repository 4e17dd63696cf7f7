"""Reading and comparing what Envoy counted."""

from dataclasses import fields, replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as some

from delivery.stats import (
    Counters,
    Sample,
    delta,
    merged,
    total,
)

CANARY = "shop/80/canary"


def test_a_router_that_was_not_seen_before_says_nothing_yet() -> None:
    assert delta(None, {CANARY: Counters(completed=10)}) == {}


def test_a_cluster_that_was_not_used_before_counts_from_zero() -> None:
    assert delta({}, {CANARY: Counters(completed=10)})[CANARY].requests == 10


def test_only_what_was_added_counts() -> None:
    before = Counters(completed=10, server_errors=4, buckets=((0.0, 1.0, 7), (1.0, inf, 3)))
    after = Counters(completed=15, server_errors=5, buckets=((0.0, 1.0, 8), (1.0, inf, 7)))
    assert delta({CANARY: before}, {CANARY: after})[CANARY] == Sample(
        5, 1, ((0.0, 1.0, 1), (1.0, inf, 4))
    )


def test_a_router_that_started_anew_counts_from_zero() -> None:
    before = Counters(completed=10, server_errors=4, buckets=((0.0, 1.0, 7), (1.0, inf, 3)))
    after = Counters(completed=11, server_errors=2, buckets=((0.0, 1.0, 3), (1.0, inf, 8)))
    assert delta({CANARY: before}, {CANARY: after})[CANARY] == Sample(
        11, 2, ((0.0, 1.0, 3), (1.0, inf, 8))
    )


def test_a_histogram_that_shrank_is_of_a_router_that_started_anew() -> None:
    before = Counters(completed=10, buckets=((1.0, 2.0, 7),))
    after = Counters(completed=11, buckets=((1.0, 2.0, 3), (2.0, 3.0, 8)))
    assert delta({CANARY: before}, {CANARY: after})[CANARY] == Sample(11, 0, after.buckets)


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
        (Counters(completed=9, grpc_errors=3), 3),
        (Counters(completed=9, grpc_unavailable=3), 3),
        (Counters(completed=9, server_errors=3, unavailable=3, grpc_unavailable=3, resets=3), 3),
        (Counters(completed=9, server_errors=2, unavailable=2, grpc_unavailable=3), 3),
        (Counters(completed=9, server_errors=1, grpc_errors=2, grpc_unavailable=1, resets=1), 5),
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
    timed = Sample(2, 0, ((1.0, 2.0, 1), (2.0, inf, 1)))
    assert merged([Sample(1), timed, timed]) == Sample(5, 0, ((1.0, 2.0, 2), (2.0, inf, 2)))


def test_without_requests_there_is_no_rate() -> None:
    assert Sample().success_rate is None
    assert Sample(200, 1).success_rate == 99.5


def test_what_a_sample_says_of_times_is_bounded_by_its_requests() -> None:
    sample = Sample(104, 0, ((100.0, 250.0, 8), (500.0, inf, 4)))
    assert (sample.timed, sample.slower_than(250), sample.slower_than(100)) == (12, 4, 12)
    assert Sample(3, 0, sample.buckets).slower_than(100) == 3
    assert (sample.edge(200), sample.edge(250)) == (250, 250)
    assert sample.quantile(0.5) == 212.5
