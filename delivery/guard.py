"""The guard: what the counters say of a release, scrape by scrape, and whether that is too much.

Pure bookkeeping around the two e-processes (evidence). The state lives in the Canary's status
together with the counters that it covers: whoever takes over goes on from there, and nothing is
counted twice.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, log

from delivery.counted import Counted, covering, difference, narrowed
from delivery.evidence import Counts, Evidence, begun, grown
from delivery.frozen import frozen
from delivery.stats import Sample

BOTH, PRIMARY, RANGE, OFF = "both", "primary", "range", "off"
MODES = (BOTH, PRIMARY, RANGE, OFF)
HOLD, WARN, ROLLBACK = "hold", "warn", "rollback"
ON_WORSE = (HOLD, WARN, ROLLBACK)

STEP_SECONDS = 10.0
STEP_REQUESTS = 20
"""A step is not judged by less than this, however short the interval is."""
WARM_REQUESTS = 50
"""After so many requests a pod is warm, if the time has not come before."""
DRAIN_SECONDS = 10.0
"""After a weight fell to none: requests that still end belong to what was there before."""

MOST_MORE = 1000
"""Bad requests in a row beyond which nobody is told how many would be enough."""


@dataclass(frozen=True)
class Policy:
    """How strict the guard is.

    `alpha` is the chance, at most, that a release which is no worse than its primary is ever
    rolled back (the same for one within its range). `warm_up` in seconds. `requests` is what
    promotion waits for; None lets the guard say how many it needs.
    """

    mode: str = BOTH
    alpha: float = 0.01
    on_worse: str = HOLD
    warm_up: float = 15.0
    requests: int | None = None


@dataclass(frozen=True)
class Hypothesis:
    """What one metric holds a release to: at most the share `allowed` of its requests is bad.

    Bad is slower than `limit` milliseconds; without a limit it is failed.
    """

    metric: str
    allowed: float
    limit: float | None = None


@dataclass(frozen=True)
class Guard:
    """Since a revision's release began; times are seconds since the epoch.

    No evidence is taken before `since`. `requests` and `step_requests` are the canary's, of the
    release and since `stepped`, when its present weight was reached. `fresh` is when the newest
    of its pods became ready, `fresh_requests` what was answered since, `warmed` when that was
    enough, 0 before. `answered` is when it last answered anything. `warned` are metrics that
    users were told of.
    """

    since: float = 0.0
    stepped: float = 0.0
    requests: int = 0
    step_requests: int = 0
    fresh: float = 0.0
    fresh_requests: int = 0
    warmed: float = 0.0
    answered: float = 0.0
    evidence: Mapping[str, Evidence] = field(default_factory=frozen)
    covered: Counted = field(default_factory=frozen)
    warned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """One scrape's counters, and what must be known to weigh them.

    `canary` and `primary` name the series of the halves. `ready` counts the canary's pods, `fresh`
    is when the newest became ready.
    """

    now: float
    counted: Counted
    canary: tuple[str, ...]
    primary: tuple[str, ...]
    ready: int = 1
    fresh: float = 0.0


def started_over(asked: bool, now: float) -> Guard:
    """For a new revision; what one before it that was asked still answers is left out."""
    return Guard(since=round(now + DRAIN_SECONDS, 6) if asked else now)


def stepped(guard: Guard, now: float) -> Guard:
    return replace(guard, stepped=now, step_requests=0)


def taken(guard: Guard, hypotheses: Sequence[Hypothesis], policy: Policy, look: Look) -> Guard:
    """The guard after one more look."""
    limits = tuple(one.limit for one in hypotheses if one.limit is not None)
    after = narrowed(look.counted, (*look.canary, *look.primary), limits)
    canary = difference(guard.covered, after, look.canary)
    primary = difference(guard.covered, after, look.primary)
    guard = replace(warmed(guard, policy, look), covered=covering(guard.covered, after))
    if look.now < guard.since:
        return guard
    warm = bool(guard.warmed)
    found = {
        one.metric: weighed(guard.evidence.get(one.metric), one, canary, primary, warm)
        for one in hypotheses
    }
    return replace(
        guard,
        evidence=found,
        answered=look.now if canary.requests else guard.answered,
        requests=guard.requests + canary.requests,
        step_requests=guard.step_requests + canary.requests,
        fresh_requests=guard.fresh_requests + canary.requests,
    )


def weighed(
    before: Evidence | None, against: Hypothesis, canary: Sample, primary: Sample, warm: bool
) -> Evidence:
    """Anew where another range is asked for than before."""
    fresh = begun(against.allowed)
    if before is None or before.allowed != fresh.allowed:
        before = fresh
    if against.limit is not None and not warm:
        return before
    return grown(before, counts(canary, against.limit), counts(primary, against.limit))


def counts(sample: Sample, limit: float | None) -> Counts:
    if limit is None:
        return Counts(sample.requests, sample.bad)
    return Counts(sample.timed, min(sample.timed, sample.slower_than(limit)))


def warmed(guard: Guard, policy: Policy, look: Look) -> Guard:
    """A pod that became ready begins another warm-up; it ends by time, or by what was answered."""
    if look.fresh > guard.fresh:
        guard = replace(guard, fresh=look.fresh, fresh_requests=0, warmed=0.0)
    if guard.warmed or not look.ready:
        return guard
    answered = guard.fresh_requests >= WARM_REQUESTS * look.ready
    late = look.now - guard.fresh >= policy.warm_up
    return replace(guard, warmed=look.now) if answered or late else guard


def needed(policy: Policy, hypotheses: int) -> float:
    """The evidence that each process must have reached: alpha is shared by all metrics."""
    return max(1, hypotheses) / policy.alpha


def is_worse(evidence: Evidence, limit: float) -> bool:
    """Than the primary."""
    return evidence.relative_peak >= log(limit)


def is_out_of_range(evidence: Evidence, limit: float) -> bool:
    return evidence.absolute_peak >= log(limit)


def is_alone(evidence: Evidence, weight: int) -> bool:
    """Whether no primary is there to compare with: its range alone must do."""
    unmatched = evidence.canary.requests >= STEP_REQUESTS and not evidence.primary.requests
    return weight >= 100 or unmatched


def is_refuted(evidence: Evidence, policy: Policy, limit: float, weight: int) -> bool:
    """Whether it is enough to roll back."""
    mode = RANGE if policy.mode == BOTH and is_alone(evidence, weight) else policy.mode
    worse = mode == RANGE or is_worse(evidence, limit)
    outside = mode == PRIMARY or is_out_of_range(evidence, limit)
    return worse and outside


def until_refuted(evidence: Evidence, policy: Policy, limit: float, weight: int) -> int | None:
    """How many more bad canary requests in a row would be enough, with good ones on the primary.

    None where MOST_MORE are not, 0 where it is refuted already.
    """

    def enough(bad: int) -> bool:
        good = bad * (100 - weight) // weight if weight else 0
        more = grown(evidence, Counts(bad, bad), Counts(good))
        return is_refuted(more, policy, limit, weight)

    counts = range(MOST_MORE + 1)
    found = bisect_left(counts, True, key=enough)
    return found if found <= MOST_MORE else None


def strength(logarithm: float) -> float:
    """Evidence as a number that can be read, and written as JSON."""
    return exp(min(logarithm, 600.0))
