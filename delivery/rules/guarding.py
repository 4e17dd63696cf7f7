"""The guard's part in a release: it takes evidence, rolls back, holds, and says what is missing."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from delivery import culprit, guard, names, serving
from delivery.canary import ANALYSING, Canary
from delivery.checks import go_duration
from delivery.decision import Decision, warning
from delivery.evidence import Evidence, bounded
from delivery.guard import Hypothesis, Look, Policy
from delivery.hypotheses import evidence_needed, hypotheses, policy
from delivery.observation import Observation
from delivery.power import REGRESSION, requests_to_show
from delivery.rules.outcome import full_name, rolled_back, waits, with_status


def weighed(canary: Canary) -> Iterator[tuple[Hypothesis, Evidence]]:
    """What there is evidence about."""
    for one in hypotheses(canary.analysis):
        if found := canary.status.guard.evidence.get(one.metric):
            yield one, found


def counts_are_taken(canary: Canary, seen: Observation) -> Canary:
    """What was counted since the status was written; when a release has ended, nothing more."""
    found, strict = canary.status.guard, policy(canary.analysis)
    if canary.status.phase not in ANALYSING:
        return with_status(canary, guard=replace(found, covered={})) if found.covered else canary
    if strict is None or canary.skip_analysis or seen.target is None:
        return canary
    look = Look(
        now=seen.now,
        counted=seen.counted,
        canary=serving.clusters(canary, names.CANARY),
        primary=serving.clusters(canary, names.PRIMARY),
        ready=seen.target.ready_pods,
        fresh=seen.target.fresh,
    )
    after = guard.taken(found, hypotheses(canary.analysis), strict, look)
    return with_status(canary, guard=after)


def refuted_release_rolls_back(canary: Canary, seen: Observation) -> Decision | None:
    """In the look that crosses, whatever the interval is."""
    strict = policy(canary.analysis)
    if strict is None:
        return None
    limit, weight = evidence_needed(canary.analysis, strict), canary.status.canary_weight
    for one, found in weighed(canary):
        if is_enough(found, strict, limit, weight):
            told = suffered(one, found) + (culprit.told(canary, seen) if one.limit is None else "")
            text = f"Rolling back {full_name(canary)} {told}"
            return rolled_back(canary, seen, warning(text))
    return None


def is_enough(found: Evidence, strict: Policy, limit: float, weight: int) -> bool:
    """Worse than the primary is enough by itself where the policy says so."""
    if strict.on_worse == guard.ROLLBACK and guard.is_worse(found, limit):
        return strict.mode != guard.RANGE
    return guard.is_refuted(found, strict, limit, weight)


def suffered(one: Hypothesis, found: Evidence) -> str:
    """What users met, in one sentence."""
    bad, every = found.canary.bad, found.canary.requests
    what = "failed" if one.limit is None else f"took longer than {go_duration(one.limit)}"
    beside = "no primary traffic to compare with"
    if found.primary.requests:
        beside = f"{percent(found.primary.share)} on primary"
    return (
        f"{bad} of {every} canary requests {what} ({percent(found.canary.share)}) against {beside}"
    )


def percent(share: float) -> str:
    """Two digits at least: 29 %, 0.42 %, 100 %."""
    return f"{100.0 * share:.2g} %" if share < 0.995 else "100 %"


def worse_release_holds(canary: Canary, seen: Observation) -> Decision | None:
    """Worse than its primary, and yet within its range: a person may know why."""
    strict = policy(canary.analysis)
    if strict is None or strict.mode != guard.BOTH:
        return None
    limit = evidence_needed(canary.analysis, strict)
    for one, found in weighed(canary):
        if guard.is_worse(found, limit):
            why = f"worse than primary, within its range: {suffered(one, found)}"
            if strict.on_worse == guard.HOLD:
                return waits(canary, f"Halt {full_name(canary)} advancement {one.metric} {why}")
            if one.metric not in canary.status.guard.warned:
                return warns(canary, one.metric, f"{full_name(canary)} {one.metric} {why}")
    return None


def warns(canary: Canary, metric: str, text: str) -> Decision:
    """Once; the release goes on."""
    found = canary.status.guard
    told = replace(found, warned=(*found.warned, metric))
    return Decision(with_status(canary, guard=told), text, (warning(text),))


def cold_canary_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """First requests are slow, which says nothing of the version: its durations are not known.

    That takes seconds and ends by itself: no Event speaks of it.
    """
    strict, found = policy(canary.analysis), canary.status.guard
    timed = any(one.limit is not None for one in hypotheses(canary.analysis))
    if strict is None or not timed or found.warmed or not canary.status.is_asked:
        return None
    limit = go_duration(1000.0 * strict.warm_up)
    text = f"{full_name(canary)} waits for its new pods to be warm: at most {limit}"
    return Decision(with_status(canary, message=text), text)


def few_requests_are_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Neither time nor requests alone make a step that was looked at."""
    if policy(canary.analysis) is None or not canary.status.is_asked:
        return None
    found = canary.status.guard
    if found.step_requests < guard.STEP_REQUESTS:
        return more(canary, seen, found.step_requests, guard.STEP_REQUESTS, "this step")
    if seen.now - found.stepped < guard.STEP_SECONDS:
        return Decision(canary, f"a step takes {guard.STEP_SECONDS:g} s at least")
    return None


def undetected_regression_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """What could still be three times worse than allowed, unseen, is not promoted."""
    strict = policy(canary.analysis)
    if strict is None or not canary.status.is_asked:
        return None
    wanted = promotion_requests(canary, strict)
    found = canary.status.guard.requests
    return more(canary, seen, found, wanted, "promotion") if found < wanted else None


def promotion_requests(canary: Canary, strict: Policy) -> int:
    """As many as a person chose, else as the strictest range needs."""
    if strict.requests is not None:
        return strict.requests
    limit = evidence_needed(canary.analysis, strict)
    every = (
        requests_to_show(REGRESSION, bounded(one.allowed), limit)
        for one in hypotheses(canary.analysis)
    )
    return max(every, default=0)


def more(canary: Canary, seen: Observation, found: int, wanted: int, what: str) -> Decision:
    """Says how many are missing for what, and how long that takes at the present rate."""
    text = f"{full_name(canary)} has too few requests for {what}: {found} of {wanted}"
    elapsed = seen.now - canary.status.guard.stepped
    rate = canary.status.guard.step_requests / elapsed if elapsed > 0 else 0.0
    if rate:
        left = go_duration(1000.0 * ceil((wanted - found) / rate))
        return waits(canary, f"{text}, {left} more at {rate:.2g} requests/s")
    return waits(canary, f"{text}, and none comes")
