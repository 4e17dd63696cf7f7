"""Adopting a running Deployment: primary ready, then the apex moved, then the target to zero."""

from dataclasses import replace

from delivery.adoption import adoption_pause
from delivery.alert import INFO, Alert
from delivery.apex import has_moved, keys, may_move, present
from delivery.canary import Canary, Phase
from delivery.decision import Decision, normal, warning
from delivery.described import described, is_doomed, is_made
from delivery.eligibility import is_passing
from delivery.images import advice
from delivery.listeners import allocated
from delivery.names import primary_name
from delivery.observation import Observation
from delivery.rules.external import has_settled, unshown_split_holds
from delivery.rules.outcome import enters, hold, waits, with_status

APEX_SETTLES = 5.0
"""Seconds from the moved Service to the last node that sends connections where it led before:
no API tells when every kube-proxy has followed."""
NO_PORT = "the routers have no listener port left; free some by opting other apps out"


def given_up_adoption_waits(canary: Canary, seen: Observation) -> Decision | None:
    """Not for another template: that may be the very thing that was wrong."""
    status = canary.status
    if not status.given_up or seen.target is None or seen.target.revision != status.failed:
        return None
    if seen.now - (status.phase_since or 0.0) >= adoption_pause(status.given_up):
        return None
    return hold(canary, status.message)


def ineligible_is_left_alone(canary: Canary, seen: Observation) -> Decision | None:
    if not seen.refusals:
        return None
    if any(is_passing(one) for one in seen.refusals):
        text = f"{canary.target} is not adopted yet: {'; '.join(seen.refusals)}"
        return Decision(with_status(canary, message=text), text)
    return waits(canary, f"{canary.target} is left alone: {'; '.join(seen.refusals)}")


def described_service_is_made(canary: Canary, seen: Observation) -> Decision | None:
    """First of all, for it is what clients call."""
    if seen.target is None or seen.apex is not None:
        return None
    if described(canary, seen.target.manifest) is None:
        return None
    text = f"Service {canary.service} is not there: it is made as spec.service describes it"
    if canary.status.made and canary.status.apex == canary.service:
        return hold(canary, text)
    making = with_status(canary, apex=canary.service, made=True, message=text)
    return Decision(making, text, (normal(text),))


def doomed_service_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Garbage collection is late: what is adopted with such a Service would lose it."""
    if seen.target is None or seen.apex is None:
        return None
    if not is_doomed(seen.target.manifest, seen.apex):
        return None
    name = seen.apex["metadata"]["name"]
    text = f"{canary.target} is not adopted yet: Service {name} goes with the Deployment before it"
    return Decision(with_status(canary, message=text), text)


def adoption_begins(canary: Canary, seen: Observation) -> Decision | None:
    """What serves now is what was promoted, whoever put it there."""
    if seen.target is None or seen.apex is None:
        return None
    source = seen.primary or seen.target
    serving = seen.primary.revision if seen.primary else seen.serving
    advised = advice(seen.revisions.get(serving) or {})
    name = seen.apex["metadata"]["name"]
    wanted = [key for one in seen.apexes for key in keys(name, one).values()]
    found = allocated(canary.target, wanted, seen.ports_taken, present(name, seen.apexes))
    if len(found) < len(wanted):
        return waits(canary, f"{canary.target} is left alone: {NO_PORT}")
    return enters(
        canary,
        Phase.INITIALIZING,
        *([warning(f"{canary.target}: {advised}")] if advised else []),
        now=seen.now,
        observed=serving,
        promoted=serving,
        failed="",
        given_up=canary.status.given_up if serving == canary.status.failed else 0,
        replicas=canary.status.replicas or seen.wish or source.replicas,
        ports=found,
        apex=name,
        made=canary.status.made or is_made(seen.target.manifest, seen.apex),
    )


def stuck_adoption_is_given_up(canary: Canary, seen: Observation) -> Decision | None:
    """The target has never stopped to serve: it is given back, and the next app gets its turn.

    What its user changed meanwhile is kept: `observed` is what serves, so nothing is refused.
    """
    why = missed(canary, seen)
    if not why:
        return None
    name = f"{primary_name(canary.target)}.{canary.namespace}"
    text = f"Adoption of {canary.target}.{canary.namespace} is given up, {name} not ready: {why}"
    status = canary.status
    return enters(
        canary,
        Phase.TERMINATING,
        warning(text),
        now=seen.now,
        given_up=status.given_up + 1,
        observed=status.promoted,
        scale=status.replicas or 1,
        drained_since=None,
    )


def missed(canary: Canary, seen: Observation) -> str:
    """Why the primary will not come up any more; a large one that still grows has its time."""
    late = seen.now - (canary.status.phase_since or seen.now) >= canary.progress_deadline
    if seen.primary is None:
        return "it could not be created" if late else ""
    hopeless = seen.primary.failing or not seen.primary.ready_pods
    if not seen.primary.unready or not (seen.primary.stuck or (late and hopeless)):
        return ""
    return seen.primary.failing or seen.primary.stuck or seen.primary.unready


def primary_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    name = f"{primary_name(canary.target)}.{canary.namespace}"
    if seen.primary is None:
        return hold(canary, f"{name} is being created")
    why = seen.primary.failing or seen.primary.stuck or seen.primary.unready
    return waits(canary, f"{name} not ready: {why}") if why else None


def routers_are_awaited(canary: Canary, seen: Observation) -> Decision | None:
    if canary.status.apex_moved is not None or may_move(canary, seen):
        return None
    return waits(canary, f"routers of {canary.namespace} not ready: {seen.routers.ready} ready")


def apex_moves(canary: Canary, seen: Observation) -> Decision | None:
    if canary.status.apex_moved is not None:
        return None
    moved = with_status(canary, apex_moved=seen.now)
    where = "the routers" if canary.embedded else primary_name(canary.target)
    return Decision(moved, f"{canary.status.apex} leads to {where}")


def old_connections_drain(canary: Canary, seen: Observation) -> Decision | None:
    if canary.status.scale is not None:
        return None
    if not has_moved(canary, seen):
        # The time to settle begins when the Service has moved, not when that was decided.
        moving = with_status(canary, apex_moved=seen.now)
        return Decision(moving, f"{canary.status.apex} is being moved")
    if seen.now - (canary.status.apex_moved or seen.now) < APEX_SETTLES:
        return hold(canary, f"{canary.status.apex} has moved; old connections drain")
    if canary.external and not has_settled(canary, seen):
        return unshown_split_holds(canary, seen) or hold(canary, "old connections drain")
    return Decision(with_status(canary, scale=0), f"{canary.target} goes to zero")


def initialization_is_done(canary: Canary, seen: Observation) -> Decision | None:
    if seen.target is None or seen.target.replicas or seen.target.on_hold:
        return None
    done = normal(f"Initialization done! {canary.name}.{canary.namespace}")
    decision = enters(canary, Phase.INITIALIZED, done, now=seen.now, given_up=0)
    text = "New Deployment detected, initialization completed."
    return replace(decision, alert=Alert(INFO, text, detailed=True))
