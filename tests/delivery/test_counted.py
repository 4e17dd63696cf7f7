"""What was counted between two looks: nothing twice, and nothing that was not seen to begin."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.counted import Counted, covering, difference, narrowed
from delivery.stats import Counters

CANARY = "canary"


def shown(source: str = "a", requests: int = 0, bad: int = 0, **series: Counters) -> Counted:
    return {source: {CANARY: Counters(requests, bad), **series}}


@pytest.mark.parametrize(
    ("before", "after", "counted"),
    [
        (shown(requests=5, bad=1), shown(requests=9, bad=2), (4, 1)),
        ({}, shown(requests=9), (0, 0)),
        ({"a": {}}, shown(requests=9), (9, 0)),
        (shown("b", 5), shown("a", 9), (0, 0)),
        (shown(requests=9), shown(requests=5), (0, 0)),
        (shown(requests=9), {}, (0, 0)),
        (shown(requests=9), {"a": {}}, (0, 0)),
    ],
    ids=["grown", "first", "new", "other source", "shrunk", "silent", "not shown"],
)
def test_only_growth_that_was_seen_counts(
    before: Counted, after: Counted, counted: tuple[int, int]
) -> None:
    found = difference(before, after, (CANARY,))
    assert (found.requests, found.failures) == counted


def test_series_of_others_do_not_count() -> None:
    after = shown(requests=3, primary=Counters(50))
    assert difference({"a": {}}, after, (CANARY,)).requests == 3


def test_what_was_read_late_does_not_go_back() -> None:
    before = shown(requests=9)
    assert covering(before, shown(requests=5)) == before
    assert covering(before, shown("b", 1)) == {**before, **shown("b", 1)}


def test_only_the_edges_that_are_asked_for_are_kept() -> None:
    buckets = ((50.0, 100.0, 1), (100.0, 250.0, 1), (400.0, 500.0, 1), (500.0, inf, 1))
    full = {"a": {CANARY: Counters(4, active=2, buckets=buckets), "other": Counters(1)}}
    kept = narrowed(full, (CANARY,), (250.0,))
    assert kept == {"a": {CANARY: Counters(4, buckets=((0.0, 250.0, 2), (250.0, inf, 2)))}}


def slow(requests: int, slow: int, limit: float = 500.0) -> Counters:
    return Counters(requests, buckets=((0.0, limit, requests - slow), (limit, inf, slow)))


def test_with_another_limit_durations_begin_anew() -> None:
    before, after = shown(slow=slow(4, 2, limit=250.0)), shown(slow=slow(9, 1))
    found = difference(before, after, ("slow",))
    assert (found.requests, found.timed) == (5, 0)
    assert covering(before, after) == after


def test_the_first_durations_are_compared_with_none() -> None:
    found = difference({"a": {}}, shown(slow=slow(9, 1)), ("slow",))
    assert (found.timed, found.slower_than(500.0)) == (9, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), max_size=30))
def test_all_is_counted_once_whoever_looks_and_whenever(
    seconds: list[tuple[int, bool, bool]],
) -> None:
    """Requests of each second, whether it was looked at, and whether by an agent a look behind."""
    sent, counted, covered, last = 0, 0, shown(), shown()
    for requests, looked, late in seconds:
        sent += requests
        now = last if late else shown(requests=sent)
        if looked:
            counted += difference(covered, now, (CANARY,)).requests
            covered, last = covering(covered, now), now
    counted += difference(covered, shown(requests=sent), (CANARY,)).requests
    assert counted == sent
