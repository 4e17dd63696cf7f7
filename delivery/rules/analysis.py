"""A release under judgement: ready, first step, checks, next step, promotion or rollback."""

from dataclasses import replace

from delivery import checks
from delivery.alert import ERROR, WARN, Alert
from delivery.canary import FAIL, HOLD, Canary, Phase, Verdict
from delivery.cookies import begun
from delivery.decision import Decision, Message, normal, warning
from delivery.guard import stepped
from delivery.hypotheses import policy
from delivery.names import primary_name
from delivery.observation import Observation
from delivery.rules.outcome import (
    enters,
    from_the_start,
    full_name,
    hold,
    rolled_back,
    waits,
    with_status,
)
from delivery.strategy import BLUE_GREEN, Split, next_split, size_ahead, split_of, strategy
from delivery.verdicts import PENDING, Judgement, judgements, verdicts
from delivery.warm_up import until


def target_name(canary: Canary) -> str:
    return f"{canary.target}.{canary.namespace}"


def reverted_revision_rolls_back(canary: Canary, seen: Observation) -> Decision | None:
    """The user put the promoted template back: this release has nothing left to judge."""
    if not is_reverted(canary, seen):
        return None
    return withdrawn(rolled_back(canary, seen, warning(reverted_text(canary))))


def withdrawn(decision: Decision) -> Decision:
    """A person ended it, who knows of it."""
    text = decision.messages[0].text.partition(f" {full_name(decision.canary)} ")[2]
    return replace(decision, alert=Alert(WARN, text[:1].upper() + text[1:]))


def is_reverted(canary: Canary, seen: Observation) -> bool:
    """Whether the target holds what was promoted last, and the release is of another revision."""
    status, target = canary.status, seen.target
    return target is not None and target.revision == status.promoted != status.observed


def reverted_text(canary: Canary) -> str:
    return f"Rolling back {full_name(canary)} the promoted revision was applied again"


def new_revision_starts_over(canary: Canary, seen: Observation) -> Decision | None:
    if seen.target is None or seen.target.revision == canary.status.observed:
        return None
    text = f"New revision detected! Restarting analysis for {target_name(canary)}"
    return from_the_start(canary, seen.target.revision, normal(text), now=seen.now)


def broken_canary_rolls_back(canary: Canary, seen: Observation) -> Decision | None:
    """A crash loop, an image that is not there, or the deadline: waiting mends none of them."""
    if seen.target is None:
        return None
    prefix = f"canary deployment {target_name(canary)} not ready: "
    why = seen.target.failing or seen.target.stuck
    if not why and overdue(canary, seen):
        why = f"{seen.target.unready}; {canary.progress_deadline:g}s are over"
    if not why:
        return None
    decision = rolled_back(canary, seen, warning(prefix + why))
    late = seen.target.stuck or not seen.target.failing
    text = f"Progress deadline exceeded {why}" if late else f"Canary deployment not ready: {why}"
    return replace(decision, alert=Alert(ERROR, text))


def long_release_ends(canary: Canary, seen: Observation) -> Decision | None:
    """However it stands, and whatever it waits for."""
    limit, since = canary.analysis.max_duration, canary.status.began or canary.status.phase_since
    if limit is None or since is None or seen.now - since <= limit:
        return None
    length = checks.go_duration(1000.0 * limit)
    text = f"Rolling back {full_name(canary)} not promoted within maxDuration {length}"
    return rolled_back(canary, seen, warning(text))


def overdue(canary: Canary, seen: Observation) -> bool:
    """Readiness has a deadline, from the start, from the end of the warm-up, or from the last
    verdict or word of a hook.
    """
    waited = max((one.at for one in canary.status.hooks.values()), default=0.0)
    warm = min(seen.now, until(canary.status, canary.analysis) or 0.0)
    since = max(
        canary.status.phase_since or seen.now, canary.status.last_check or 0.0, waited, warm
    )
    late = seen.now - since > canary.progress_deadline
    return late and bool(seen.target and seen.target.unready)


