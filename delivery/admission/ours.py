"""The annotations that the agent alone may write, carried over for everybody else."""

from collections.abc import Mapping
from typing import Any

from delivery import names
from delivery.admission.patch import ABSENT, Operation, edits
from delivery.admission.request import Request
from delivery.mapping import mapping, number
from delivery.wiring import wiring

OURS = (
    names.SCALE,
    names.HELD_AT,
    names.LEAVING,
    names.HOLD,
    names.REPLICAS,
    names.ROUTE,
    names.ORIGIN,
    names.CANARY_OF,
    names.WISHED,
    names.ADMITTED,
    names.RELEASE,
    names.CANARY_TEMPLATE,
)


def annotations(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(document, "metadata", "annotations")


def version(request: Request) -> str:
    """What the stored object was when the request came."""
    return str(mapping(request.old, "metadata").get("resourceVersion", ""))


def carried(request: Request) -> dict[str, Any]:
    """Our annotations as they shall be, whatever the request says of them."""
    asked, stored = annotations(request.object), annotations(request.old)
    if request.by_agent:
        return {key: asked[key] for key in OURS if key in asked}
    kept = {key: stored[key] for key in OURS if key in stored}
    if request.creates or asked.get(names.WISHED) != version(request):
        return kept
    # Admission looks twice when another webhook changed the object after it: what it took over
    # at its first look bears the version of this very request, a copy from elsewhere does not.
    return kept | wishes(asked)


def wishes(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A user's wish as admission itself noted it, without what cannot be read."""
    noted = {names.WISHED: asked[names.WISHED]}
    if number(asked.get(names.REPLICAS)) is not None:
        noted[names.REPLICAS] = asked[names.REPLICAS]
    if wiring(asked.get(names.ORIGIN)) is not None:
        noted[names.ORIGIN] = asked[names.ORIGIN]
    return noted


def rewritten(request: Request, kept: Mapping[str, Any]) -> tuple[Operation, ...]:
    """The operations that leave just the kept ones of our annotations."""
    wanted = {key: kept.get(key, ABSENT) for key in OURS}
    return edits(request.object, ("metadata", "annotations"), wanted)


def complaint(request: Request, key: str, kept: Mapping[str, Any]) -> str:
    """Why a field was left alone."""
    return f"outrider: {request.name}: {key} cannot be read, left alone: {str(kept[key])[:40]!r}"
