"""Two e-processes: exact under their hypotheses, strong against what they do not allow."""

from math import comb, exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.evidence import (
    LEAST_ALLOWED,
    MULTIPLES,
    RATIOS,
    Counts,
    absolute_logs,
    alternatives,
    begun,
    grown,
    mixed,
    relative_logs,
)

SMALL = st.integers(0, 12)


@given(canary=SMALL, primary=SMALL, data=st.data())
def test_no_ratio_gains_on_average_while_both_halves_are_alike(
    canary: int, primary: int, data: st.DataObject
) -> None:
    """Exactly, over every way in which the bad ones may fall on the halves."""
    bad = data.draw(st.integers(0, canary + primary))
    means = [0.0] * len(RATIOS)
    for ours in range(max(0, bad - primary), min(bad, canary) + 1):
        chance = comb(canary, ours) * comb(primary, bad - ours) / comb(canary + primary, bad)
        logs = relative_logs(Counts(canary, ours), Counts(primary, bad - ours))
        means = [mean + chance * exp(one) for mean, one in zip(means, logs, strict=True)]
    assert all(mean <= 1.0 + 1e-9 for mean in means)


@given(requests=SMALL, allowed=st.floats(0.001, 0.6), share=st.floats(0.0, 1.0))
def test_no_multiple_gains_on_average_within_the_range(
    requests: int, allowed: float, share: float
) -> None:
    true = share * allowed
    means = [0.0] * len(alternatives(allowed))
    for bad in range(requests + 1):
        chance = comb(requests, bad) * true**bad * (1.0 - true) ** (requests - bad)
        logs = absolute_logs(Counts(requests, bad), allowed)
        means = [mean + chance * exp(one) for mean, one in zip(means, logs, strict=True)]
    assert all(mean <= 1.0 + 1e-9 for mean in means)


def test_half_of_a_few_requests_failing_is_plain() -> None:
    found = grown(begun(0.01), Counts(10, 5), Counts(90, 0))
    assert min(found.relative_peak, found.absolute_peak) > log(200)


def test_an_outage_of_both_halves_says_nothing_of_the_canary() -> None:
    found = grown(begun(0.01), Counts(100, 50), Counts(900, 450))
    assert found.relative_peak == 0.0
    assert found.absolute_peak > log(1e6)


def test_peaks_stay_and_evidence_fades() -> None:
    high = grown(begun(0.01), Counts(20, 4), Counts(180, 0))
    later = grown(high, Counts(5000, 10), Counts(45000, 90))
    assert mixed(later.absolute) < mixed(high.absolute)
    assert (later.relative_peak, later.absolute_peak) == (high.relative_peak, high.absolute_peak)


def test_counts_are_added_up() -> None:
    found = grown(grown(begun(0.01), Counts(10, 1), Counts(5)), Counts(3, 2), Counts(4, 1))
    assert (found.canary, found.primary) == (Counts(13, 3), Counts(9, 1))


@pytest.mark.parametrize(("canary", "primary"), [((0, 0), (0, 0)), ((0, 0), (9, 3))])
def test_without_canary_requests_nothing_is_learnt(
    canary: tuple[int, int], primary: tuple[int, int]
) -> None:
    assert relative_logs(Counts(*canary), Counts(*primary)) == [0.0] * len(RATIOS)


def test_without_primary_requests_nothing_is_compared() -> None:
    found = relative_logs(Counts(9, 3), Counts())
    assert found == pytest.approx([0.0] * len(RATIOS))


def test_rare_requests_wait_for_one_of_the_other_half() -> None:
    """Else two halves that are never seen together would never be compared."""
    found = begun(0.01)
    for _ in range(8):
        found = grown(grown(found, Counts(), Counts(1)), Counts(1, 1), Counts())
    assert found.relative_peak > log(20)
    assert found.unpaired == (Counts(), Counts())
    alone = grown(found, Counts(1, 1), Counts())
    assert (alone.unpaired, alone.relative) == ((Counts(1, 1), Counts()), found.relative)


@pytest.mark.parametrize(
    ("allowed", "known"),
    [(0.01, 7), (0.02, 6), (0.15, 4), (0.5, 1), (0.7, 0)],
)
def test_alternatives_are_shares(allowed: float, known: int) -> None:
    assert alternatives(allowed) == tuple(allowed * one for one in MULTIPLES[:known])


def test_a_range_that_allows_everything_is_never_left() -> None:
    assert grown(begun(0.9), Counts(100, 100), Counts()).absolute_peak == 0.0


def test_a_range_that_allows_nothing_still_forgives_one() -> None:
    assert begun(0.0).allowed == LEAST_ALLOWED


@pytest.mark.parametrize(("requests", "bad"), [(1, 2), (1, -1), (-1, 0)])
def test_counts_that_cannot_be_are_a_mistake_of_ours(requests: int, bad: int) -> None:
    with pytest.raises(ValueError, match="bad ones among"):
        Counts(requests, bad)


def test_a_share_of_nothing_is_none() -> None:
    assert (Counts().share, Counts(4, 1).share) == (0.0, 0.25)


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=8))
def test_a_mean_lies_between_its_terms(logs: list[float]) -> None:
    assert min(logs) - 1e-9 <= mixed(logs) <= max(logs) + 1e-9
