"""Releases by the hundred, judged by the whole `step`: good ones stay, bad ones go.

Each case has its own seed, so each run has the same requests. `make soak` runs many more.
"""

from dataclasses import replace
from math import comb

import pytest
from hypothesis import settings

from delivery.guard import Policy
from tests.delivery.simulated import (
    ERRORS,
    STEPS,
    TIMES,
    Case,
    Rate,
    constant,
    ends,
    median,
    share,
)

pytestmark = pytest.mark.many

RUNS = min(100, max(3, settings().max_examples // 4))
ALPHA = 0.01


def waves(low: float, high: float) -> Rate:
    """A rate that drifts up and down within two minutes."""
    return lambda at: low + (high - low) * abs(at % 120.0 - 60.0) / 60.0


def outage(usual: float, *, begins: float = 12.0, lasts: float = 20.0) -> Rate:
    return lambda at: 0.6 if begins <= at < begins + lasts else usual


def bursts(usual: float) -> Rate:
    """Three seconds of every twenty are ten times worse."""
    return lambda at: min(1.0, 10.0 * usual) if at % 20.0 < 3.0 else usual


def at_weight(weight: int) -> Case:
    steps = replace(STEPS, step_weight=0, step_weights=(weight,))
    return Case(constant(0.005), constant(0.005), analysis=steps, limit=120)


def with_metrics(count: int) -> Case:
    """The same range asked for over and over: each is a chance more to be wrong."""
    every = tuple(
        replace(TIMES, maximum=500.0 + number) if number else ERRORS for number in range(count)
    )
    return Case(constant(0.005), constant(0.005), analysis=replace(STEPS, metrics=every), limit=120)


GOOD = {
    "0.1 %": Case(constant(0.001), constant(0.001)),
    "0.5 %": Case(constant(0.005), constant(0.005)),
    "1 %": Case(constant(0.01), constant(0.01), limit=120),
    "5 %, out of range as its primary is": Case(constant(0.05), constant(0.05), limit=100),
    "weight 5": at_weight(5),
    "weight 50": at_weight(50),
    "five metrics": with_metrics(5),
    "drifting": Case(waves(0.001, 0.02), waves(0.001, 0.02), limit=120),
    "shared outage": Case(outage(0.005), outage(0.005), limit=120),
    "shared bursts": Case(bursts(0.002), bursts(0.002), limit=120),
    "better than a bad primary": Case(constant(0.01), constant(0.03), limit=120),
    "worse than primary, within range": Case(constant(0.008), constant(0.001), limit=120),
    "5 requests a second": Case(constant(0.005), constant(0.005), rate=5.0, limit=240),
}


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_a_release_that_is_no_worse_or_within_its_range_is_rolled_back_by_chance_alone(
    case: Case,
) -> None:
    found = ends(case, RUNS)
    wrong = sum(one.outcome == "rolled back" for one in found)
    assert chance_of(wrong, RUNS, ALPHA) > 1e-3, f"{wrong} of {RUNS}"


def chance_of(hits: int, runs: int, at_most: float) -> float:
    """That it happens so often, or more, where each time it does with a chance of `at_most`."""
    below = (
        comb(runs, one) * at_most**one * (1.0 - at_most) ** (runs - one) for one in range(hits)
    )
    return 1.0 - sum(below)


def test_a_good_release_is_promoted_as_soon_as_enough_was_seen() -> None:
    found = ends(GOOD["0.5 %"], RUNS)
    assert share(found, "promoted") == 1.0
    assert (median(found, "promoted") or 0) < 90


BAD = {
    "three times what is allowed": Case(constant(0.03), constant(0.005)),
    "three times a primary at its limit": Case(constant(0.03), constant(0.01)),
    "three times, one request of a hundred slow": Case(
        constant(0.0), constant(0.0), slow=constant(0.03)
    ),
    "at 500 requests a second": Case(constant(0.03), constant(0.005), rate=500.0),
    "at 5 requests a second": Case(constant(0.03), constant(0.005), rate=5.0),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_a_regression_to_three_times_what_is_allowed_hardly_slips_through(case: Case) -> None:
    found = ends(case, RUNS)
    assert share(found, "promoted") <= 0.2
    assert share(found, "held") <= 0.2


@pytest.mark.parametrize(
    ("case", "within"),
    [
        (Case(constant(1.0), constant(0.005)), 4),
        (Case(constant(0.5), constant(0.005)), 4),
        (Case(constant(0.05), constant(0.005)), 60),
        (Case(lambda at: 0.5 if at > 35 else 0.005, constant(0.005)), 35 + 5),
    ],
    ids=["100 %", "50 %", "5 %", "50 % from second 35 on"],
)
def test_a_bad_release_goes_within_seconds(case: Case, within: int) -> None:
    found = ends(case, RUNS)
    assert share(found, "rolled back") == 1.0
    assert (median(found, "rolled back") or 0) <= within


def test_slow_answers_count_once_the_pods_are_warm() -> None:
    found = ends(Case(constant(0.0), constant(0.0), slow=constant(1.0)), RUNS)
    assert share(found, "rolled back") == 1.0
    assert (median(found, "rolled back") or 0) <= STEPS_WARM + 3


STEPS_WARM = Policy().warm_up - 2.0
"""Their pods have been ready for two seconds when the first request comes."""


def test_a_cold_start_is_forgiven() -> None:
    cold: Rate = lambda at: 0.8 if at < 3 else 0.0  # noqa: E731  # a rate like the others
    found = ends(Case(constant(0.005), constant(0.005), slow=cold), RUNS)
    assert share(found, "promoted") == 1.0


def test_a_release_on_a_request_every_five_seconds_ends() -> None:
    """Slowly, or as soon as its user finds enough."""
    few = replace(STEPS, step_weight=0, step_weights=(50,), guard=Policy(requests=60))
    found = ends(Case(constant(0.0), constant(0.0), rate=0.2, analysis=few), 2)
    assert share(found, "promoted") == 1.0
    broken = ends(Case(constant(1.0), constant(0.0), rate=0.2, analysis=few), 2)
    assert share(broken, "rolled back") == 1.0


def test_without_the_guard_the_same_requests_roll_good_releases_back() -> None:
    """The yardstick: Flagger's rule on a canary that is as good as its primary."""
    plain = replace(STEPS, guard=None, threshold=5, interval=2.0)
    case = Case(constant(0.01), constant(0.01), rate=500.0, analysis=plain)
    assert share(ends(case, RUNS), "rolled back") >= 0.2
