"""How weights step (reference, 2.3 and 2.5)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary import Analysis
from delivery.strategy import (
    Split,
    canary_size,
    highest,
    next_split,
    next_weight,
    returned_weight,
    size_ahead,
    strategy,
)


def splits(analysis: Analysis) -> list[Split]:
    """Each split of a whole release, as long as everything passes."""
    found = [Split()]
    while following := next_split(analysis, found[-1]):
        found.append(following)
    return found[1:]


def weights(analysis: Analysis) -> list[int]:
    """Each weight of a whole release, from the first step to promotion."""
    found = [next_weight(analysis, 0)]
    while found[-1] < highest(analysis):
        found.append(next_weight(analysis, found[-1]))
    return found


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [
        (Analysis(step_weight=100), [100]),
        (Analysis(step_weight=10, max_weight=20), [10, 20]),
        (Analysis(step_weight=10, max_weight=50), [10, 20, 30, 40, 50]),
        (Analysis(step_weights=(1, 2, 10, 80)), [1, 2, 10, 80]),
        (Analysis(step_weights=(5, 110)), [5, 100]),
        (Analysis(step_weights=(10, 60), max_weight=50), [10, 60]),
        (Analysis(step_weights=(10,), step_weight=3), [10]),
        (Analysis(max_weight=30), [30]),
    ],
)
def test_weights_step_as_in_flagger(analysis: Analysis, expected: list[int]) -> None:
    assert weights(analysis) == expected


def test_the_last_step_never_overshoots_as_flaggers_does() -> None:
    assert weights(Analysis(step_weight=20, max_weight=50)) == [20, 40, 50]


def test_without_any_step_the_release_advances_all_the_same() -> None:
    assert weights(Analysis()) == [100]


def test_a_weight_between_two_steps_goes_to_the_next_one() -> None:
    assert next_weight(Analysis(step_weights=(1, 10, 80)), 7) == 10


@pytest.mark.parametrize(
    ("step", "weight", "expected"), [(0, 50, 0), (50, 100, 50), (50, 50, 0), (30, 20, 0)]
)
def test_traffic_returns_at_once_or_in_steps(step: int, weight: int, expected: int) -> None:
    assert returned_weight(Analysis(step_weight_promotion=step), weight) == expected


@pytest.mark.parametrize(
    ("weight", "replicas", "expected"),
    [
        (0, 3, 1),
        (10, 3, 1),
        (25, 3, 1),
        (50, 3, 2),
        (50, 4, 3),
        (10, 100, 12),
        (83, 6, 6),
        (100, 3, 3),
        (1, 1, 1),
        (100, 1, 1),
    ],
)
def test_the_canary_is_large_enough_for_its_share_with_headroom(
    weight: int, replicas: int, expected: int
) -> None:
    assert canary_size(replicas, weight) == expected


@pytest.mark.parametrize(("weight", "expected"), [(0, 2), (10, 3), (25, 6), (50, 6), (60, 8)])
def test_its_pods_are_there_before_the_step_that_needs_them(weight: int, expected: int) -> None:
    assert size_ahead(Analysis(step_weights=(10, 25, 50)), 10, Split(weight)) == expected


@given(st.integers(1, 500), st.integers(0, 100))
def test_a_pod_of_the_canary_never_has_a_larger_share_than_one_of_the_primary(
    replicas: int, weight: int
) -> None:
    assert canary_size(replicas, weight) * 100 >= weight * replicas
    assert 1 <= canary_size(replicas, weight) <= replicas


steps = st.one_of(
    st.builds(Analysis, step_weight=st.integers(0, 100), max_weight=st.integers(1, 100)),
    st.builds(
        Analysis,
        step_weights=st.lists(st.integers(1, 120), min_size=1, unique=True).map(
            lambda found: tuple(sorted(found))
        ),
    ),
)


@given(steps)
def test_weights_rise_at_every_step_and_end_at_the_highest(analysis: Analysis) -> None:
    found = weights(analysis)
    assert all(before < after for before, after in pairwise([0, *found]))
    assert found[-1] == highest(analysis) <= 100


@given(steps)
def test_without_iterations_splits_are_weights_alone(analysis: Analysis) -> None:
    assert strategy(analysis) == "canary"
    assert splits(analysis) == [Split(weight) for weight in weights(analysis)]


def test_blue_green_tries_the_canary_without_users_and_then_moves_all_of_them() -> None:
    analysis = Analysis(iterations=3)
    assert strategy(analysis) == "blue-green"
    assert splits(analysis) == [Split(0, 1), Split(0, 2), Split(0, 3), Split(100, 4)]
    assert size_ahead(analysis, 7, Split()) == 7
    assert highest(analysis) == 100


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        (1, [Split(30, 0), Split(60, 1)]),
        (2, [Split(30, 0), Split(60, 1)]),
        (4, [Split(30, 0), Split(60, 1), Split(60, 2), Split(60, 3)]),
    ],
)
def test_with_weights_too_so_many_checks_must_have_passed(
    iterations: int, expected: list[Split]
) -> None:
    analysis = Analysis(step_weight=30, max_weight=60, iterations=iterations)
    assert strategy(analysis) == "canary"
    assert splits(analysis) == expected


@given(st.integers(0, 9), st.integers(1, 9), st.integers(0, 100), st.integers(0, 60))
def test_from_wherever_a_change_of_the_canary_leaves_it_a_release_ends(
    done: int, iterations: int, weight: int, step: int
) -> None:
    analysis, now, seen = Analysis(iterations=iterations, step_weight=step), Split(weight, done), 0
    while following := next_split(analysis, now):
        assert following.weight >= now.weight
        now, seen = following, seen + 1
    assert now.weight >= highest(analysis)
    assert seen <= 101 + iterations
