"""Seconds since the epoch that do not jump while a release runs."""

import time
from collections.abc import Callable


class Clock:
    """Goes on as steadily as the machine runs from when it was set last, whatever is done to the
    machine's time of day meanwhile: windows would be torn, or the past would come again.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self.set()

    def set(self) -> None:
        """By the time of day: only where nobody looks back."""
        self._offset = self._wall() - self._steady()

    def now(self) -> float:
        return self._steady() + self._offset
