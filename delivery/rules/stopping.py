"""Stopping an app: no pod of it runs, what leads to it stays, and it comes back as it was."""

from dataclasses import replace

from delivery.alert import WARN, Alert
from delivery.canary import ANALYSING, Canary, Phase
from delivery.decision import Decision, normal, warning
from delivery.names import STOP, primary_name
from delivery.observation import Observation
from delivery.rules.outcome import enters, hold, taken_off, with_status

RUNNING = frozenset(Phase) - {
    Phase.NEW,
    Phase.INITIALIZING,
    Phase.TERMINATING,
    Phase.TERMINATED,
}
"""Phases in which the app is ours to stop: one on its way in or out is brought there first."""


def stop_is_taken(canary: Canary) -> Canary:
    """Kept in the status until the primary is ready again, which no annotation tells."""
    if not canary.stop or canary.status.stopped or canary.status.phase not in RUNNING:
        return canary
    return with_status(canary, stopped=True)


def stop_takes_the_canary_away(canary: Canary, seen: Observation) -> Decision | None:
    """A release under way is set aside, not refused: it begins anew when the app runs again."""
    status = canary.status
    if not status.stopped:
        return None
    if status.phase in (*ANALYSING, Phase.PROMOTING):
        text = f"Stopping {canary.name}.{canary.namespace}, its release begins anew after {STOP}"
        aside = {"observed": status.promoted, "failed_checks": 0, "iterations": 0, "scale": 0}
        said = warning(text)
        ended = enters(canary, Phase.FAILED, said, now=seen.now, **aside, **taken_off(status))
        return replace(ended, alert=Alert(WARN, text))
    if status.phase is Phase.FINALISING or not (status.has_users or status.scale):
        return None
    stopped = with_status(canary, scale=0, **taken_off(status))
    return Decision(stopped, f"{canary.target} stops")


def stopped_app_rests(canary: Canary, seen: Observation) -> Decision | None:
    """Nothing begins before the primary is back, or all of its users would go to the canary."""
    if not canary.status.stopped:
        return None
    name = f"{canary.name}.{canary.namespace}"
    if canary.stop:
        return told(canary, f"{name} is stopped by {STOP}")
    if not is_back(canary, seen):
        return told(canary, f"{primary_name(canary.target)} starts again")
    text = f"{name} runs again"
    return Decision(with_status(canary, stopped=False, message=text), text, (normal(text),))


def told(canary: Canary, text: str) -> Decision:
    """Once."""
    if canary.status.message == text:
        return hold(canary, text)
    return Decision(with_status(canary, message=text), text, (normal(text),))


def is_back(canary: Canary, seen: Observation) -> bool:
    """Ready at its size; or broken, which only a fix can mend."""
    primary = seen.primary
    if primary is None or primary.replicas != (canary.status.replicas or 1):
        return False
    return bool(primary.failing or primary.stuck or not primary.unready)
