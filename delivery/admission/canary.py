"""A Canary or a MetricTemplate at admission: refused while its spec says what cannot be done."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from delivery import names
from delivery.admission.answer import Answer
from delivery.admission.ours import annotations
from delivery.admission.request import Request

Problems = Callable[[Mapping[str, Any]], tuple[str, ...]]


def no_cautions(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Of a kind about which there is nothing to be warned of."""
    return ()


def validated(
    request: Request,
    problems: Mapping[str, Problems],
    cautions: Mapping[str, Problems] = MappingProxyType({}),
) -> Answer:
    """All problems at once, found by kind, else all warnings; an update that leaves the spec as it
    was is let through.

    Otherwise a stricter version of Outrider could block a label or a finalizer of a Canary that
    an earlier one took in.
    """
    if text := unreadable_stop(request):
        return Answer("denied", denial=f"Canary {request.name}: {text}")
    unheard = unknown_words(request)
    unchanged = request.object.get("spec") == request.old.get("spec")
    if request.kind not in problems or (request.operation == "UPDATE" and unchanged):
        return Answer("unchanged", warnings=unheard)
    found = problems[request.kind](request.object)
    if not found:
        told = cautions.get(request.kind, no_cautions)(request.object)
        return Answer("valid", warnings=(*unheard, *told))
    return Answer("denied", denial=f"{request.kind} {request.name}: " + "; ".join(found))


def unreadable_stop(request: Request) -> str:
    """Who wants an app stopped must not believe that it was, because of a slip."""
    said, before = (annotations(one).get(names.STOP) for one in (request.object, request.old))
    if said in (None, "true", "false") or said == before or request.kind != "Canary":
        return ""
    return f'metadata.annotations[{names.STOP}]: {said!r} is unknown; use "true" or "false"'


def unknown_words(request: Request) -> tuple[str, ...]:
    """Who says something to a release must not believe that it was heard, because of a slip."""
    if request.kind != "Canary" or request.by_agent:
        return ()
    known = ", ".join(sorted(names.SAID_ON_CANARY))
    return tuple(
        f"metadata.annotations[{key}]: is no word for a Canary and does nothing; known: {known}"
        for key in sorted(annotations(request.object))
        if key.startswith(names.PREFIX) and key not in names.FOUND_ON_CANARY
    )
