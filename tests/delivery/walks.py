"""A whole release, look after look, as long as the world is kind."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from delivery.canary import Canary, Phase, Status
from delivery.observation import Observation
from delivery.step import step
from tests.delivery.scenes import NOW, RELEASING, canary, half, releasing

MOST = 60


def kind(found: Canary, now: float, **changes: Any) -> Observation:
    """Whatever the status intends is so."""
    status = found.status
    promoted = status.observed if status.phase in (Phase.PROMOTING, Phase.FINALISING) else "v1"
    look = releasing(target=half("v2", status.scale or 0), primary=half(promoted), **changes)
    return replace(look, now=now)


def walk(status: Status = RELEASING, **changes: Any) -> Iterator[tuple[Status, list[str]]]:
    """Each status that differs from the one before it, and what was said; until it ends."""
    seen = changes.pop("seen", {})
    found, now = canary(status, **changes), NOW
    for _ in range(MOST):
        decision = step(found, kind(found, now, **seen))
        if decision.messages or split(decision.canary.status) != split(found.status):
            yield decision.canary.status, [message.text for message in decision.messages]
        found, now = decision.canary, now + found.analysis.interval
        if found.status.phase in (Phase.SUCCEEDED, Phase.FAILED):
            return


def split(status: Status) -> tuple[object, ...]:
    return status.phase, status.canary_weight, status.iterations


def said(status: Status = RELEASING, **changes: Any) -> list[str]:
    return [text for _, texts in walk(status, **changes) for text in texts]
