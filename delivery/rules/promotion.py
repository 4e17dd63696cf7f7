"""After a good analysis: the primary takes the analysed revision, users return, the canary goes."""

from dataclasses import replace

from delivery.alert import INFO, Alert
from delivery.canary import Canary, Phase
from delivery.decision import Decision, normal, warning
from delivery.observation import Observation
from delivery.renaming import before, lasting
from delivery.rules.analysis import is_reverted, reverted_text, target_name, withdrawn
from delivery.rules.external import unshown_split_holds
from delivery.rules.idle import drain_is_over
from delivery.rules.outcome import enters, full_name, hold, taken_off, waits, with_status
from delivery.strategy import returned_weight


def reverted_revision_goes_back(canary: Canary, seen: Observation) -> Decision | None:
    """The user put the promoted template back while the primary is given the next one.

    Both halves go back to it; until the primary is there, nobody's weight changes.
    """
    if not is_reverted(canary, seen):
        return None
    said = warning(reverted_text(canary))
    return withdrawn(
        enters(canary, Phase.FAILED, said, now=seen.now, failed=canary.status.observed)
    )


def missing_primary_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    observed = canary.status.observed
    if seen.primary is not None and seen.primary.revision == observed:
        return None
    if observed not in seen.revisions:
        lost = f"revision {observed} is no longer in the target's history"
        fix = f"set spec.revisionHistoryLimit of Deployment {canary.target} to 2 or more"
        return fails(canary, seen, f"{lost}: {fix}, and apply it again")
    if is_late(canary, seen):
        return fails(canary, seen, f"it could not be given revision {observed}")
    return hold(canary, "the primary is being given the analysed revision")


def is_late(canary: Canary, seen: Observation) -> bool:
    since = canary.status.phase_since
    return since is not None and seen.now - since > canary.progress_deadline


def growing_primary_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Everybody comes back to it: a wish that came meanwhile must have reached it."""
    wanted = canary.status.replicas or 1
    if seen.primary is None or seen.primary.replicas == wanted:
        return None
    return hold(canary, f"{seen.primary.name} is being scaled to {wanted}")


def stuck_primary_keeps_users(canary: Canary, seen: Observation) -> Decision | None:
    """Ends in Failed with the split as it is; the primary is put back (rules.idle takes over)."""
    if seen.primary is None:
        return None
    why = seen.primary.failing or seen.primary.stuck
    if not why and is_late(canary, seen):
        why = seen.primary.unready
    return fails(canary, seen, why) if why else None


def fails(canary: Canary, seen: Observation, why: str) -> Decision:
    text = f"Promotion of {target_name(canary)} failed, primary not ready: {why}"
    observed = canary.status.observed
    return enters(canary, Phase.FAILED, warning(text), now=seen.now, failed=observed)


def unready_primary_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    if seen.primary is None or not seen.primary.unready:
        return None
    return waits(
        canary, f"{seen.primary.name}.{canary.namespace} not ready: {seen.primary.unready}"
    )


def promotion_interval_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Only a return in steps has a pace."""
    if not canary.analysis.step_weight_promotion or not canary.status.has_users:
        return None
    if seen.now - (canary.status.last_check or 0.0) >= canary.analysis.interval:
        return None
    return hold(canary, "the interval has not passed")


def traffic_returns(canary: Canary, seen: Observation) -> Decision | None:
    weight = returned_weight(canary.analysis, canary.status.canary_weight)
    if weight:
        text = f"Advance {full_name(canary)} primary weight {100 - weight}"
        moved = with_status(canary, canary_weight=weight, last_check=seen.now, message=text)
        return Decision(moved, text, (normal(text),))
    said = [normal("Routing all traffic to primary")] if canary.analysis.routed else []
    return enters(canary, Phase.FINALISING, *said, now=seen.now, **taken_off(canary.status))


def last_requests_are_awaited(canary: Canary, seen: Observation) -> Decision | None:
    if not canary.status.scale or drain_is_over(canary, seen):
        return None
    return unshown_split_holds(canary, seen) or hold(canary, "the canary ends its last requests")


def release_succeeds(canary: Canary, seen: Observation) -> Decision | None:
    target, status = target_name(canary), canary.status
    undone = status.observed == before(status, seen)
    text = f"Promotion completed! Scaling down {target}"
    alert = None
    if canary.skip_analysis or undone:
        text = f"Promotion completed! Canary analysis was skipped for {target}"
        alert = Alert(INFO, "Canary analysis was skipped, promotion finished.")
    decision = enters(
        canary,
        Phase.SUCCEEDED,
        normal(text),
        now=seen.now,
        failed_checks=0,
        iterations=0,
        promoted=status.observed,
        previous="" if undone else lasting(status.promoted, seen),
        failed="",
        scale=0,
        **taken_off(canary.status),
    )
    return replace(decision, alert=alert)
