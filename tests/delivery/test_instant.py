"""Points in time, as they are read."""

from typing import Any

import pytest

from delivery.api.instant import LATEST, epoch, rfc3339


@pytest.mark.parametrize(
    ("said", "seconds"), [(0, 0.0), (1.5, 1.5), ("1970-01-01T00:01:00Z", 60.0)]
)
def test_a_time_is_text_or_seconds(said: Any, seconds: float) -> None:
    assert epoch(said) == seconds


@pytest.mark.parametrize(
    "said", [-1, 10**30, float("inf"), float("nan"), "soon", "2026-01-01", True]
)
def test_what_is_no_time_is_refused(said: Any) -> None:
    with pytest.raises(ValueError, match="time|Invalid"):
        epoch(said)


def test_the_latest_time_can_be_written() -> None:
    assert rfc3339(LATEST) == "9999-12-31T00:00:00Z"
