"""`spec.analysis.guard` and what the status keeps of it <-> the values of the core."""

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from delivery.api.duration import duration, seconds
from delivery.api.instant import Instant
from delivery.api.model import Interval, Model
from delivery.counted import Counted
from delivery.evidence import Counts, Evidence
from delivery.guard import Guard, Policy
from delivery.stats import GROWING, Counters

Natural = Annotated[int, Field(ge=0)]


class GuardPolicy(Model):
    """The sequential test of canary against primary; `{}` turns it on as it is."""

    mode: Literal["both", "primary", "range", "off"] | None = Field(
        None, description="What refutes a release: its primary and its range, or one of them."
    )
    alpha: float | None = Field(
        None, description="Chance, at most, of ever rolling back a good release; default 0.01."
    )
    on_worse: Literal["hold", "warn", "rollback"] | None = Field(
        None, description="For a release worse than primary, within its range; default hold."
    )
    warm_up: Interval | None = Field(
        None, description="How long a new pod's durations are left out; default 15s."
    )
    min_requests: int | None = Field(
        None,
        description="Canary requests that promotion waits for; by default as many as it takes.",
    )


class HalfCounts(Model):
    """Requests of one half, and the bad ones among them."""

    model_config = ConfigDict(extra="ignore")

    requests: Natural
    bad: Natural


class PairCounts(Model):
    """Requests of both halves."""

    model_config = ConfigDict(extra="ignore")

    canary: HalfCounts
    primary: HalfCounts


class MetricEvidence(Model):
    """Against one metric; logarithms of the products, one for each alternative."""

    model_config = ConfigDict(extra="ignore")

    metric: str
    allowed: float = Field(description="Share of bad requests within the range.")
    relative: tuple[float, ...]
    absolute: tuple[float, ...]
    relative_peak: float
    absolute_peak: float
    canary: HalfCounts
    primary: HalfCounts
    unpaired: PairCounts | None = Field(
        None, description="Those since both halves last had a request."
    )


class SeriesCounters(Model):
    """Absolute counters that are covered, without those that are 0."""

    model_config = ConfigDict(extra="ignore")

    counts: dict[str, Natural]
    buckets: dict[str, Natural] | None = Field(
        None, description="Requests by the duration from which on they are counted, in ms."
    )


class CanaryGuard(Model):
    """Evidence of the release, and the counters that it covers."""

    model_config = ConfigDict(extra="ignore")

    since_time: Instant | None = None
    step_time: Instant | None = None
    fresh_time: Instant | None = None
    warm_time: Instant | None = None
    answered_time: Instant | None = None
    requests: Natural = 0
    step_requests: Natural = 0
    fresh_requests: Natural = 0
    evidence: tuple[MetricEvidence, ...] | None = None
    covered: dict[str, dict[str, SeriesCounters]] | None = None
    warned: tuple[str, ...] | None = None


def policy_of(said: GuardPolicy | None) -> Policy | None:
    """None, that is no guard, where none is asked for."""
    if said is None:
        return None
    usual = Policy()
    return Policy(
        mode=said.mode or usual.mode,
        alpha=usual.alpha if said.alpha is None else said.alpha,
        on_worse=said.on_worse or usual.on_worse,
        warm_up=usual.warm_up if said.warm_up is None else seconds(said.warm_up),
        requests=said.min_requests,
    )


def effective_policy(policy: Policy) -> dict[str, Any]:
    """In the words of the spec."""
    said = GuardPolicy.model_validate(
        {
            "mode": policy.mode,
            "alpha": policy.alpha,
            "on_worse": policy.on_worse,
            "warm_up": duration(policy.warm_up),
            "min_requests": policy.requests,
        }
    )
    return said.model_dump(mode="json", by_alias=True, exclude_none=True)


def guard_of(said: CanaryGuard | None) -> Guard:
    if said is None:
        return Guard()
    return Guard(
        since=said.since_time or 0.0,
        stepped=said.step_time or 0.0,
        requests=said.requests,
        step_requests=said.step_requests,
        fresh=said.fresh_time or 0.0,
        fresh_requests=said.fresh_requests,
        warmed=said.warm_time or 0.0,
        answered=said.answered_time or 0.0,
        evidence={one.metric: evidence_of(one) for one in said.evidence or ()},
        covered=counted_of(said.covered or {}),
        warned=said.warned or (),
    )


def evidence_of(said: MetricEvidence) -> Evidence:
    none = HalfCounts(requests=0, bad=0)
    unpaired = said.unpaired or PairCounts(canary=none, primary=none)
    return Evidence(
        allowed=said.allowed,
        relative=said.relative,
        absolute=said.absolute,
        relative_peak=said.relative_peak,
        absolute_peak=said.absolute_peak,
        canary=counts_of(said.canary),
        primary=counts_of(said.primary),
        unpaired=(counts_of(unpaired.canary), counts_of(unpaired.primary)),
    )


def counts_of(said: HalfCounts) -> Counts:
    """More bad ones than requests cannot be: somebody else wrote that."""
    return Counts(said.requests, min(said.bad, said.requests))


def counted_of(said: Mapping[str, Mapping[str, SeriesCounters]]) -> Counted:
    return {
        source: {series: counters_of(one) for series, one in found.items()}
        for source, found in said.items()
    }


def counters_of(said: SeriesCounters) -> Counters:
    counts = {name: count for name, count in said.counts.items() if name in GROWING}
    found = sorted((float(edge), count) for edge, count in (said.buckets or {}).items())
    uppers = [*(edge for edge, _ in found[1:]), inf]
    pairs = zip(found, uppers, strict=False)
    buckets = tuple((lower, upper, n) for (lower, n), upper in pairs)
    return Counters(**counts, buckets=buckets, errors_at=())


def written_guard(guard: Guard) -> CanaryGuard | None:
    """None for one that has nothing to say."""
    if guard == Guard():
        return None
    return CanaryGuard(
        since_time=guard.since or None,
        step_time=guard.stepped or None,
        fresh_time=guard.fresh or None,
        warm_time=guard.warmed or None,
        answered_time=guard.answered or None,
        requests=guard.requests,
        step_requests=guard.step_requests,
        fresh_requests=guard.fresh_requests,
        evidence=tuple(written_evidence(name, one) for name, one in guard.evidence.items()) or None,
        covered={
            source: {series: written_counters(one) for series, one in found.items()}
            for source, found in guard.covered.items()
        }
        or None,
        warned=guard.warned or None,
    )


def written_evidence(metric: str, evidence: Evidence) -> MetricEvidence:
    canary, primary = evidence.unpaired
    return MetricEvidence(
        metric=metric,
        allowed=evidence.allowed,
        relative=evidence.relative,
        absolute=evidence.absolute,
        relative_peak=evidence.relative_peak,
        absolute_peak=evidence.absolute_peak,
        canary=counts_written(evidence.canary),
        primary=counts_written(evidence.primary),
        unpaired=PairCounts(canary=counts_written(canary), primary=counts_written(primary))
        if canary.requests or primary.requests
        else None,
    )


def counts_written(counts: Counts) -> HalfCounts:
    return HalfCounts(requests=counts.requests, bad=counts.bad)


def written_counters(counters: Counters) -> SeriesCounters:
    counts = {name: getattr(counters, name) for name in sorted(GROWING)}
    buckets = {repr(lower): count for lower, _, count in counters.buckets}
    return SeriesCounters(
        counts={name: count for name, count in counts.items() if count}, buckets=buckets or None
    )
