"""What the guard holds a release to: the bounds of the checks that count bad requests."""

from collections.abc import Iterator
from dataclasses import replace

from delivery.canary import Analysis, Metric
from delivery.checks import ERROR_RATE, SUCCESS_RATE, is_by_name, quantile
from delivery.guard import OFF, RANGE, Hypothesis, Policy, needed
from delivery.strategy import serves_apart


def policy(analysis: Analysis) -> Policy | None:
    """The guard that is on; None where there is none.

    Where the halves have different users a comparison says nothing: the range alone counts.
    """
    if analysis.guard is None or analysis.guard.mode == OFF:
        return None
    return replace(analysis.guard, mode=RANGE) if serves_apart(analysis) else analysis.guard


def hypotheses(analysis: Analysis) -> tuple[Hypothesis, ...]:
    """What the built-in checks hold a release to; a check without such a bound is none."""
    return tuple(found for metric in analysis.metrics for found in hypothesis(metric))


def evidence_needed(analysis: Analysis, strict: Policy) -> float:
    """For each metric's processes alike."""
    return needed(strict, len(hypotheses(analysis)))


def hypothesis(metric: Metric) -> Iterator[Hypothesis]:
    """None of a metric that asks a backend under one of the names that Flagger does not know."""
    if not is_by_name(metric.name, asks=metric.asks):
        return
    if metric.name == SUCCESS_RATE and metric.minimum is not None:
        yield Hypothesis(metric.name, round(1.0 - metric.minimum / 100.0, 9))
    if metric.name == ERROR_RATE and metric.maximum is not None:
        yield Hypothesis(metric.name, metric.maximum / 100.0)
    if (share := quantile(metric.name)) and metric.maximum:
        yield Hypothesis(metric.name, round(1.0 - share, 9), limit=metric.maximum)
