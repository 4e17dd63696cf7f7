"""Which decisions raise an alert: each end of a release just one, whatever brought it about."""

from dataclasses import replace

from delivery.alert import ERROR, INFO, WARN, Alert
from delivery.canary import Canary, Phase
from delivery.decision import Decision
from delivery.hook import WAITING, HookType, Told
from delivery.observation import Observation
from delivery.rules.outcome import full_name

RUNNING = frozenset({Phase.PROGRESSING, Phase.WAITING_PROMOTION, Phase.PROMOTING, Phase.FINALISING})
MOST = 20
"""So many wait to be told; of more the oldest are lost."""


def alerted(before: Canary, decision: Decision, seen: Observation) -> Decision:
    """The decision with its alert in the next status: written with it, it outlives the agent.

    It is there until it was told, and told again by whoever finds it there after a crash.
    """
    status = decision.canary.status
    kept = tuple(one for one in before.status.alerts if one.at not in seen.told)
    found = decision.alert or ending(before, decision) or waiting(before, decision)
    if found and any(route.wants(found) for route in before.analysis.alerts):
        kept += (replace(found, phase=str(status.phase), at=seen.now),)
    if kept == status.alerts:
        return decision
    canary = replace(decision.canary, status=replace(status, alerts=kept[-MOST:]))
    return replace(decision, canary=canary)


def ending(before: Canary, decision: Decision) -> Alert | None:
    """Of a release that ends without an alert of its own."""
    phase, status = before.status.phase, decision.canary.status
    if phase not in RUNNING or status.phase in RUNNING:
        return None
    if status.phase is Phase.SUCCEEDED:
        return Alert(INFO, "Canary analysis completed successfully, promotion finished.")
    severity = ERROR if status.phase is Phase.FAILED else WARN
    return Alert(severity, reason(before, status.message))


APPROVALS = {
    HookType.CONFIRM_ROLLOUT: "Canary is waiting for approval.",
    HookType.CONFIRM_TRAFFIC_INCREASE: "Canary traffic increase is waiting for approval.",
    HookType.CONFIRM_PROMOTION: "Canary promotion is waiting for approval.",
}


def waiting(before: Canary, decision: Decision) -> Alert | None:
    """Of a gate that is found closed, once for what it is asked about; unless it is muted."""
    for hook in before.hooks_of(*APPROVALS):
        told = decision.canary.status.hooks.get(hook.name)
        known = before.status.hooks.get(hook.name)
        same = known is not None and told is not None and closed(known) == closed(told)
        if told and told.outcome == WAITING and not same and not hook.mute_alert:
            return Alert(WARN, APPROVALS[hook.type])
    return None


def closed(told: Told) -> tuple[str, str]:
    return told.outcome, told.about


def reason(canary: Canary, text: str) -> str:
    """An Event's text without what every alert says of itself."""
    rest = text.removeprefix(f"Rolling back {full_name(canary)} ")
    rest = rest.replace(f" of {canary.target}.{canary.namespace} failed", " failed", 1)
    return rest[:1].upper() + rest[1:]
