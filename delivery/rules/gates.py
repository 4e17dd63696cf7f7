"""Gates: nothing goes on before they are open, and all that may end a release goes on meanwhile."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from delivery.canary import Canary, Phase
from delivery.decision import Decision, normal, warning
from delivery.hook import APPROVED, POLL_SECONDS, WAITING, Call, HookType, Reply, Told
from delivery.observation import Observation
from delivery.rules.analysis import checks_are_due, measured, silent_release_ends
from delivery.rules.outcome import enters, full_name, hold, with_status
from delivery.strategy import CANARY, next_split, split_of, strategy

WORDS = {
    HookType.CONFIRM_ROLLOUT: "approval",
    HookType.CONFIRM_TRAFFIC_INCREASE: "traffic increase approval",
    HookType.CONFIRM_PROMOTION: "promotion approval",
}
"""What each kind of gate is said to be waited for (reference, 2.12)."""


@dataclass(frozen=True)
class Shut:
    """The first gate that is not open; `asks` are all whose answers are wanted until it is."""

    call: Call
    reply: Reply | None
    asks: tuple[Call, ...]


def reply_to(call: Call, seen: Observation) -> Reply | None:
    """An answer about another moment is none."""
    found = seen.replies.get(call.hook.name)
    return found if found is not None and found.about == call.about else None


def first_shut(canary: Canary, calls: Sequence[Call], seen: Observation) -> Shut | None:
    for place, call in enumerate(calls, 1):
        if is_approved(canary, call):
            continue
        reply = reply_to(call, seen)
        if reply is None or not reply.passed:
            return Shut(call, reply, tuple(calls[:place]))
    return None


def is_approved(canary: Canary, call: Call) -> bool:
    """By a person, for what it is asked about now."""
    told = canary.status.hooks.get(call.hook.name)
    return told is not None and (told.outcome, told.about) == (APPROVED, call.about)


def approved(canary: Canary, now: float) -> Canary | None:
    """With every gate open that is waited for; None where none is."""
    hooks = canary.status.hooks
    opened = {
        name: replace(told, outcome=APPROVED, at=now)
        for name, told in hooks.items()
        if told.outcome == WAITING
    }
    return with_status(canary, hooks={**hooks, **opened}) if opened else None


def gates(canary: Canary, kind: HookType, checksum: str, about: str) -> Iterable[Call]:
    for hook in canary.hooks_of(kind):
        yield Call(hook, canary.status.phase.value, checksum, about, POLL_SECONDS)


def rollout_gate_waits(canary: Canary, seen: Observation) -> Decision | None:
    """No pod of the new revision starts before it is open."""
    if seen.target is None:
        return None
    revision = seen.target.revision
    shut = first_shut(canary, [*gates(canary, HookType.CONFIRM_ROLLOUT, revision, revision)], seen)
    if shut is None:
        return None
    text, told = waiting_for(canary, shut), known(canary, shut)
    if told is not None or shut.reply is None:
        return replace(hold(canary, text), asks=shut.asks)
    hooks = {shut.call.hook.name: Told(WAITING, revision, seen.now, shut.reply.failure)}
    if canary.status.phase is Phase.WAITING:
        waits = with_status(canary, hooks=hooks, message=text)
        return Decision(waits, text, (warning(text),), shut.asks)
    waits_now = enters(canary, Phase.WAITING, warning(text), now=seen.now, scale=0, hooks=hooks)
    return replace(waits_now, asks=shut.asks)


def withdrawn_revision_ends_the_wait(canary: Canary, seen: Observation) -> Decision | None:
    """The user put back what serves, or what was there before: there is nothing to approve."""
    status = canary.status
    if seen.target is None or not is_known(canary, seen):
        return None
    refused = seen.target.revision == status.observed == status.failed
    said = normal(f"{full_name(canary)} no longer waits, its new revision was withdrawn")
    return enters(canary, Phase.FAILED if refused else Phase.INITIALIZED, said, now=seen.now)


def is_known(canary: Canary, seen: Observation) -> bool:
    """Whether the target holds no new revision."""
    primary = seen.primary.revision if seen.primary else ""
    known_ones = (canary.status.observed, canary.status.promoted, primary)
    return seen.target is not None and seen.target.revision in known_ones


def first_step_waits(canary: Canary, seen: Observation) -> Decision | None:
    return next_step_waits(canary, seen) if canary.status.last_check is None else None


def next_step_waits(canary: Canary, seen: Observation) -> Decision | None:
    """Where more requests go to the canary; all of them at once is as good as its promotion."""
    following = next_split(canary.analysis, split_of(canary.status))
    if following is None or following.weight <= canary.status.canary_weight:
        return None
    weighs = strategy(canary.analysis) == CANARY
    return waits_at(canary, seen, [*traffic_gates(canary)] if weighs else promotion_gates(canary))


def promotion_gate_waits(canary: Canary, seen: Observation) -> Decision | None:
    return waits_at(canary, seen, promotion_gates(canary))


def silent_promotion_waits(canary: Canary, seen: Observation) -> Decision | None:
    """Nor does one go past its gates that is to be promoted because nobody calls it."""
    ended = silent_release_ends(canary, seen)
    if ended is None or ended.canary.status.phase is not Phase.PROMOTING:
        return None
    return waits_at(canary, seen, promotion_gates(canary), checked=False)


def promotion_gates(canary: Canary) -> list[Call]:
    revision = canary.status.observed
    own = gates(canary, HookType.CONFIRM_PROMOTION, revision, revision)
    weighs = strategy(canary.analysis) == CANARY
    return [*(traffic_gates(canary) if weighs else ()), *own]


def traffic_gates(canary: Canary) -> Iterable[Call]:
    """Each weight wants an approval of its own."""
    status = canary.status
    about = f"{status.observed}/{status.canary_weight}"
    return gates(canary, HookType.CONFIRM_TRAFFIC_INCREASE, status.observed, about)


def waits_at(
    canary: Canary, seen: Observation, calls: Sequence[Call], *, checked: bool = True
) -> Decision | None:
    """Everything else would go on: what was checked counts as checked, and is checked again in an
    interval, so that the gate may be open in any second and the canary fail in any interval.
    """
    shut = first_shut(canary, calls, seen)
    if shut is None:
        return None
    told, text = known(canary, shut), waiting_for(canary, shut)
    if told is None and shut.reply is None:
        return Decision(canary, text, asks=shut.asks)
    news = told is None
    since = told.at if told else seen.now
    changes: dict[str, Any] = {"message": text}
    if checked and checks_are_due(canary, seen):
        canary, since = measured(canary, seen), seen.now
        changes |= {"last_check": since}
    elif seen.now - since >= canary.analysis.interval:
        since = seen.now
    if told is None or since != told.at:
        why = shut.reply.failure if shut.reply else ""
        found = Told(WAITING, shut.call.about, since, why)
        changes |= {"hooks": {**canary.status.hooks, shut.call.hook.name: found}}
    if shut.call.hook.type is HookType.CONFIRM_PROMOTION:
        changes |= {"phase": Phase.WAITING_PROMOTION}
    messages = (warning(text),) if news else ()
    return Decision(with_status(canary, **changes), text, messages, shut.asks)


def known(canary: Canary, shut: Shut) -> Told | None:
    """What is remembered of it, if that is that it is waited for now."""
    told = canary.status.hooks.get(shut.call.hook.name)
    same = told is not None and (told.outcome, told.about) == (WAITING, shut.call.about)
    return told if same else None


def waiting_for(canary: Canary, shut: Shut) -> str:
    hook = shut.call.hook
    return f"Halt {full_name(canary)} advancement waiting for {WORDS[hook.type]} {hook.name}"
