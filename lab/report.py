"""Progress as the lab's commands print it: one line a step, with the seconds it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

STARTED = time.monotonic()


class LabError(Exception):
    """What the user must know, in one readable message."""


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:7.1f}s  {text}", flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say when a step is done and how long it took; a failing step speaks by its exception."""
    began = time.monotonic()
    yield
    say(f"{text} ({time.monotonic() - began:.1f} s)")
