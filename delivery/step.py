"""The state machine: a phase, what was seen, and the first rule that speaks decides.

Theory of operation. The Canary's status is the whole intent: its phase, the canary's weight, the
revision under analysis, the revision that serves, the sizes of both halves. `step` reads that
intent and one observation and gives the next intent; it never says what to do. What is to be done
follows from the intent alone (intent.effects) and is repeated until the world shows it. So the
order is always: decide, write the status under its resourceVersion, then act; a crash between any
two lines is a restart with the intent already written, and two agents cannot disagree.

A release: an idle phase sees a new revision and becomes Progressing (the canary starts, weight 0);
once it is ready its split advances at each interval that passed its checks (strategy); behind the
last split it is Promoting (the primary takes the revision), Finalising (weight 0, requests end),
Succeeded. Any breach that counts makes it Failed in one write, weight 0 included; nothing but a new
revision, or a person who has it tried again, raises the weight again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from delivery import conditions, outcomes, wishing
from delivery.apex import keys, owner, present
from delivery.canary import ANALYSING, Canary, Condition, Phase
from delivery.decision import Decision
from delivery.described import taken_over
from delivery.listeners import allocated
from delivery.observation import Observation
from delivery.renaming import renamed
from delivery.rules import (
    always,
    analysis,
    by_hand,
    external,
    gates,
    guarding,
    hooks,
    idle,
    initializing,
    leaving,
    promotion,
    stopping,
    warming,
)
from delivery.rules.accompanying import accompanied
from delivery.rules.alerting import alerted
from delivery.rules.outcome import hold, with_status
from delivery.strategy import size_ahead, split_of

Rule = Callable[[Canary, Observation], Decision | None]

ALWAYS: tuple[Rule, ...] = (
    stopping.stop_takes_the_canary_away,
    by_hand.wish_is_answered,
    by_hand.pause_is_taken,
    leaving.unfit_app_leaves,
    always.suspended_is_skipped,
    leaving.deleted_target_ends_it,
    always.missing_target_is_awaited,
    leaving.leaving_begins,
)

ADOPTING: tuple[Rule, ...] = (
    leaving.unfit_app_is_not_moved,
    leaving.uncalled_app_is_given_back,
    initializing.stuck_adoption_is_given_up,
    initializing.primary_is_awaited,
    initializing.routers_are_awaited,
    initializing.apex_moves,
    initializing.old_connections_drain,
    initializing.initialization_is_done,
)

BETWEEN_RELEASES: tuple[Rule, ...] = (
    stopping.stopped_app_rests,
    idle.broken_primary_keeps_users,
    idle.drained_canary_scales_down,
    always.unbuilt_fields_halt,
    idle.known_revision_is_no_release,
    idle.undo_goes_straight_back,
    always.unoffered_references_halt,
    external.unkept_routes_halt,
    gates.rollout_gate_waits,
    idle.new_revision_starts,
)

ANALYSIS: tuple[Rule, ...] = (
    analysis.reverted_revision_rolls_back,
    analysis.new_revision_starts_over,
    hooks.rollback_hook_rolls_back,
    analysis.broken_canary_rolls_back,
    analysis.long_release_ends,
    external.unkept_split_rolls_back,
    external.unshown_split_rolls_back,
    guarding.refuted_release_rolls_back,
    hooks.failed_hook_counts,
    analysis.breach_counts,
    always.unbuilt_fields_halt,
    always.unoffered_references_halt,
    analysis.interval_is_awaited,
    analysis.unready_canary_is_awaited,
    warming.delay_is_awaited,
    by_hand.paused_release_holds,
    analysis.skipped_analysis_promotes,
    analysis.rejected_configuration_halts,
    external.unshown_split_holds,
    hooks.analysis_is_announced,
    hooks.pre_rollout_is_awaited,
    gates.first_step_waits,
    analysis.analysis_starts,
    gates.silent_promotion_waits,
    analysis.silent_release_ends,
    guarding.worse_release_holds,
    guarding.cold_canary_is_awaited,
    guarding.few_requests_are_awaited,
    hooks.rollout_hook_is_awaited,
    analysis.missing_verdict_is_awaited,
    analysis.unready_primary_holds,
    gates.next_step_waits,
    analysis.traffic_advances,
    guarding.undetected_regression_is_awaited,
    gates.promotion_gate_waits,
    analysis.last_split_promotes,
)

RULES: Mapping[Phase, tuple[Rule, ...]] = {
    Phase.NEW: (
        leaving.untouched_app_is_left_alone,
        always.unbuilt_fields_halt,
        initializing.given_up_adoption_waits,
        initializing.ineligible_is_left_alone,
        external.former_routes_are_awaited,
        initializing.described_service_is_made,
        initializing.doomed_service_is_awaited,
        initializing.adoption_begins,
    ),
    Phase.INITIALIZING: ADOPTING,
    Phase.INITIALIZED: BETWEEN_RELEASES,
    Phase.WAITING: (
        stopping.stopped_app_rests,
        hooks.rollback_hook_refuses,
        always.unbuilt_fields_halt,
        gates.withdrawn_revision_ends_the_wait,
        idle.undo_goes_straight_back,
        always.unoffered_references_halt,
        external.unkept_routes_halt,
        gates.rollout_gate_waits,
        idle.new_revision_starts,
    ),
    Phase.PROGRESSING: ANALYSIS,
    Phase.WAITING_PROMOTION: ANALYSIS,
    Phase.PROMOTING: (
        promotion.reverted_revision_goes_back,
        hooks.rollback_hook_ends_promotion,
        promotion.missing_primary_is_awaited,
        promotion.growing_primary_is_awaited,
        promotion.stuck_primary_keeps_users,
        promotion.unready_primary_is_awaited,
        promotion.promotion_interval_is_awaited,
        external.unshown_split_holds,
        promotion.traffic_returns,
    ),
    Phase.FINALISING: (
        promotion.reverted_revision_goes_back,
        hooks.rollback_hook_ends_promotion,
        promotion.last_requests_are_awaited,
        promotion.release_succeeds,
    ),
    Phase.SUCCEEDED: BETWEEN_RELEASES,
    Phase.FAILED: BETWEEN_RELEASES,
    Phase.TERMINATING: (
        leaving.failed_promotion_keeps_users,
        leaving.target_is_awaited,
        leaving.apex_goes_home,
        leaving.clone_may_go,
        leaving.nothing_of_ours_is_left,
    ),
    Phase.TERMINATED: (leaving.return_begins_anew,),
}


def step(canary: Canary, seen: Observation) -> Decision:
    """Decide what is intended next; nothing is read and nothing is touched."""
    wished = canary_fits(wish_is_taken(known_again(canary, seen), seen))
    routed = taken(listeners_follow_the_services(wished, seen))
    shown = external.shown_is_noted(service_is_noted(routed, seen), seen)
    current = guarding.counts_are_taken(shown, seen)
    decision = external.pods_outlast_requests(current, decided(current, seen), seen)
    decision = accompanied(current, external.news_are_unshown(current, decision), seen)
    decision = alerted(current, decision, seen)
    status = outcomes.recorded(current.status, decision.canary.status, seen)
    return stamped(canary, replace(decision, canary=replace(current, status=status)), seen)


def taken(canary: Canary) -> Canary:
    """What a person says that needs no rule."""
    return by_hand.answers_are_forgotten(stopping.stop_is_taken(canary))


def decided(canary: Canary, seen: Observation) -> Decision:
    """What the first rule says that speaks."""
    for rule in (*ALWAYS, *RULES.get(canary.status.phase, ())):
        if decision := rule(canary, seen):
            return decision
    return hold(canary, "nothing to do")


def known_again(canary: Canary, seen: Observation) -> Canary:
    """What the status names, whoever wrote it and whatever the API server has added since."""
    return renamed(of_our_own(canary), seen)


def of_our_own(canary: Canary) -> Canary:
    """A status that Flagger wrote names no revision that we could promote: the app is new to us."""
    if canary.status.phase is Phase.NEW or canary.status.promoted:
        return canary
    return with_status(canary, phase=Phase.NEW)


def wish_is_taken(canary: Canary, seen: Observation) -> Canary:
    """The user's number of replicas goes to the primary at once, whatever the phase."""
    status = canary.status
    if status.phase is Phase.NEW or not seen.wish or not wishing.is_news(status, seen):
        return canary
    return with_status(canary, replicas=seen.wish, wished=seen.noted or status.wished)


