"""Between releases: what was refused is cleared away, and the next revision is noticed."""

from dataclasses import replace

from delivery.alert import INFO, Alert
from delivery.canary import Canary, Phase
from delivery.decision import Decision, normal
from delivery.names import primary_name
from delivery.observation import Observation
from delivery.renaming import before
from delivery.rules.external import is_left, unshown_split_holds
from delivery.rules.outcome import enters, from_the_start, hold, taken_off, with_status


def broken_primary_keeps_users(canary: Canary, seen: Observation) -> Decision | None:
    """After a failed promotion the split stays until the primary is back on what was promoted."""
    if canary.status.phase is not Phase.FAILED or not canary.status.has_users:
        return None
    return users_return(canary, seen)


def users_return(canary: Canary, seen: Observation) -> Decision:
    """To the primary, once it serves the promoted revision again."""
    back = seen.primary is not None and seen.primary.revision == canary.status.promoted
    if not back or seen.primary is None or seen.primary.failing or seen.primary.unready:
        return hold(canary, "primary is going back to the promoted revision")
    said = normal("Routing all traffic to primary")
    return Decision(with_status(canary, **taken_off(canary.status)), said.text, (said,))


def drained_canary_scales_down(canary: Canary, seen: Observation) -> Decision | None:
    if not canary.status.scale:
        return None
    if seen.target and seen.target.revision != canary.status.observed:
        return None  # a fix may not wait for the last stream of what it mends
    if drain_is_over(canary, seen):
        return Decision(with_status(canary, scale=0), f"{canary.target} goes to zero")
    unshown = unshown_split_holds(canary, seen)
    return unshown or hold(canary, f"{canary.target} ends its last requests")


DRAIN_LIMIT = 30.0
"""Seconds after which open streams are left to the pods' own graceful shutdown."""


def drain_is_over(canary: Canary, seen: Observation) -> bool:
    if canary.external:
        return is_left(canary, seen)
    since = canary.status.phase_since
    return seen.drained or since is None or seen.now - since >= DRAIN_LIMIT


def known_revision_is_no_release(canary: Canary, seen: Observation) -> Decision | None:
    """The promoted template again (a rollback by hand), or one that the primary has already.

    The second is an edit of both by hand: what users have had all along is no news to them.
    """
    if seen.target is None or seen.target.revision == canary.status.observed:
        return hold(canary, "no new revision")
    found = seen.target.revision
    if found == canary.status.promoted:
        return Decision(with_status(canary, observed=found), "back at the promoted revision")
    if seen.primary and found == seen.primary.revision:
        same = with_status(canary, observed=found, promoted=found)
        return Decision(same, "the primary has this revision already")
    return None


def undo_goes_straight_back(canary: Canary, seen: Observation) -> Decision | None:
    """What was promoted before has been judged, by its users too; once: what was undone is not.

    The primary takes it with no canary before it; its former ReplicaSet is still there.
    """
    status, former = canary.status, before(canary.status, seen)
    if seen.target is None or seen.target.revision != former:
        return None
    target, primary = f"{canary.target}.{canary.namespace}", primary_name(canary.target)
    messages = (
        normal(f"Undoing {target}: back to the revision that was promoted before, no analysis"),
        normal(f"Copying {target} template spec to {primary}.{canary.namespace}"),
    )
    begun = from_the_start(canary, former, messages[0], now=seen.now)
    straight = with_status(begun.canary, scale=status.scale)
    return enters(straight, Phase.PROMOTING, *messages, now=seen.now, last_check=seen.now)


def new_revision_starts(canary: Canary, seen: Observation) -> Decision | None:
    if seen.target is None:
        return None
    text = f"New revision detected! Scaling up {canary.target}.{canary.namespace}"
    decision = from_the_start(canary, seen.target.revision, normal(text), now=seen.now)
    begun = Alert(INFO, "New revision detected, progressing canary analysis.", detailed=True)
    return replace(decision, alert=begun)
