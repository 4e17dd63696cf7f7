"""External routers: nothing advances before their objects say so, and no pod goes before that."""

from dataclasses import replace

from delivery import external
from delivery.canary import Canary
from delivery.decision import Decision, warning
from delivery.observation import Observation
from delivery.rules.outcome import full_name, hold, rolled_back, waits, with_status
from delivery.strategy import split_of

ROUTES_SETTLE = 15.0
"""Seconds from objects that say so to the last request on the way that they left: istiod waits at
most 10 s for more changes before it tells the proxies, and then a request may be on its way. What
is open longer is left to the pods' own graceful shutdown. No counters tell of it."""


def shown_is_noted(canary: Canary, seen: Observation) -> Canary:
    """Since when the router's objects are as intended: what is to end, or to go, waits for it."""
    status = canary.status
    if not canary.external or status.phase in external.UNROUTED or status.apex_moved is None:
        since, unshown = None, None
    elif external.unshown(canary, seen):
        since, unshown = None, status.unshown_since or seen.now
    else:
        since, unshown = status.shown_since or seen.now, None
    if (since, unshown) == (status.shown_since, status.unshown_since):
        return canary
    return with_status(canary, shown_since=since, unshown_since=unshown)


def news_are_unshown(before: Canary, decision: Decision) -> Decision:
    """Another split is not shown before it was seen to be."""
    after = decision.canary
    same = after.status.shown_since is None or divided(before) == divided(after)
    return decision if same else replaced(decision, shown_since=None)


def divided(canary: Canary) -> tuple[object, ...]:
    status = canary.status
    split = replace(split_of(status), iterations=0)
    return split, status.cookie, status.primary_cookie, status.previous_cookie


def pods_outlast_requests(before: Canary, decision: Decision, seen: Observation) -> Decision:
    """Whatever was decided: a canary that nobody is to be sent to keeps its pods until it is so."""
    now, wanted = before.status.scale, decision.canary.status.scale
    if not before.external or now is None or wanted is None or wanted >= now:
        return decision
    if decision.canary.status.is_asked or is_left(before, seen):
        return decision
    return replaced(decision, scale=now)


def replaced(decision: Decision, **changes: object) -> Decision:
    return replace(decision, canary=with_status(decision.canary, **changes))


def is_left(canary: Canary, seen: Observation) -> bool:
    """Whether every request that went to the canary has had its time to end."""
    return not canary.status.is_asked and has_settled(canary, seen)


def has_settled(canary: Canary, seen: Observation) -> bool:
    since = canary.status.shown_since
    return since is not None and seen.now - since >= ROUTES_SETTLE


def unshown_split_holds(canary: Canary, seen: Observation) -> Decision | None:
    """A step is judged, and the next one taken, when the router was told of it."""
    if not canary.external or canary.status.shown_since is not None:
        return None
    text = f"routes of {full_name(canary)} are not as intended: {external.unshown(canary, seen)}"
    written = external.obstacle(canary, seen.routes) or not any(external.missing(canary, seen))
    return waits(canary, text) if written else hold(canary, text)


def unshown_split_rolls_back(canary: Canary, seen: Observation) -> Decision | None:
    """A router that never follows is no reason to wait for ever (reference, 13.1)."""
    since = canary.status.unshown_since
    if since is None or seen.now - since <= canary.progress_deadline:
        return None
    why = external.unshown(canary, seen)
    text = f"Rolling back {full_name(canary)} progress deadline exceeded: {why}"
    return rolled_back(canary, seen, warning(text))


def unkept_split_rolls_back(canary: Canary, seen: Observation) -> Decision | None:
    """What its router can never be told is not waited for; nothing of it was written."""
    if not (found := external.dropped(canary, seen)):
        return None
    return rolled_back(canary, seen, warning(f"Rolling back {full_name(canary)} {found}"))


def unkept_routes_halt(canary: Canary, seen: Observation) -> Decision | None:
    """No release begins on routes that cannot be as intended; they stay as they were."""
    if seen.leaving or not (found := external.dropped(canary, seen)):
        return None
    return waits(canary, f"routes of {full_name(canary)} cannot be as intended: {found}")


def former_routes_are_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Objects that still send requests to a canary of former times are restored first."""
    left = external.lingering(canary, seen)
    if not left and external.is_restored(canary, seen):
        return None
    if why := seen.routes.missing.get(left or canary.provider):
        return waits(canary, f"{canary.target} is left as it is: {why}")
    return hold(canary, f"what {left or canary.provider} routed before is restored")
