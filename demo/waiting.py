"""Waits for conditions, never for time alone, and says what it saw last when one does not come."""

import time
from collections.abc import Callable
from typing import Literal, TypeVar

from cluster.errors import ClusterError

T = TypeVar("T")

PAUSE_SECONDS = 0.2


class NeverHappened(AssertionError):
    """A condition that did not come about in its time."""


def eventually(
    what: str,
    look: Callable[[], T | Literal[False] | None],
    *,
    timeout: float = 60,
    pause: float = PAUSE_SECONDS,
) -> T:
    """What `look` gives as soon as it is true; the API may be away meanwhile."""
    began = time.monotonic()
    while True:
        seen: object
        try:
            value = look()
            if value:
                return value
            seen = value
        except ClusterError as error:
            seen = error
        if time.monotonic() - began > timeout:
            raise NeverHappened(f"{what}: not within {timeout:.0f} s; last seen: {seen!r}")
        time.sleep(pause)


def always(what: str, look: Callable[[], object], *, seconds: float) -> None:
    """Watch that something stays true for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not look():
            raise AssertionError(f"{what}: no longer so")
        time.sleep(PAUSE_SECONDS)
