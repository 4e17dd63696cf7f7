"""Giving an app back: the target serves again, the Service finds it, then the clone goes."""

from dataclasses import replace

from delivery import external
from delivery.adoption import LEFT_ALONE, adoption_failure
from delivery.apex import leads_home
from delivery.canary import IDLE, Canary, Phase, Status
from delivery.decision import Decision, Message, normal, warning
from delivery.intent import primary_revision
from delivery.leaving import refused, remains
from delivery.observation import Observation
from delivery.rules.external import ROUTES_SETTLE
from delivery.rules.idle import DRAIN_LIMIT, users_return
from delivery.rules.initializing import APEX_SETTLES
from delivery.rules.outcome import enters, hold, taken_off, waits, with_status
from delivery.servable import is_ours

APEX_RETURNS = 10.0
"""Seconds that a Service has to come back in: some tools delete it to write it anew."""
NOT_MANAGED = (Phase.NEW, Phase.TERMINATING, Phase.TERMINATED)


def leaving_begins(canary: Canary, seen: Observation) -> Decision | None:
    """Whatever the phase: what users may keep is what was promoted, or had passed to be.

    `observed` keeps what the target held when its leave began: unless that was promoted, it is
    not what the app gets back. What its user applies later is the user's own business.
    """
    if not seen.leaving or canary.status.phase in NOT_MANAGED:
        return None
    return leaves(canary, seen)


def leaves(canary: Canary, seen: Observation, *before: Message) -> Decision:
    status = canary.status
    said = normal(f"Terminating canary {canary.name}.{canary.namespace}")
    return enters(
        canary,
        Phase.TERMINATING,
        *before,
        said,
        now=seen.now,
        drained_since=None,
        observed=seen.target.revision if seen.target else status.observed,
        promoted=primary_revision(status),
        scale=status.replicas or 1,
        stopped=False,
        **({} if keeps_users(status, seen) else taken_off(status)),
    )


def unfit_app_leaves(canary: Canary, seen: Observation) -> Decision | None:
    """Between releases only: one that is under way, or waits to begin, is brought to its end.

    An app that its user has stopped does not run again for it.
    """
    status = canary.status
    resting = status.phase in IDLE and not status.has_users and not status.stopped
    if not seen.unfit or not resting or seen.target is None:
        return None
    if seen.target.revision != status.observed:
        return None
    return leaves(canary, seen, warning(given_back(canary, seen)))


def unfit_app_is_not_moved(canary: Canary, seen: Observation) -> Decision | None:
    """A pair that another Canary has left may stand where our routers must not: it is given back
    from where it leads now.
    """
    if not seen.unfit or canary.status.apex_moved is not None or seen.target is None:
        return None
    return leaves(canary, seen, warning(given_back(canary, seen)))


def uncalled_app_is_given_back(canary: Canary, seen: Observation) -> Decision | None:
    """Its Service was deleted while it is adopted: nothing can be moved, and a hold may not last.

    What its user changed meanwhile is kept: `observed` is what serves, so nothing is refused.
    """
    since, gone = canary.status.drained_since, f"Service {canary.status.apex} is gone"
    if seen.apexes and since is None:
        return None
    if seen.apexes or since is None:
        begun = None if seen.apexes else seen.now
        return Decision(with_status(canary, drained_since=begun), gone if begun else "it is back")
    if seen.now - since < APEX_RETURNS:
        return hold(canary, gone)
    left = leaves(canary, seen, warning(f"{canary.target} is given back: {gone}"))
    return replace(left, canary=with_status(left.canary, observed=left.canary.status.promoted))


def given_back(canary: Canary, seen: Observation) -> str:
    return f"{canary.target} is given back: {'; '.join(seen.unfit)}"


def keeps_users(status: Status, seen: Observation) -> bool:
    """While a promotion changes the primary it may not be able to serve everybody."""
    changing = status.phase in (Phase.PROMOTING, Phase.FAILED)
    same = seen.target is not None and seen.target.revision == status.observed
    return changing and same


def untouched_app_is_left_alone(canary: Canary, seen: Observation) -> Decision | None:
    """One that carries our marks is taken up first, or they could not be taken off in order."""
    cloned = seen.primary is not None and is_ours(seen.primary.manifest)
    marked = cloned or (seen.target is not None and seen.target.held is not None)
    if not seen.leaving or marked:
        return None
    text = f"{canary.target} is left alone: {seen.leaving}"
    if canary.generated:
        return enters(canary, Phase.TERMINATED, normal(text), now=seen.now)
    return waits(canary, text)


