"""Whether the gateways have taken a route in: what its status says of each parent."""

from collections.abc import Iterator, Mapping
from typing import Any

JSON = Mapping[str, Any]

ACCEPTED = "Accepted"
NO_CONDITION: JSON = {"status": "Unknown", "observedGeneration": 0}


def unready(route: JSON) -> str:
    """In Flagger's words (reference, 6.4); empty when every parent has accepted its last change."""
    metadata, spec = route["metadata"], route.get("spec") or {}
    generation = int(metadata.get("generation", 0))
    for parent in spec.get("parentRefs") or ():
        said = list(conditions(route, parent))
        if not any(is_met(one, generation) for one in said):
            one = max(said, key=seen, default=NO_CONDITION)
            return (
                f"{route['kind']} {metadata['name']}.{metadata['namespace']} "
                f"parent {parent['name']} is not ready (status: {one['status']}, "
                f"observed generation: {seen(one)}, current generation: {generation})"
            )
    return ""


def conditions(route: JSON, parent: JSON) -> Iterator[JSON]:
    """What each controller says of it; there may be several, and a parent of nobody's."""
    namespace = route["metadata"]["namespace"]
    for one in (route.get("status") or {}).get("parents") or ():
        if identity(one.get("parentRef") or {}, namespace) == identity(parent, namespace):
            yield from (
                condition
                for condition in one.get("conditions") or ()
                if condition.get("type") == ACCEPTED
            )


def identity(reference: JSON, namespace: str) -> tuple[str, str, str, str, str, int]:
    """What one leaves out is its default, so another way to write it is the same parent."""
    return (
        reference.get("group", "gateway.networking.k8s.io"),
        reference.get("kind") or "Gateway",
        reference.get("namespace") or namespace,
        reference.get("name") or "",
        reference.get("sectionName") or "",
        int(reference.get("port") or 0),
    )


def is_met(condition: JSON, generation: int) -> bool:
    return condition.get("status") == "True" and seen(condition) >= generation


def seen(condition: JSON) -> int:
    return int(condition.get("observedGeneration", 0))
