"""How long requests took, between whatever edges an Envoy has."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as some

from delivery.histogram import (
    Buckets,
    added,
    edge,
    folded,
    of_cumulative,
    quantile,
    slower,
    subtracted,
    total,
)

COARSE = ((0.0, 100.0, 90), (100.0, 250.0, 8), (250.0, 500.0, 2), (500.0, inf, 4))
FINE = ((120.0, 130.0, 3), (500.0, 510.0, 4), (1500.0, 1600.0, 2))


def test_what_prometheus_adds_up_is_taken_apart() -> None:
    found = of_cumulative({500.0: 100, inf: 104, 100.0: 90, 250.0: 98})
    assert found == COARSE


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, None), (0.5, 100.0 * 52 / 90), (0.9, 100 + 150 * 3.6 / 8), (0.99, 500.0)],
)
def test_a_quantile_is_the_one_prometheus_would_give(share: float, expected: float | None) -> None:
    assert quantile(COARSE, share) == pytest.approx(expected)


@pytest.mark.parametrize(("share", "expected"), [(0.1, 123), (0.5, 503.75), (1.0, 1600)])
def test_a_quantile_between_full_buckets_alone(share: float, expected: float) -> None:
    assert quantile(FINE, share) == pytest.approx(expected)


def test_a_quantile_of_nothing_is_nothing() -> None:
    assert quantile((), 0.99) is None
    assert quantile(((0.0, 1.0, 0), (1.0, inf, 0)), 0.99) is None


def test_a_quantile_above_all_that_was_counted_is_the_last_edge() -> None:
    assert quantile(((0.0, 1.0, 4),), 1.5) == 1.0


@pytest.mark.parametrize(
    ("buckets", "limit", "from_where", "count"),
    [
        (COARSE, 100.0, 100.0, 14),
        (COARSE, 101.0, 250.0, 6),
        (COARSE, 250.0, 250.0, 6),
        (COARSE, 500.0, 500.0, 4),
        (COARSE, 501.0, inf, 0),
        (FINE, 500.0, 500.0, 6),
        (FINE, 510.0, 510.0, 2),
        (FINE, 505.0, 510.0, 2),
        (FINE, 1515.0, 1600.0, 0),
        (FINE, 777.7, 777.7, 2),
        ((), 500.0, 500.0, 0),
    ],
)
def test_slow_requests_are_counted_from_the_next_edge_on(
    buckets: Buckets, limit: float, from_where: float, count: int
) -> None:
    assert (edge(buckets, limit), slower(buckets, limit)) == (from_where, count)


edges = some.sampled_from([(0.0, 1.0), (1.0, 2.0), (2.0, 3.5), (3.5, inf)])
histograms = some.dictionaries(edges, some.integers(1, 100)).map(
    lambda counts: tuple((*edges, counts[edges]) for edges in sorted(counts))
)


@given(histograms, histograms)
def test_what_was_added_can_be_taken_away(one: Buckets, other: Buckets) -> None:
    both = added(one, other)
    assert total(both) == total(one) + total(other)
    assert subtracted(both, other) == one


@given(histograms, some.lists(some.sampled_from([0.0, 1.0, 2.0, 3.5])))
def test_a_folded_one_tells_the_same_of_its_limits(one: Buckets, limits: list[float]) -> None:
    small = folded(one, limits)
    assert total(small) == total(one)
    assert len(small) == len({*limits} - {0.0}) + 1
    assert all(slower(small, limit) == slower(one, limit) for limit in limits)
