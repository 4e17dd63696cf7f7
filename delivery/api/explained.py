"""`status.lastDecision`: why a release stands where it stands, and what would change it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field

from delivery import guard
from delivery.api.guard import HalfCounts, counts_written
from delivery.api.instant import Instant, epoch
from delivery.api.model import Model
from delivery.canary import ANALYSING, Analysis, Metric, Phase, Status, Verdict
from delivery.evidence import Evidence
from delivery.guard import Policy
from delivery.hypotheses import evidence_needed, policy
from delivery.warm_up import moment


class EvidenceShown(Model):
    """As plain numbers; each must have reached `needed` for a rollback (in mode both)."""

    worse_than_primary: float
    out_of_range: float
    needed: float


class MetricShown(Model):
    """One check: what was measured against what is allowed, and the guard's view of it."""

    model_config = ConfigDict(extra="ignore")

    name: str
    outcome: str | None = None
    value: float | None = None
    range: str | None = Field(None, description="What the value must be, for example >= 99.")
    samples: int | None = None
    canary: HalfCounts | None = Field(None, description="Since the release began.")
    primary: HalfCounts | None = Field(None, description="Since the release began.")
    evidence: EvidenceShown | None = None
    would_change: str | None = Field(None, description="What would bring a rollback.")


class HookShown(Model):
    """A hook that has been heard in this release."""

    model_config = ConfigDict(extra="ignore")

    name: str
    type: str
    outcome: str
    reason: str | None = None


class NextShown(Model):
    """What happens by itself, and when."""

    model_config = ConfigDict(extra="ignore")

    what: str
    time: Instant


class CanaryDecision(Model):
    """The last decision and everything that it stood on."""

    model_config = ConfigDict(extra="ignore")

    phase: Phase = Field(description="Where the release stood.")
    weight: int
    reason: str
    next: NextShown | None = Field(None, description="What happens by itself, and when.")
    metrics: tuple[MetricShown, ...] | None = None
    hooks: tuple[HookShown, ...] | None = None


def explained(status: Status, analysis: Analysis) -> Mapping[str, Any]:
    """Nothing before the first decision."""
    if not status.message:
        return {}
    strict = policy(analysis)
    verdicts = {one.metric: one for one in status.verdicts}
    shown = [
        metric_shown(metric, verdicts.get(metric.name), status, strict, analysis)
        for metric in analysis.metrics
        if metric.name in verdicts or metric.name in status.guard.evidence
    ]
    decision = CanaryDecision(
        phase=status.phase,
        weight=status.canary_weight,
        reason=status.message,
        next=next_shown(status, analysis),
        metrics=tuple(shown) or None,
        hooks=tuple(hooks_shown(status, analysis)) or None,
    )
    return {"lastDecision": decision.model_dump(mode="json", by_alias=True, exclude_none=True)}


def next_shown(status: Status, analysis: Analysis) -> NextShown | None:
    """The end of a warm-up, while that is what is waited for."""
    then = moment(status, analysis)
    if not then or then not in status.message:
        return None
    return NextShown(what="first step", time=epoch(then))


def hooks_shown(status: Status, analysis: Analysis) -> Iterator[HookShown]:
    for hook in analysis.hooks:
        if told := status.hooks.get(hook.name):
            kind, reason = hook.type.value, told.reason or None
            yield HookShown(name=hook.name, type=kind, outcome=told.outcome, reason=reason)


def metric_shown(
    metric: Metric,
    verdict: Verdict | None,
    status: Status,
    strict: Policy | None,
    analysis: Analysis,
) -> MetricShown:
    found = status.guard.evidence.get(metric.name)
    said = verdict or Verdict(metric.name, "")
    shown = MetricShown(
        name=metric.name,
        outcome=said.outcome or None,
        value=None if said.value is None else float(f"{said.value:.6g}"),
        range=" and ".join(bounds(metric)) or None,
        samples=said.samples or None,
    )
    if found is None or strict is None:
        return shown
    limit = evidence_needed(analysis, strict)
    return shown.model_copy(
        update={
            "canary": counts_written(found.canary),
            "primary": counts_written(found.primary),
            "evidence": EvidenceShown(
                worse_than_primary=rounded(found.relative_peak),
                out_of_range=rounded(found.absolute_peak),
                needed=limit,
            ),
            "would_change": would_change(found, strict, limit, status),
        }
    )


def bounds(metric: Metric) -> Iterator[str]:
    if metric.minimum is not None:
        yield f">= {metric.minimum:g}"
    if metric.maximum is not None:
        yield f"<= {metric.maximum:g}"


def rounded(logarithm: float) -> float:
    return float(f"{guard.strength(logarithm):.3g}")


def would_change(found: Evidence, strict: Policy, limit: float, status: Status) -> str | None:
    """Only while the guard is at work."""
    if status.phase not in ANALYSING or not status.is_asked:
        return None
    missing = guard.until_refuted(found, strict, limit, status.canary_weight)
    if missing is None:
        return f"not even {guard.MOST_MORE} bad canary requests in a row would roll it back"
    return f"{missing} more bad canary requests in a row would roll it back"
