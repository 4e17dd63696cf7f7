"""Who owns a field that we hold: nobody, or a user's next server-side apply is in conflict.

A client-side apply makes its manager the owner of the number that it sent; admission then holds
another number, and a server-side apply of the same file would be refused for the difference. What
a server-side apply itself owns stays its own: that is the user's own word.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from delivery.mapping import mapping, parsed
from delivery.names import AGENT_MANAGER
from delivery.pods import Object

Path = tuple[str, ...]

EACH = "*"
"""In a path: every key that stands there."""
TARGET: tuple[Path, ...] = (("f:spec", "f:replicas"),)
PLACED: tuple[Path, ...] = tuple(
    ("f:spec", "f:template", "f:spec", field) for field in ("f:nodeSelector", "f:tolerations")
)
"""Of a target whose template bears more of them than its user wrote: each is owned as a whole."""
APEX: tuple[Path, ...] = (("f:spec", "f:selector"), ("f:spec", "f:ports", EACH, "f:targetPort"))
SPEC: tuple[Path, ...] = (("f:spec",),)


def entries_of(found: Object) -> list[Mapping[str, Any]]:
    return list(found["metadata"].get("managedFields") or ())


def disowned(found: Object, held: Sequence[Path]) -> list[Mapping[str, Any]] | None:
    """The managedFields without owners of the held fields; None where there are none.

    We own nothing of a user's spec at all, whatever we died before giving up.
    """
    before = entries_of(found)
    after = [released(entry, given_up(entry, held)) for entry in before]
    return after if after != before else None


def given_up(entry: Mapping[str, Any], held: Sequence[Path]) -> Sequence[Path]:
    if not is_update(entry):
        return ()
    return SPEC if entry.get("manager") == AGENT_MANAGER else held


def of_others(found: Object, manager: str) -> list[Mapping[str, Any]]:
    """The managedFields of all but `manager`."""
    return [entry for entry in entries_of(found) if entry.get("manager") != manager]


def owner_kept(found: Object, manager: str) -> list[Mapping[str, Any]]:
    """The managedFields in which `manager`, that is we, own nothing but whose the object is.

    That stays: to an object without any owner the API server gives one, with whom the user's next
    server-side apply would be in conflict.
    """
    return [bare(one) if one.get("manager") == manager else one for one in entries_of(found)]


def says_whose(found: Object, manager: str) -> bool:
    """Whether it was `manager` who said whose the object is."""
    ours = (one for one in entries_of(found) if one.get("manager") == manager)
    return any(bare(one)["fieldsV1"] for one in ours)


def bare(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    whose = mapping(entry, "fieldsV1", "f:metadata").get("f:ownerReferences")
    kept = {"f:metadata": {"f:ownerReferences": whose}} if whose else {}
    return {**entry, "fieldsV1": kept}


def ours_released(found: Object, manager: str) -> list[Mapping[str, Any]]:
    """The managedFields in which `manager`, that is we, own nothing of the spec."""
    return [
        released(one, SPEC) if one.get("manager") == manager else one for one in entries_of(found)
    ]


def forsaken(found: Object, manager: str) -> list[Mapping[str, Any]] | None:
    """The managedFields without any entry of `manager`, but for what nobody else has written
    (owner_kept); None where it has none.
    """
    before = entries_of(found)
    ours = [one for one in owner_kept(found, manager) if one["fieldsV1"]]
    after = of_others(found, manager) or ours
    # An empty list would change nothing; this one leaves no owner.
    return (after or [{}]) if after != before else None


def applied_keys(found: Object, manager: str, field: str) -> frozenset[str]:
    """The labels or annotations that `manager` applied: they are there by its word alone."""
    entries = mapping(found, "metadata").get("managedFields")
    return frozenset(
        key.removeprefix("f:")
        for entry in (entries if isinstance(entries, list) else ())
        if (entry.get("manager"), entry.get("operation")) == (manager, "Apply")
        for key in mapping(entry, "fieldsV1", "f:metadata", f"f:{field}")
        if key.startswith("f:")
    )


def pauses(found: Object) -> bool:
    """Whether its user paused it: somebody owns the field, which nobody does of what we hold.

    An apply from a file finds a held Deployment paused and sends nothing: only the file says so.
    """
    entries = mapping(found, "metadata").get("managedFields")
    owners = (
        entry.get("manager")
        for entry in (entries if isinstance(entries, list) else ())
        if "f:paused" in mapping(entry, "fieldsV1", "f:spec")
    )
    return any(owner != AGENT_MANAGER for owner in owners) or bool(applied(found).get("paused"))


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def applied(found: Object) -> Mapping[str, Any]:
    """The spec in the file that was applied last, as kubectl notes it; empty without one."""
    said = mapping(found, "metadata", "annotations").get(LAST_APPLIED)
    return mapping(parsed(said), "spec")


def is_update(entry: Mapping[str, Any]) -> bool:
    return entry.get("operation") == "Update" and not entry.get("subresource")


def released(entry: Mapping[str, Any], held: Sequence[Path]) -> Mapping[str, Any]:
    """One manager's entry without the held fields."""
    fields = entry.get("fieldsV1") or {}
    for path in held:
        fields = without(fields, path)
    return {**entry, "fieldsV1": fields}


def without(fields: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    first, rest = path[0], path[1:]
    chosen = [key for key in fields if first in (key, EACH)]
    if not rest:
        return {key: value for key, value in fields.items() if key not in chosen}
    return {**fields, **{key: without(fields[key], rest) for key in chosen}}
