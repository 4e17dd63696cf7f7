"""Until when a canary that is ready warms up: one moment for the rules and for the status."""

from math import ceil

from delivery.api.instant import rfc3339
from delivery.canary import Analysis, Status


def until(status: Status, analysis: Analysis) -> float | None:
    """None before it is ready, and where it has nothing to wait for."""
    if status.ready is None or not analysis.delay:
        return None
    return status.ready + analysis.delay


def moment(status: Status, analysis: Analysis) -> str:
    """As it is shown, to the second; empty where there is none."""
    end = until(status, analysis)
    return "" if end is None else rfc3339(ceil(end))
