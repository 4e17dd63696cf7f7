"""Hooks that judge a release: before its first request, at each check, or at any time."""

from collections.abc import Iterator
from dataclasses import replace

from delivery import checks
from delivery.alert import WARN, Alert
from delivery.canary import ANALYSING, Canary, Phase, Verdict
from delivery.decision import Decision, Message, normal, warning
from delivery.hook import CALLED, FAILED, PASSED, POLL_SECONDS, Call, Hook, HookType, Told
from delivery.observation import Observation
from delivery.rules.analysis import checks_are_due, counted, target_name
from delivery.rules.gates import reply_to
from delivery.rules.outcome import enters, full_name, hold, rolled_back, with_status

RELEASING = ANALYSING | {Phase.PROMOTING, Phase.FINALISING}
"""A canary of the new revision runs, or what it became."""

INVOKED = Alert(WARN, "Rolling back manual webhook invoked")


def rollback_calls(canary: Canary, seen: Observation) -> Iterator[Call]:
    """In every phase of a release, also before it begins."""
    status = canary.status
    if seen.target is None or status.phase not in RELEASING | {Phase.WAITING}:
        return
    revision = seen.target.revision if status.phase is Phase.WAITING else status.observed
    for hook in canary.hooks_of(HookType.ROLLBACK):
        yield Call(hook, status.phase.value, revision, revision, POLL_SECONDS)


def invoked(canary: Canary, seen: Observation) -> tuple[Message, ...]:
    """What is said of the first hook that asks for a rollback; nothing where none does."""
    for call in rollback_calls(canary, seen):
        reply = reply_to(call, seen)
        if reply is not None and reply.passed:
            passed = warning(f"Rollback check {call.hook.name} passed")
            return passed, warning(f"Rolling back {full_name(canary)} manual webhook invoked")
    return ()


def rollback_hook_rolls_back(canary: Canary, seen: Observation) -> Decision | None:
    """Also while the canary is not ready, or a gate is closed."""
    said = invoked(canary, seen)
    return replace(rolled_back(canary, seen, *said), alert=INVOKED) if said else None


def rollback_hook_refuses(canary: Canary, seen: Observation) -> Decision | None:
    """What waits to begin never does."""
    said = invoked(canary, seen)
    if not said or seen.target is None:
        return None
    refused = with_status(canary, observed=seen.target.revision)
    return replace(rolled_back(refused, seen, *said), alert=INVOKED)


def rollback_hook_ends_promotion(canary: Canary, seen: Observation) -> Decision | None:
    """Users stay where they are until the primary is back on what was promoted (rules.idle)."""
    said = invoked(canary, seen)
    if not said:
        return None
    failed = canary.status.observed
    ended = enters(canary, Phase.FAILED, *said, now=seen.now, failed=failed, failed_checks=0)
    scaled = warning(f"Canary failed! Scaling down {full_name(canary)}")
    return replace(ended, messages=(*said, scaled), alert=INVOKED)


def analysis_is_announced(canary: Canary, seen: Observation) -> Decision | None:
    """Before anything is asked about its first step; without hooks that step says so itself."""
    asked = canary.hooks_before_traffic
    if canary.status.last_check is not None or canary.is_announced or not asked:
        return None
    text = f"Starting canary analysis for {target_name(canary)}"
    told = Told(CALLED, canary.status.observed, seen.now)
    hooks = {**canary.status.hooks, asked[0].name: told}
    return Decision(with_status(canary, hooks=hooks, message=text), text, (normal(text),))


def pre_rollout_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """One after another, before the first request; what has passed is not asked again."""
    if canary.status.last_check is not None:
        return None
    for hook in canary.hooks_of(HookType.PRE_ROLLOUT):
        told = canary.status.hooks.get(hook.name)
        if told is None or told.outcome != PASSED:
            return asked_before(canary, seen, hook)
    return None


def asked_before(canary: Canary, seen: Observation, hook: Hook) -> Decision:
    status = canary.status
    told = status.hooks.get(hook.name)
    if told and told.outcome == FAILED and seen.now - told.at < canary.analysis.interval:
        return hold(canary, "the interval has not passed")
    about = f"{status.observed}/{status.phase_since}/{status.failed_checks}"
    call = Call(hook, status.phase.value, status.observed, about)
    reply = reply_to(call, seen)
    if reply is None:
        return Decision(canary, f"pre-rollout check {hook.name} is being asked", asks=(call,))
    if not reply.passed:
        return fails_before(canary, seen, call, reply.failure)
    text = f"Pre-rollout check {hook.name} passed"
    hooks = {**status.hooks, hook.name: Told(PASSED, about, seen.now)}
    return Decision(with_status(canary, hooks=hooks, message=text), text, (normal(text),))


def fails_before(canary: Canary, seen: Observation, call: Call, why: str) -> Decision:
    """One failed check; it is asked again in an interval, and no request comes before."""
    name = call.hook.name
    text = f"Halt {full_name(canary)} advancement pre-rollout check {name} failed {why}"
    decision = counted(canary, seen, Verdict(name, checks.FAILED, reason=text))
    hooks = {**canary.status.hooks, name: Told(FAILED, call.about, seen.now, why)}
    return replace(decision, canary=with_status(decision.canary, hooks=hooks, last_check=None))


def rollout_calls(canary: Canary, seen: Observation) -> list[Call]:
    """Those that are due: one after another, up to the first that has not passed; and again while
    the check waits for something else, for they may be what sends the requests.
    """
    status, interval = canary.status, canary.analysis.interval
    ready = seen.target is not None and not seen.target.unready
    if not ready or not is_checked(canary, seen):
        return []
    about = f"{status.observed}/{status.phase_since}/{status.last_check}"
    calls: list[Call] = []
    for hook in canary.hooks_of(HookType.ROLLOUT):
        calls.append(Call(hook, status.phase.value, status.observed, about, interval))
        reply = reply_to(calls[-1], seen)
        if reply is None or not reply.passed:
            break
    return calls


def is_checked(canary: Canary, seen: Observation) -> bool:
    judged = canary.status.phase in ANALYSING and not canary.skip_analysis
    return judged and checks_are_due(canary, seen)


def failed_hook_counts(canary: Canary, seen: Observation) -> Decision | None:
    for call in rollout_calls(canary, seen):
        reply = reply_to(call, seen)
        if reply is not None and not reply.passed:
            name = call.hook.name
            text = (
                f"Halt {full_name(canary)} advancement external check {name} failed {reply.failure}"
            )
            told = Told(FAILED, call.about, seen.now, reply.failure)
            found = with_status(canary, hooks={**canary.status.hooks, name: told})
            return counted(found, seen, Verdict(name, checks.FAILED, reason=text))
    return None


def rollout_hook_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Nothing advances without its answer; what else is measured counts all the same."""
    for call in rollout_calls(canary, seen):
        if reply_to(call, seen) is None:
            return hold(canary, f"external check {call.hook.name} is being asked")
    return None
