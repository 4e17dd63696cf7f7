"""The few shapes that a rule's answer takes: waiting, entering a phase, ending a release."""

from dataclasses import replace
from typing import Any

from delivery.canary import Canary, Phase, Status
from delivery.decision import Decision, Message, warning
from delivery.guard import started_over
from delivery.observation import Observation
from delivery.strategy import Split, size_ahead


def full_name(canary: Canary) -> str:
    return f"{canary.name}.{canary.namespace}"


def hold(canary: Canary, reason: str) -> Decision:
    """Nothing changes; the reason is for whoever asks."""
    return Decision(canary, reason)


def waits(canary: Canary, text: str) -> Decision:
    """Nothing moves; why is kept in the status, and said as an Event when the kind of it is new.

    The kind is what stands before the first colon: each counted pod is no news.
    """
    if canary.status.message == text:
        return Decision(canary, text)
    news = canary.status.message.partition(":")[0] != text.partition(":")[0]
    messages = (warning(text),) if news else ()
    return Decision(with_status(canary, message=text), text, messages)


def with_status(canary: Canary, **changes: object) -> Canary:
    """The same one where nothing of it changes, as in most looks."""
    if all(getattr(canary.status, name, ...) == value for name, value in changes.items()):
        return canary
    status: Status = replace(canary.status, **changes)  # type: ignore[arg-type]  # names are checked by replace
    return replace(canary, status=status)


def taken_off(status: Status) -> dict[str, Any]:
    """What changes in a status when nobody is to be sent to the canary any more."""
    return {
        "canary_weight": 0,
        "matched": False,
        "mirror_weight": 0,
        "cookie": "",
        "primary_cookie": "",
        "previous_cookie": status.cookie or status.previous_cookie,
    }


def enters(
    canary: Canary, phase: Phase, *messages: Message, now: float, **changes: object
) -> Decision:
    """Another phase, since now; the last message is also its explanation."""
    text = messages[-1].text if messages else str(phase)
    changed = with_status(canary, phase=phase, phase_since=now, message=text, **changes)
    return Decision(changed, text, messages)


def from_the_start(canary: Canary, revision: str, message: Message, *, now: float) -> Decision:
    """A new revision, with nothing left of the one before: no weight, no counts, no verdicts."""
    return enters(
        canary,
        Phase.PROGRESSING,
        message,
        now=now,
        observed=revision,
        provider=canary.provider,
        scale=size_ahead(canary.analysis, canary.status.replicas or 1, Split()),
        failed_checks=0,
        iterations=0,
        last_check=None,
        verdicts=(),
        guard=started_over(canary.status.is_asked, now),
        began=now,
        ready=None,
        **taken_off(canary.status),
    )


def rolled_back(canary: Canary, seen: Observation, *messages: Message) -> Decision:
    """Users return to the primary now; the canary is scaled down when its requests have ended.

    Weight and phase change in one write, so no crash can leave a refused revision with traffic.
    """
    scaled = warning(f"Canary failed! Scaling down {full_name(canary)}")
    ended = enters(
        canary,
        Phase.FAILED,
        *messages,
        now=seen.now,
        failed_checks=0,
        iterations=0,
        failed=canary.status.observed,
        **taken_off(canary.status),
    )
    return replace(ended, messages=(*messages, scaled))
