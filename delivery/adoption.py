"""Which Deployment of a namespace gets a Canary next, and what is said of those that get none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from delivery import eligibility, names, rivals, servable
from delivery.canary import IDLE, Canary, Phase
from delivery.eligibility import Neighbours
from delivery.frozen import frozen
from delivery.observation import Observation
from delivery.obstacles.grounds import ROLLING, UNREAD
from delivery.pods import Object, annotations_of


@dataclass(frozen=True)
class Adoption:
    """`target` is to be adopted now; `refused` maps the names of the others to their reasons.

    `left_out` are those that their users want to be left alone, and by which word.
    """

    target: Object | None = None
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=frozen)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=frozen)


@dataclass(frozen=True)
class Declined:
    """A Canary that the API server refused to make, by its own word; `due` is to be tried again."""

    why: str
    due: bool = False


NOBODY: Mapping[str, Declined] = frozen()
LEFT_ALONE = "is left alone"


def next_adoption(
    canaries: Sequence[Canary],
    neighbours: Neighbours,
    manifests: Sequence[Object] = (),
    declined: Mapping[str, Declined] = NOBODY,
) -> Adoption:
    """One after another: nothing is adopted while another app is on its way.

    `manifests` are all Canaries that there are, also those that cannot be acted on; `declined` are
    the Deployments that could not get one.
    """
    managed = {canary.target for canary in canaries}
    busy = any(is_on_its_way(canary) for canary in canaries)
    refused: dict[str, tuple[str, ...]] = {}
    target: Object | None = None
    for deployment in candidates(neighbours, managed):
        marked = is_marked(deployment)
        reasons = () if marked else eligibility.refusals(deployment, neighbours)
        if claim := rivals.claim(deployment, manifests, marked=marked):
            reasons = (*reasons, claim)
        past = declined.get(deployment["metadata"]["name"])
        if not reasons and (past is None or past.due):
            target = target or deployment
        if past is not None:
            reasons = (*reasons, refusal(past.why))
        if said := lasting(deployment, reasons):
            refused[deployment["metadata"]["name"]] = said
    return Adoption(None if busy else target, refused, left_out(neighbours, managed))


def refusal(why: str) -> str:
    return (
        "its Canary was refused, let the quota or policy named here allow it (tried again each "
        f"minute): {why}"
    )


def lasting(deployment: Object, reasons: tuple[str, ...]) -> tuple[str, ...]:
    """What will not end by itself; until a rollout is over the Service may be still to come."""
    if any(one.startswith(UNREAD) for one in reasons):
        return ()
    if any(one.startswith(ROLLING) for one in reasons):
        reasons = tuple(eligibility.workload_refusals(deployment))
    return tuple(one for one in reasons if not eligibility.is_passing(one))


def is_marked(deployment: Object) -> bool:
    """Held by us without a Canary that says so: it gets one, if only to be given back in order."""
    return names.SCALE in annotations_of(deployment)


def is_out(deployment: Object, neighbours: Neighbours) -> bool:
    return not neighbours.enrolled or eligibility.opted_out(deployment, neighbours)


def is_on_its_way(canary: Canary) -> bool:
    """Being adopted, or about to be; one that was left alone keeps nobody else waiting."""
    fresh = canary.status.phase is Phase.NEW and not canary.status.message and not canary.suspend
    return fresh or canary.status.phase is Phase.INITIALIZING


def standing(canary: Canary, seen: Observation) -> tuple[str, tuple[str, ...]] | None:
    """What becomes of an app that has a Canary but cannot be managed now, and why."""
    status = canary.status
    if status.phase is Phase.NEW:
        tried = (adoption_failure(status.given_up),) if status.given_up else ()
        refused = seen.refusals if not any(map(eligibility.is_passing, seen.refusals)) else ()
        return (LEFT_ALONE, (*tried, *refused)) if tried or refused else None
    if not seen.unfit:
        return None
    if status.phase is Phase.TERMINATED:
        return LEFT_ALONE, seen.unfit
    resting = status.phase in (*IDLE, Phase.TERMINATING)
    return "is given back" if resting else "is given back when its release has ended", seen.unfit


def adoption_failure(given_up: int) -> str:
    minutes = round(adoption_pause(given_up) / 60)
    return f"its clone did not become ready in time, tried again in {minutes} min or when changed"


FIRST_PAUSE, LONGEST_PAUSE = 600.0, 14400.0
"""Seconds between two attempts at the same revision, doubled each time."""


def adoption_pause(given_up: int) -> float:
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(given_up - 1, 10)))


def candidates(neighbours: Neighbours, managed: Iterable[str]) -> Iterable[Object]:
    """Every Deployment that is neither ours, nor managed, nor left out by its user; by name."""
    return [
        deployment
        for deployment in unmanaged(neighbours, managed)
        if is_marked(deployment) or not is_out(deployment, neighbours)
    ]


def left_out(neighbours: Neighbours, managed: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Where the namespace is opted in, but not all of it."""
    return {
        deployment["metadata"]["name"]: (
            eligibility.leaving(deployment, neighbours, generated=True),
        )
        for deployment in unmanaged(neighbours, managed)
        if neighbours.enrolled
        and not is_marked(deployment)
        and eligibility.opted_out(deployment, neighbours)
    }


def unmanaged(neighbours: Neighbours, managed: Iterable[str]) -> Sequence[Object]:
    """Every Deployment that is neither ours nor managed, by name."""
    taken = {*managed, *(names.primary_name(name) for name in managed)}
    return sorted(
        (
            deployment
            for deployment in neighbours.deployments
            if deployment["metadata"]["name"] not in taken
            and not deployment["metadata"].get("deletionTimestamp")
            and not servable.is_ours(deployment)
        ),
        key=lambda deployment: str(deployment["metadata"]["name"]),
    )