def unready_canary_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    if seen.target is None:
        return None
    if seen.target.replicas != canary.status.scale:
        return hold(canary, f"{canary.target} is being scaled to {canary.status.scale}")
    why = seen.target.unready
    return (
        waits(canary, f"canary deployment {target_name(canary)} not ready: {why}") if why else None
    )


def skipped_analysis_promotes(canary: Canary, seen: Observation) -> Decision | None:
    return promotion(canary, seen) if canary.skip_analysis else None


def rejected_configuration_halts(canary: Canary, seen: Observation) -> Decision | None:
    if not seen.routers.rejected or canary.external:
        return None
    return waits(
        canary,
        "routers rejected their configuration, undo the last change of a Canary or Service here: "
        f"{seen.routers.rejected}",
    )


def analysis_starts(canary: Canary, seen: Observation) -> Decision | None:
    """The first step is taken in the same breath: there is nothing to judge before it."""
    if canary.status.last_check is not None:
        return None
    first = next_split(canary.analysis, split_of(canary.status)) or Split()
    said = normal(f"Starting canary analysis for {target_name(canary)}")
    return advances(canary, seen, first, *(() if canary.is_announced else (said,)))


def checks_are_due(canary: Canary, seen: Observation) -> bool:
    last = canary.status.last_check
    return last is not None and seen.now - last >= canary.analysis.interval


def breach_counts(canary: Canary, seen: Observation) -> Decision | None:
    """Asked before readiness: what is half ready or badly routed may not go on failing users."""
    if canary.skip_analysis or not checks_are_due(canary, seen):
        return None
    found = (one for one in judgements(canary, seen) if ends_release(canary, one))
    breach = next(found, None)
    return counted(measured(canary, seen), seen, breach.verdict) if breach else None


def ends_release(canary: Canary, found: Judgement) -> bool:
    """With the guard on, only it may say so of what both look at: else its bound would not hold."""
    only_holds = policy(canary.analysis) and not found.own
    return found.verdict.outcome == checks.FAILED and not only_holds


def interval_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Meanwhile the canary may grow for the next step: that is no news until it is late.

    At a gate that interval is over: it may be opened in any second.
    """
    status = canary.status
    if status.last_check is None or status.at_gate or checks_are_due(canary, seen):
        return None
    return hold(canary, "the interval has not passed")


def missing_verdict_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """None passes unmeasured, and none that is out of its range."""
    judged = measured(canary, seen)
    found = (one for one in judgements(canary, seen) if not has_passed(canary, seen, one))
    first = next((one.verdict for one in found), None)
    if first is None:
        return None
    if first.outcome == PENDING:
        return hold(canary, first.reason)
    if first.outcome == checks.FAILED and first.value is not None:
        return waits(judged, f"{full_name(canary)} {first.metric} out of range: {first.reason}")
    return waits(judged, first.reason)


def has_passed(canary: Canary, seen: Observation, found: Judgement) -> bool:
    """At a gate all had passed; between two checks only what has fallen since says otherwise."""
    if is_between_checks(canary, seen):
        return found.verdict.outcome != checks.FAILED
    return found.verdict.outcome == checks.PASSED or is_out_of_question(canary, found)


def is_between_checks(canary: Canary, seen: Observation) -> bool:
    return canary.status.at_gate and not checks_are_due(canary, seen)


def is_out_of_question(canary: Canary, found: Judgement) -> bool:
    """Nothing can be counted of a canary that is sent nothing yet; it will be, and judged then."""
    unasked = found.counted and canary.analysis.routed and not canary.status.is_asked
    return unasked and found.verdict.outcome == checks.NO_TRAFFIC


def silent_release_ends(canary: Canary, seen: Observation) -> Decision | None:
    """What becomes of a release that no request reaches is the user's to say."""
    asked, since = canary.analysis.no_traffic, canary.status.last_check
    if asked == HOLD or since is None or not is_silent(canary, seen):
        return None
    limit = canary.analysis.no_traffic_after
    if seen.now - max(since, canary.status.guard.answered) < limit:
        return None
    text = f"{full_name(canary)} no request reached it for {checks.go_duration(1000.0 * limit)}"
    if asked == FAIL:
        return rolled_back(canary, seen, warning(f"Rolling back {text}"))
    if any(one.verdict.outcome == checks.FAILED for one in judgements(canary, seen)):
        # Somebody else has met it, and it is bad.
        return None
    ended = promotion(canary, seen)
    return replace(ended, messages=(warning(f"Promoting {text}"), *ended.messages))