def failed_promotion_keeps_users(canary: Canary, seen: Observation) -> Decision | None:
    """Those of the refused revision stay until the primary is back on what was promoted."""
    if not canary.status.has_users or not refused(canary, seen):
        return None
    return users_return(canary, seen)


def target_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """It must serve all of its load before anybody is sent there."""
    status = canary.status
    wanted = status.replicas or 1
    if seen.target is None or status.scale is None:
        return None
    if status.scale != wanted:
        return Decision(with_status(canary, scale=wanted), "the wish has changed")
    if status.drained_since is not None:
        return None
    if refused(canary, seen):
        return hold(canary, f"{canary.target} is put back to the promoted revision")
    if seen.target.replicas != status.scale:
        return hold(canary, f"{canary.target} is scaled up")
    why = seen.target.failing or seen.target.stuck or seen.target.unready
    if not why and seen.target.ready_pods < status.scale:
        why = f"{seen.target.ready_pods} of {status.scale} pods are ready"
    name = f"{canary.target}.{canary.namespace}"
    return waits(canary, f"deployment {name} not ready: {why}") if why else None


def apex_goes_home(canary: Canary, seen: Observation) -> Decision | None:
    """The intent first; the time to settle counts from the Service that was seen to have moved."""
    status = canary.status
    if status.scale is None:
        return None
    if status.drained_since is None:
        moved = with_status(canary, apex_moved=None, drained_since=seen.now)
        return Decision(moved, f"{status.apex} leads to {canary.target} again")
    if not all(leads_home(one, seen) for one in (*seen.apexes, *seen.strays)):
        return Decision(with_status(canary, drained_since=seen.now), "the Service is being moved")
    if not external.is_restored(canary, seen) or external.lingering(canary, seen):
        return Decision(with_status(canary, drained_since=seen.now), "what was routed is restored")
    if seen.now - status.drained_since < (ROUTES_SETTLE if canary.external else APEX_SETTLES):
        return hold(canary, f"{status.apex} has moved back; old connections drain")
    return None


def clone_may_go(canary: Canary, seen: Observation) -> Decision | None:
    if canary.status.scale is None:
        return None
    going = with_status(canary, scale=None, drained_since=seen.now)
    return Decision(going, "what is ours is removed")


def nothing_of_ours_is_left(canary: Canary, seen: Observation) -> Decision | None:
    """Only then is the app given back."""
    if remains(canary, seen):
        return hold(canary, "what is ours is removed")
    if seen.now - (canary.status.drained_since or 0.0) < DRAIN_LIMIT:
        return hold(canary, "old connections to the routers are closed")
    if canary.status.given_up and not seen.leaving:
        return adoption_will_be_tried_again(canary, seen)
    said = normal(f"Terminated canary {canary.name}.{canary.namespace}")
    return enters(canary, Phase.TERMINATED, said, now=seen.now)


def adoption_will_be_tried_again(canary: Canary, seen: Observation) -> Decision:
    """As if it were new, but for what is known of it: which revision did not come up, how often."""
    status = canary.status
    text = f"{canary.target} {LEFT_ALONE}: {adoption_failure(status.given_up)}"
    known = Status(
        given_up=status.given_up, failed=status.promoted, phase_since=seen.now, message=text
    )
    return Decision(replace(canary, status=known), text, (warning(text),))


def return_begins_anew(canary: Canary, seen: Observation) -> Decision | None:
    """Opted in once more, or fit again: the app is adopted like any other."""
    if why := seen.leaving or "; ".join(seen.unfit):
        return hold(canary, f"{canary.target} is left alone: {why}")
    return Decision(replace(canary, status=Status()), "opted in again")


def deleted_target_ends_it(canary: Canary, seen: Observation) -> Decision | None:
    """A Deployment of the same name that comes later is another app."""
    if seen.target is not None or canary.status.phase is Phase.NEW:
        return None
    text = f"deployment {canary.target}.{canary.namespace} get query error: not found"
    return Decision(replace(canary, status=Status(message=text)), text, (warning(text),))
