"""The annotations that the agent alone may write, carried over for everybody else."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery import names
from delivery.admission.patch import ABSENT, Operation, edits
from delivery.admission.request import Request
from delivery.mapping import mapping

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

LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Wiring:
    """A Service's selector, and targetPort by port number: what ROUTE and ORIGIN say as JSON."""

    selector: Mapping[str, str] | None
    ports: Mapping[str, int | str]

    def __str__(self) -> str:
        said = {"selector": self.selector, "targetPorts": self.ports}
        kept = {key: value for key, value in said.items() if value is not None}
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))


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


def number(value: Any) -> int | None:
    """A number of replicas as an annotation holds it."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,10}", value):
        return None
    count = int(value)
    return count if count <= LARGEST else None


def wiring(value: Any) -> Wiring | None:
    """ROUTE or ORIGIN as an annotation holds it."""
    try:
        said = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(said, Mapping):
        return None
    selector, ports = said.get("selector"), said.get("targetPorts", {})
    if selector is not None and not texts(selector):
        return None
    return Wiring(selector, ports) if targets(ports) else None


def texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values())


def targets(value: Any) -> bool:
    """Whether it maps port numbers to port numbers or names."""
    return isinstance(value, Mapping) and all(
        key.isdigit() and isinstance(one, int | str) and not isinstance(one, bool)
        for key, one in value.items()
    )


def complaint(request: Request, key: str, kept: Mapping[str, Any]) -> str:
    """Why a field was left alone."""
    return f"outrider: {request.name}: {key} cannot be read, left alone: {str(kept[key])[:40]!r}"
