"""A person's word on a release: each is acted on at once, or answered why not."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from delivery.by_hand import YES, asker_of, is_answered, mark_of, settled, wished
from delivery.canary import IDLE, Canary, Phase, Wish
from delivery.decision import Decision, normal, warning
from delivery.names import ABORT, APPROVE, PAUSE, PROMOTE, RETRY
from delivery.observation import Observation
from delivery.rules import gates
from delivery.rules.analysis import checks_are_due, measured, promotion, withdrawn
from delivery.rules.outcome import enters, full_name, rolled_back, waits, with_status

Answer = Callable[[Canary, Observation, Wish], Decision | None]
"""None where it cannot be said yet: then the next turn does."""

NOT_OURS = frozenset({Phase.NEW, Phase.TERMINATING, Phase.TERMINATED})


def answers_are_forgotten(canary: Canary) -> Canary:
    """When their annotations have gone."""
    kept = settled(canary)
    return canary if kept == canary.status.answered else with_status(canary, answered=kept)


def wish_is_answered(canary: Canary, seen: Observation) -> Decision | None:
    """One in a turn; what is decided and that it was answered are one write."""
    if seen.target is None and canary.status.phase is not Phase.NEW:
        return None
    for wish in canary.wishes:
        if wish.value is None or is_answered(canary, wish) or is_standing(wish):
            continue
        if decision := answered(canary, seen, wish):
            return decision
    return None


def is_standing(wish: Wish) -> bool:
    """A pause holds while it is there."""
    return wish.annotation == PAUSE and wish.value in (YES, "false")


def answered(canary: Canary, seen: Observation, wish: Wish) -> Decision | None:
    decision = decided(canary, seen, wish)
    if decision is None:
        return None
    known = {**canary.status.answered, wish.annotation: mark_of(wish)}
    return replace(decision, canary=with_status(decision.canary, answered=known))


def decided(canary: Canary, seen: Observation, wish: Wish) -> Decision | None:
    if wish.value != YES:
        said = f'"{wish.value}" is unknown; use "{YES}"'
        return refused(canary, wish, said)
    phases = ANSWERS.get(wish.annotation, {})
    answer = phases.get(canary.status.phase)
    return answer(canary, seen, wish) if answer else refused(canary, wish, idle_reason(canary))


def refused(canary: Canary, wish: Wish, why: str) -> Decision:
    text = f"{wish.annotation} is not acted on, asked by {asker_of(wish)}: {why}"
    return Decision(canary, text, (warning(text),))


def idle_reason(canary: Canary) -> str:
    phase = canary.status.phase
    if phase in IDLE:
        return f"no release of {full_name(canary)} is under way"
    return f"{full_name(canary)} is {phase or 'not adopted yet'}"


def promoted(canary: Canary, seen: Observation, wish: Wish) -> Decision | None:
    """The revision that is in the Deployment now: one that is not taken up yet is so first."""
    if canary.suspend:
        return refused(canary, wish, "spec.suspend holds it")
    if seen.target and seen.target.revision != canary.status.observed:
        return None
    said = normal(f"Promoting {full_name(canary)} by hand, asked by {asker_of(wish)}")
    decision = promotion(canary, seen)
    return replace(decision, messages=(said, *decision.messages))


def aborted(canary: Canary, seen: Observation, wish: Wish) -> Decision:
    return withdrawn(rolled_back(canary, seen, warning(abort_text(canary, wish))))


def abort_text(canary: Canary, wish: Wish) -> str:
    return f"Rolling back {full_name(canary)} aborted by hand, asked by {asker_of(wish)}"


def promotion_aborted(canary: Canary, seen: Observation, wish: Wish) -> Decision:
    """The primary goes back first; until it has, the canary keeps the users that it has."""
    said = warning(abort_text(canary, wish))
    refused = canary.status.observed
    return withdrawn(enters(canary, Phase.FAILED, said, now=seen.now, failed=refused))


def retried(canary: Canary, seen: Observation, wish: Wish) -> Decision:
    """What was refused becomes a new revision again, and begins as any other."""
    status = canary.status
    same = seen.target is not None and seen.target.revision == status.observed
    if not same or status.observed != status.failed:
        return refused(canary, wish, f"{canary.target} does not hold a refused revision")
    if canary.suspend:
        return refused(canary, wish, "spec.suspend holds it")
    text = f"Retrying {full_name(canary)} by hand, asked by {asker_of(wish)}"
    anew = with_status(canary, observed=status.promoted, failed="", message=text)
    return Decision(anew, text, (normal(text),))


def withdrawn_before(canary: Canary, seen: Observation, wish: Wish) -> Decision:
    """What waits to begin never does."""
    waiting = seen.target.revision if seen.target else ""
    return aborted(with_status(canary, observed=waiting), seen, wish)


def approved(canary: Canary, seen: Observation, wish: Wish) -> Decision:
    """The gates that are waited for now; the next step's are asked anew."""
    opened = gates.approved(canary, seen.now)
    if opened is None:
        return refused(canary, wish, f"{full_name(canary)} waits for no approval")
    text = f"Approving {full_name(canary)} by hand, asked by {asker_of(wish)}"
    return Decision(with_status(opened, message=text), text, (normal(text),))


ANSWERS: Mapping[str, Mapping[Phase, Answer]] = {
    PROMOTE: {Phase.PROGRESSING: promoted, Phase.WAITING_PROMOTION: promoted},
    ABORT: {
        Phase.WAITING: withdrawn_before,
        Phase.PROGRESSING: aborted,
        Phase.WAITING_PROMOTION: aborted,
        Phase.PROMOTING: promotion_aborted,
        Phase.FINALISING: promotion_aborted,
    },
    RETRY: {Phase.FAILED: retried},
    APPROVE: dict.fromkeys((Phase.WAITING, Phase.PROGRESSING, Phase.WAITING_PROMOTION), approved),
}
"""What can be done in which phase; in every other one it is said that it cannot be."""


def pause_is_taken(canary: Canary, seen: Observation) -> Decision | None:
    """Standing: whatever release there is or comes is held while the annotation is there."""
    status, wish = canary.status, wished(canary, PAUSE)
    wanted = wish is not None and wish.value == YES
    if status.phase in NOT_OURS or wanted == bool(status.paused):
        return None
    who = asker_of(wish)
    if wanted:
        text = f"Pausing {full_name(canary)} until {PAUSE} is taken off, asked by {who}"
        return Decision(with_status(canary, paused=who), text, (normal(text),))
    text = f"{full_name(canary)} is paused no more, asked by {who}"
    return Decision(with_status(canary, paused=""), text, (normal(text),))


def paused_release_holds(canary: Canary, seen: Observation) -> Decision | None:
    """Its checks and its guard go on."""
    if not canary.status.paused:
        return None
    judged = measured(canary, seen) if checks_are_due(canary, seen) else canary
    return waits(judged, f"{full_name(canary)} is paused by {canary.status.paused}")