def canary_fits(canary: Canary) -> Canary:
    """As large as its next step needs, whatever became of the wish or the steps meanwhile."""
    status = canary.status
    if status.phase not in ANALYSING:
        return canary
    ahead = size_ahead(canary.analysis, status.replicas or 1, split_of(status))
    return with_status(canary, scale=ahead)


def listeners_follow_the_services(canary: Canary, seen: Observation) -> Canary:
    """A port or a Service that the user adds later is routed like the first ones; what is gone, or
    has been given back, is dropped.
    """
    if canary.status.phase in (Phase.NEW, Phase.TERMINATED) or seen.target is None:
        return canary
    main, known = canary.status.apex, canary.status.ports
    there = {one["metadata"]["name"] for one in (*seen.apexes, *seen.strays)} | {main}
    kept = {key: port for key, port in known.items() if owner(main, key) in there}
    wanted = [key for one in seen.apexes for key in keys(main, one).values() if key not in kept]
    others = seen.ports_taken | frozenset(kept.values())
    found = allocated(canary.target, wanted, others, present(main, seen.apexes)) if wanted else {}
    if kept == dict(known) and not found:
        return canary
    return with_status(canary, ports={**kept, **found})


def service_is_noted(canary: Canary, seen: Observation) -> Canary:
    """One that we made, and that its user has since written too, is no longer ours to make."""
    return with_status(canary, made=False) if taken_over(canary, seen) else canary


def stamped(before: Canary, decision: Decision, seen: Observation) -> Decision:
    """Conditions follow the phase; the transition time follows any change, as Flagger's does.

    But for what the guard counts: that goes on all the time.
    """
    after, found = decision.canary.status, described(decision.canary, seen)
    if after == before.status and found == after.conditions:
        return decision
    status = replace(after, conditions=found)
    if replace(status, guard=before.status.guard) != before.status:
        status = replace(status, last_transition=seen.now)
    return replace(decision, canary=replace(decision.canary, status=status))


def described(canary: Canary, seen: Observation) -> tuple[Condition, ...]:
    before, now = canary.status.conditions, seen.now
    found = (
        conditions.promoted(canary.status.phase, "Deployment", before, now),
        conditions.supported(canary.unbuilt, before, now),
        conditions.offered(seen.refused, before, now),
    )
    return tuple(one for one in found if one is not None)
