"""The guard's state from look to look: warm-ups, drains, ranges that change, and its limits."""

from dataclasses import replace
from math import exp, inf, log

import pytest

from delivery import guard
from delivery.evidence import Counts, begun
from delivery.guard import Guard, Hypothesis, Look, Policy, taken
from delivery.stats import Counters

ERRORS = Hypothesis("errors", 0.01)
TIMES = Hypothesis("times", 0.01, limit=500.0)
BOTH = (ERRORS, TIMES)
NOW = 1000.0
WARM = Guard(fresh=NOW - 60.0, warmed=NOW - 45.0, covered={"a": {}})


def half(requests: int, bad: int = 0, slow: int = 0) -> Counters:
    buckets = ((0.0, 500.0, requests - slow), (500.0, inf, slow))
    return Counters(requests, bad, buckets=buckets, active=1)


def look(canary: Counters, primary: Counters | None = None, **changes: object) -> Look:
    counted = {"a": {"canary": canary, "primary": primary or half(0)}}
    found = Look(NOW, counted, ("canary",), ("primary",), ready=1, fresh=WARM.fresh)
    return replace(found, **changes)  # type: ignore[arg-type]  # names are checked by replace


def test_both_metrics_take_what_both_halves_did() -> None:
    found = taken(WARM, BOTH, Policy(), look(half(10, 2, slow=3), half(90, 1, slow=4)))
    errors, times = found.evidence["errors"], found.evidence["times"]
    assert (errors.canary, errors.primary) == (Counts(10, 2), Counts(90, 1))
    assert (times.canary, times.primary) == (Counts(10, 3), Counts(90, 4))
    assert (found.requests, found.step_requests, found.fresh_requests) == (10, 10, 10)
    assert found.answered == NOW


def test_the_same_look_twice_counts_once() -> None:
    once = taken(WARM, BOTH, Policy(), look(half(10, 2)))
    assert taken(once, BOTH, Policy(), look(half(10, 2))) == once


def test_a_router_that_is_new_to_the_guard_only_begins() -> None:
    found = taken(replace(WARM, covered={}), BOTH, Policy(), look(half(10, 2)))
    assert found.requests == 0
    assert taken(found, BOTH, Policy(), look(half(12, 2))).requests == 2


def test_while_the_version_before_drains_all_is_covered_and_none_is_evidence() -> None:
    draining = replace(WARM, since=NOW + 1.0)
    found = taken(draining, BOTH, Policy(), look(half(10, 5)))
    assert (found.requests, dict(found.evidence)) == (0, {})
    after = taken(found, BOTH, Policy(), look(half(11, 5), now=NOW + 1.0))
    assert after.evidence["errors"].canary == Counts(1, 0)


@pytest.mark.parametrize(("asked", "since"), [(False, NOW), (True, NOW + guard.DRAIN_SECONDS)])
def test_only_a_version_that_had_traffic_is_drained(asked: bool, since: float) -> None:
    assert guard.started_over(asked, NOW) == Guard(since=since)


@pytest.mark.parametrize(
    ("age", "answered", "pods", "counts"),
    [(14.9, 0, 1, False), (15.0, 0, 1, True), (1.0, 50, 1, True), (1.0, 50, 2, False)],
)
def test_a_new_pod_is_warm_by_its_time_or_by_its_requests(
    age: float, answered: int, pods: int, counts: bool
) -> None:
    fresh = NOW - age
    before = replace(WARM, fresh=fresh, fresh_requests=answered, warmed=0.0)
    found = taken(before, BOTH, Policy(), look(half(10, 1, slow=9), fresh=fresh, ready=pods))
    assert found.evidence["times"].canary == (Counts(10, 9) if counts else Counts())
    assert found.evidence["errors"].canary == Counts(10, 1), "errors count from the first on"
    assert bool(found.warmed) == counts


def test_another_new_pod_begins_another_warm_up() -> None:
    found = taken(WARM, BOTH, Policy(), look(half(10, slow=9), fresh=NOW - 1.0))
    assert (found.warmed, found.fresh_requests) == (0.0, 10)
    assert found.evidence["times"] == begun(0.01)


def test_without_a_pod_nothing_is_warm() -> None:
    before = replace(WARM, warmed=0.0)
    assert not taken(before, BOTH, Policy(), look(half(0), ready=0)).warmed


def test_another_range_begins_anew() -> None:
    before = taken(WARM, BOTH, Policy(), look(half(10, 5)))
    stricter = (replace(ERRORS, allowed=0.001),)
    found = taken(before, stricter, Policy(), look(half(11, 5)))
    assert list(found.evidence) == ["errors"]
    assert found.evidence["errors"].canary == Counts(1, 0)


@pytest.mark.parametrize(("metrics", "limit"), [(0, 100.0), (1, 100.0), (5, 500.0)])
def test_the_metrics_share_alpha(metrics: int, limit: float) -> None:
    assert guard.needed(Policy(), metrics) == pytest.approx(limit)


HIGH, LOW = log(1e6), 0.0
PAIRED = replace(begun(0.01), canary=Counts(30), primary=Counts(30))


@pytest.mark.parametrize(
    ("mode", "relative", "absolute", "weight", "refuted"),
    [
        ("both", HIGH, HIGH, 10, True),
        ("both", HIGH, LOW, 10, False),
        ("both", LOW, HIGH, 10, False),
        ("both", LOW, HIGH, 100, True),
        ("primary", HIGH, LOW, 10, True),
        ("primary", LOW, HIGH, 10, False),
        ("range", LOW, HIGH, 10, True),
        ("range", HIGH, LOW, 10, False),
    ],
)
def test_each_mode_asks_for_its_own(
    mode: str, relative: float, absolute: float, weight: int, refuted: bool
) -> None:
    found = replace(PAIRED, relative_peak=relative, absolute_peak=absolute)
    assert guard.is_refuted(found, Policy(mode=mode), 100.0, weight) == refuted


@pytest.mark.parametrize(
    ("canary", "primary", "alone"), [(20, 0, True), (19, 0, False), (20, 1, False)]
)
def test_a_primary_without_traffic_cannot_be_compared_with(
    canary: int, primary: int, alone: bool
) -> None:
    found = replace(PAIRED, canary=Counts(canary), primary=Counts(primary))
    assert guard.is_alone(found, 50) == alone


@pytest.mark.parametrize(("logarithm", "number"), [(0.0, 1.0), (2.0, exp(2.0)), (1e6, exp(600.0))])
def test_evidence_can_be_read_as_a_number(logarithm: float, number: float) -> None:
    assert guard.strength(logarithm) == number
