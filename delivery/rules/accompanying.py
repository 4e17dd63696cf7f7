"""What goes on beside the rules of a phase: who is asked, who is still to hear, and what passed."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from delivery.canary import ANALYSING, RESTING, Canary, Phase, Status
from delivery.decision import Decision, Message, normal, warning
from delivery.hook import APPROVED, PASSED, QUIET, Call, Hook, HookType, Owed, Reply, Told
from delivery.observation import Observation
from delivery.rules.gates import reply_to
from delivery.rules.hooks import RELEASING, rollback_calls, rollout_calls
from delivery.rules.outcome import with_status

MOST_OWED = 20
"""Endings of several releases may be owed, if their hooks are slow."""

Beside = Callable[[Canary, Decision, Observation], Decision]


def accompanied(before: Canary, decision: Decision, seen: Observation) -> Decision:
    for part in PARTS:
        decision = part(before, decision, seen)
    return decision


def a_new_release_forgets(before: Canary, decision: Decision, seen: Observation) -> Decision:
    after = decision.canary.status
    anew = after.phase is Phase.PROGRESSING and after.phase_since != before.status.phase_since
    begins = anew or (before.status.phase in RESTING and after.phase in RELEASING)
    kept = {
        name: told
        for name, told in after.hooks.items()
        if (told.outcome, told.about) == (QUIET, after.observed)
    }
    return changed(decision, hooks=kept) if begins and kept != after.hooks else decision


def open_gates_are_told(before: Canary, decision: Decision, seen: Observation) -> Decision:
    """In front of what they let pass, and only when it does."""
    told: dict[str, Told] = {}
    said: list[Message] = []
    for hook in before.hooks_of(*let_pass(before.status, decision.canary.status)):
        reply, known = seen.replies.get(hook.name), before.status.hooks.get(hook.name)
        if known is not None and known.outcome == APPROVED:
            told[hook.name] = replace(known, outcome=PASSED, at=seen.now)
        elif reply is not None and reply.passed:
            told[hook.name] = Told(PASSED, reply.about, seen.now)
            said.append(normal(f"{hook.type.capitalize()} check {hook.name} passed"))
    if not told:
        return decision
    hooks = {**decision.canary.status.hooks, **told}
    return replace(changed(decision, hooks=hooks), messages=(*said, *decision.messages))


def let_pass(before: Status, after: Status) -> tuple[HookType, ...]:
    """The gates that must have been open for this to happen."""
    if before.phase in RESTING and after.phase is Phase.PROGRESSING:
        return (HookType.CONFIRM_ROLLOUT,)
    grows = after.canary_weight > before.canary_weight or after.phase is Phase.PROMOTING
    if before.phase in ANALYSING and grows:
        return HookType.CONFIRM_TRAFFIC_INCREASE, HookType.CONFIRM_PROMOTION
    return ()


def quiet_rollback_hooks_are_told(
    before: Canary, decision: Decision, seen: Observation
) -> Decision:
    """Once in a release, however often they are asked."""
    after = decision.canary
    for call in rollback_calls(after, seen):
        reply, told = reply_to(call, seen), after.status.hooks.get(call.hook.name)
        same = told is not None and (told.outcome, told.about) == (QUIET, call.about)
        if reply is None or reply.passed or same:
            continue
        found = Told(QUIET, call.about, seen.now, reply.failure)
        hooks = {**decision.canary.status.hooks, call.hook.name: found}
        said = normal(f"Rollback hook {call.hook.name} not signaling a rollback")
        decision = replace(changed(decision, hooks=hooks), messages=(*decision.messages, said))
    return decision


def what_is_named_no_more_is_owed_nothing(
    before: Canary, decision: Decision, seen: Observation
) -> Decision:
    owed, named = decision.canary.status.owed, {hook.name for hook in before.analysis.hooks}
    left = tuple(one for one in owed if one.hook in named)
    return decision if left == owed else changed(decision, owed=left)


def answered_endings_are_told(before: Canary, decision: Decision, seen: Observation) -> Decision:
    """What has answered is owed no longer; where one fails, those of its type behind it go too."""
    for call in owed_calls(decision.canary):
        reply = reply_to(call, seen)
        if reply is not None:
            left = tuple(still_owed(decision.canary, call, reply))
            messages = (*decision.messages, ending(call.hook, reply))
            told = Told(reply_outcome(reply), call.about, seen.now, reply.failure)
            hooks = {**decision.canary.status.hooks, call.hook.name: told}
            decision = replace(changed(decision, owed=left, hooks=hooks), messages=messages)
    return decision


def reply_outcome(reply: Reply) -> str:
    return PASSED if reply.passed else "failed"


def ending(hook: Hook, reply: Reply) -> Message:
    name = hook.type.capitalize()
    if reply.passed:
        return normal(f"{name} check {hook.name} passed")
    return warning(f"{name} hook {hook.name} failed {reply.failure}")


def still_owed(canary: Canary, call: Call, reply: Reply) -> Iterator[Owed]:
    types = {hook.name: hook.type for hook in canary.analysis.hooks}
    for one in canary.status.owed:
        same = about(one) == call.about
        answered = one.hook == call.hook.name
        stopped = not reply.passed and types.get(one.hook) == call.hook.type
        if not (same and (answered or stopped)):
            yield one


def endings_are_owed(before: Canary, decision: Decision, seen: Observation) -> Decision:
    """With the phase that ends the release, in one write: who dies then leaves it to another."""
    after = decision.canary.status
    ends = before.status.phase in RELEASING and after.phase in (Phase.SUCCEEDED, Phase.FAILED)
    if not ends:
        return decision
    back = (HookType.POST_ROLLBACK,) if after.phase is Phase.FAILED else ()
    fresh = tuple(
        Owed(hook.name, after.phase.value, before.status.observed, seen.now)
        for hook in before.hooks_of(HookType.POST_ROLLOUT, *back)
    )
    return changed(decision, owed=(*after.owed, *fresh)[-MOST_OWED:]) if fresh else decision


def owed_calls(canary: Canary) -> list[Call]:
    """The first of each type."""
    hooks = {hook.name: hook for hook in canary.analysis.hooks}
    first: dict[HookType, Call] = {}
    for one in canary.status.owed:
        hook = hooks[one.hook]
        first.setdefault(hook.type, Call(hook, one.phase, one.checksum, about(one)))
    return list(first.values())


def about(owed: Owed) -> str:
    return f"{owed.checksum}/{owed.since}"


def hooks_are_asked(before: Canary, decision: Decision, seen: Observation) -> Decision:
    after = decision.canary
    asks = [*decision.asks, *owed_calls(after)]
    if not after.suspend:
        asks += [*rollback_calls(after, seen), *rollout_calls(after, seen)]
    return replace(decision, asks=tuple(asks)) if asks else decision


def changed(decision: Decision, **changes: object) -> Decision:
    return replace(decision, canary=with_status(decision.canary, **changes))


PARTS: tuple[Beside, ...] = (
    a_new_release_forgets,
    open_gates_are_told,
    quiet_rollback_hooks_are_told,
    what_is_named_no_more_is_owed_nothing,
    answered_endings_are_told,
    endings_are_owed,
    hooks_are_asked,
)