def is_silent(canary: Canary, seen: Observation) -> bool:
    """By the guard, who knows when the last one came; else since the last step."""
    if not canary.status.is_asked:
        return False
    if policy(canary.analysis):
        return True
    return not any(one.requests for one in seen.traffic.values())


def counted(canary: Canary, seen: Observation, breach: Verdict) -> Decision:
    """One failed check counts, at the threshold it ends the release."""
    failed = canary.status.failed_checks + 1
    said = warning(breach.reason)
    limit = max(1, canary.analysis.threshold)
    if failed >= limit:
        text = f"Rolling back {full_name(canary)} failed checks threshold reached {failed}"
        end = rolled_back(canary, seen, warning(text))
        return replace(end, messages=(said, *end.messages))
    after = with_status(canary, failed_checks=failed, last_check=seen.now, message=breach.reason)
    return Decision(after, breach.reason, (said,))


def unready_primary_holds(canary: Canary, seen: Observation) -> Decision | None:
    """A primary in trouble does not keep a bad canary on users, only a good one from advancing."""
    name = f"{primary_name(canary.target)}.{canary.namespace}"
    if seen.primary is None:
        return waits(canary, f"{name} not ready: it is missing")
    why = seen.primary.unready
    return waits(canary, f"{name} not ready: {why}") if why else None


def traffic_advances(canary: Canary, seen: Observation) -> Decision | None:
    following = next_split(canary.analysis, split_of(canary.status))
    return None if following is None else advances(measured(canary, seen), seen, following)


def measured(canary: Canary, seen: Observation) -> Canary:
    """Every check's verdict on what was seen, kept in the status."""
    if is_between_checks(canary, seen):
        return canary
    return with_status(canary, verdicts=verdicts(canary, seen))


def advances(canary: Canary, seen: Observation, following: Split, *before: Message) -> Decision:
    now, found = split_of(canary.status), canary.status.guard
    text = advance(canary, now, following)
    moves = replace(now, iterations=following.iterations) != following
    moved = with_status(
        canary,
        canary_weight=following.weight,
        iterations=following.iterations,
        matched=following.matched,
        mirror_weight=following.mirror,
        scale=size_ahead(canary.analysis, canary.status.replicas or 1, following),
        last_check=seen.now,
        message=text,
        guard=stepped(found, seen.now) if moves else found,
        **(begun(canary) if following.weight or following.matched else {}),
    )
    return Decision(moved, text, (*before, normal(text)))


def advance(canary: Canary, now: Split, following: Split) -> str:
    """In Flagger's words (reference, 2.12)."""
    name, tried = full_name(canary), strategy(canary.analysis) == BLUE_GREEN
    if following.weight != now.weight:
        switching = "Stop traffic mirroring and route" if now.mirror else "Routing"
        text = f"{switching} all traffic to canary"
        return text if tried else f"Advance {name} canary weight {following.weight}"
    if following.mirror != now.mirror and not tried:
        return f"Advance {name} mirror weight {following.mirror}"
    return f"Advance {name} canary iteration {following.iterations}/{canary.analysis.iterations}"


def last_split_promotes(canary: Canary, seen: Observation) -> Decision | None:
    return promotion(measured(canary, seen), seen)


def promotion(canary: Canary, seen: Observation) -> Decision:
    target, primary = target_name(canary), f"{primary_name(canary.target)}.{canary.namespace}"
    copying = normal(f"Copying {target} template spec to {primary}")
    changes = {"last_check": seen.now, "mirror_weight": 0}
    return enters(canary, Phase.PROMOTING, copying, now=seen.now, **changes)
