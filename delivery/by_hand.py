"""What a person says of a release by kubectl alone: annotations on its Canary, and who asked."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from delivery import names
from delivery.canary import Canary, Wish
from delivery.decision import Consume
from delivery.mapping import mapping, parsed

UNKNOWN = "an unknown user (admission did not see it)"
YES = "true"


def wishes_of(annotations: Mapping[str, Any]) -> tuple[Wish, ...]:
    """In the order in which they are answered."""
    known = marks_of(annotations)
    found = (wish_of(key, annotations.get(key), known.get(key)) for key in names.BY_HAND)
    return tuple(wish for wish in found if wish is not None)


def wish_of(key: str, value: Any, mark: Any) -> Wish | None:
    """A mark of other words belongs to another wish, which admission has seen and this one not."""
    match mark:
        case {"value": said, "user": str() as user, "at": str() as at} if said == value:
            return Wish(key, said, user, at)
    return None if value is None else Wish(key, str(value))


def marks_of(annotations: Mapping[str, Any]) -> Mapping[str, Any]:
    """By annotation: the value, the user and the version at which admission saw it."""
    return mapping(parsed(annotations.get(names.ASKED_BY)))


def marked(wishes: Iterable[Wish]) -> str | None:
    """The annotation that says who asked for them; None where it is of nobody."""
    found = {
        one.annotation: {"value": one.value, "user": one.asker, "at": one.version}
        for one in wishes
        if one.asker
    }
    return json.dumps(found, sort_keys=True, separators=(",", ":")) if found else None


def asker_of(wish: Wish | None) -> str:
    return wish.asker if wish and wish.asker else UNKNOWN


def mark_of(wish: Wish) -> str:
    """What tells this wish from an earlier one."""
    return f"{wish.value}@{wish.version}"


def is_answered(canary: Canary, wish: Wish) -> bool:
    return canary.status.answered.get(wish.annotation) == mark_of(wish)


def wished(canary: Canary, annotation: str) -> Wish | None:
    return next((one for one in canary.wishes if one.annotation == annotation), None)


def consumption(canary: Canary) -> Iterator[Consume]:
    """What was acted on goes, with its mark; a pause that was taken off has left only its mark."""
    done = [one for one in canary.wishes if is_over(canary, one)]
    if not done:
        return
    rest = [one for one in canary.wishes if one not in done]
    gone: dict[str, str | None] = {one.annotation: None for one in done if one.value is not None}
    yield Consume(gone | {names.ASKED_BY: marked(rest)})


def is_over(canary: Canary, wish: Wish) -> bool:
    told = wish.annotation != names.PAUSE or not canary.status.paused
    return is_answered(canary, wish) or (wish.value is None and told)


def settled(canary: Canary) -> Mapping[str, str]:
    """The answers whose annotations are still there: without them the next one is a new wish."""
    there = {one.annotation: mark_of(one) for one in canary.wishes}
    return {key: mark for key, mark in canary.status.answered.items() if there.get(key) == mark}
