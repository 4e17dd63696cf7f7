"""The few JSON patch operations (RFC 6902) that make a mapping in an object say what it should."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

Operation = Mapping[str, Any]
Path = tuple[str | int, ...]


class Absent(Enum):
    """A wanted value: the key shall not be there."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


def edits(document: Any, path: Path, wanted: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Operations after which the mapping at `path` has what is wanted.

    Parents that are missing or null are added with it; where something other than a mapping
    stands in the way, nothing is done.
    """
    for depth, key in enumerate(path, start=1):
        if not isinstance(document, Mapping):
            return ()
        document = document.get(key)
        if document is None:
            return added(path[:depth], path[depth:], wanted)
    if not isinstance(document, Mapping):
        return ()
    return changes(path, document, wanted)


def added(path: Path, rest: Path, wanted: Mapping[str, Any]) -> tuple[Operation, ...]:
    """One operation that adds a missing parent with all that is wanted below it."""
    value: Any = {key: value for key, value in wanted.items() if value is not ABSENT}
    if not value:
        return ()
    for key in reversed(rest):
        value = {key: value}
    return ({"op": "add", "path": pointer(path), "value": value},)


def changes(
    path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> tuple[Operation, ...]:
    """One operation for each wanted key whose value is another one."""
    operations: list[Operation] = []
    for key, value in wanted.items():
        place = pointer((*path, key))
        if value is ABSENT and key in found:
            operations.append({"op": "remove", "path": place})
        elif value is not ABSENT and (key not in found or found[key] != value):
            # Of a member that is there, "add" replaces the value (RFC 6902, 4.1).
            operations.append({"op": "add", "path": place, "value": value})
    return tuple(operations)


def pointer(path: Path) -> str:
    """RFC 6901."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)
