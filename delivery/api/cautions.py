"""What can be done as it is asked for, and is hardly what was meant: told at admission."""

from collections.abc import Iterator, Mapping
from typing import Any

from delivery.api.canary import Canary
from delivery.api.checks import metric_of
from delivery.api.guard import policy_of
from delivery.api.hooks import mistaken_rollbacks
from delivery.api.shape import read
from delivery.evidence import bounded
from delivery.guard import OFF, needed
from delivery.hypotheses import hypothesis
from delivery.power import REGRESSION, requests_to_show

MANY_REQUESTS = 10_000


def cautions(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Of a Canary that has no problems."""
    found = read(Canary, {"metadata": obj.get("metadata") or {}, "spec": obj["spec"]})
    return (*strict_ranges(found), *mistaken_rollbacks(found))


def strict_ranges(canary: Canary) -> Iterator[str]:
    """A range that nearly nothing may leave takes very long to be believed."""
    analysis = canary.spec.analysis
    strict = policy_of(analysis.guard) if analysis else None
    if analysis is None or strict is None or strict.mode == OFF:
        return
    metrics = [(index, metric_of(one)) for index, one in enumerate(analysis.metrics or ())]
    bounds = [(index, one) for index, metric in metrics for one in hypothesis(metric)]
    limit = needed(strict, len(bounds))
    for index, one in bounds:
        allowed = bounded(one.allowed)
        requests = requests_to_show(REGRESSION, allowed, limit)
        path = f"spec.analysis.metrics[{index}].thresholdRange"
        if one.allowed < allowed:
            yield f"{path}: allows no failure at all; the guard takes it for {allowed:.2%}"
        if requests > MANY_REQUESTS and strict.requests is None:
            yield (
                f"{path}: promotion waits for {requests} canary requests, to tell a regression "
                "from chance; widen it, or set spec.analysis.guard.minRequests"
            )
