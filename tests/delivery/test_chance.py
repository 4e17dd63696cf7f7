"""When a small sample may be chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.chance import is_accident, upper_tail


@pytest.mark.parametrize(
    ("requests", "bad", "allowed", "accident"),
    [
        (1, 1, 0.0, False),
        (1, 1, 0.01, False),
        (2, 1, 0.01, True),
        (99, 2, 0.01, True),
        (99, 5, 0.01, False),
        (100, 1, 0.01, False),
        (19, 1, 0.05, True),
        (20, 1, 0.05, False),
    ],
)
def test_from_one_allowed_bad_request_on_nothing_is_an_accident(
    requests: int, bad: int, allowed: float, accident: bool
) -> None:
    assert is_accident(requests, bad, allowed) is accident


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.0, 1.0))
def test_the_binomial_tail_falls_from_one_to_nothing(trials: int, hits: int, p: float) -> None:
    assert upper_tail(trials, 0, p) == 1.0
    tail = upper_tail(trials, min(hits, trials), p)
    assert -1e-9 <= tail <= 1.0 + 1e-9
    assert tail <= upper_tail(trials, max(0, min(hits, trials) - 1), p) + 1e-9
