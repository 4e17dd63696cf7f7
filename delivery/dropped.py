"""What an API server does not keep of a router's object: its CRDs may be older than a field is.

A field that they do not know is left out of what is replaced, without a word, and refused in what
is applied. Either way the object would be written again at each look, and be no other.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from delivery.frozen import frozen
from delivery.mapping import mapping

Object = Mapping[str, Any]

UNDECLARED = re.compile(r"(\S+): field not declared in schema")
INVALID = 422
"""The status of an answer that calls the object itself wrong, whoever writes it."""

GATEWAY_API = "the Gateway API's CRDs"
PROJECTS = {"HTTPRoute": GATEWAY_API, "GRPCRoute": GATEWAY_API}
SINCE = {"cors": (1, 5), "percent": (1, 3), "timeouts": (1, 2)}
"""Versions of the Gateway API by whose standard CRDs a field of a route's is kept."""


@dataclass(frozen=True)
class Answer:
    """What was asked to be stored, and what would be; or in which words that is `refused`.

    `due`: it is so long ago that it may be another by now.
    """

    asked: Object
    got: Object = field(default_factory=frozen)
    refused: str = ""
    due: bool = False


def is_refusal(status: int, text: str) -> bool:
    """Whether an error tells that the object cannot be stored as it is."""
    return status == INVALID or UNDECLARED.search(text) is not None


def is_kept(answer: Answer) -> bool:
    return not answer.refused and not fields(answer)


def fields(answer: Answer) -> Sequence[str]:
    """The paths of those that are not kept."""
    if answer.refused:
        return [one.lstrip(".") for one in UNDECLARED.findall(answer.refused)]
    return list(lost("spec", mapping(answer.asked, "spec"), mapping(answer.got, "spec")))


def lost(path: str, asked: Any, got: Any) -> Iterator[str]:
    if isinstance(asked, Mapping) and isinstance(got, Mapping):
        for key, one in asked.items():
            if key in got:
                yield from lost(f"{path}.{key}", one, got[key])
            elif one is not None:
                yield f"{path}.{key}"
    elif isinstance(asked, list):
        if not isinstance(got, list) or len(got) != len(asked):
            yield path
            return
        for index, (one, other) in enumerate(zip(asked, got, strict=True)):
            yield from lost(f"{path}[{index}]", one, other)


def why(answer: Answer) -> str:
    """Which object, which field and what helps; empty where all is kept."""
    if is_kept(answer):
        return ""
    kind, metadata = answer.asked["kind"], answer.asked["metadata"]
    name = f"{kind} {metadata['name']}.{metadata.get('namespace', '')}"
    found = fields(answer)
    if not found:
        return f"{name} is not taken by the API server: {answer.refused}"
    others = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{name} would lose {found[0]}{others}, which its CRD does not know: {fix(kind, found)}"


def fix(kind: str, found: Sequence[str]) -> str:
    words = {word for path in found for word in re.split(r"[.\[\]]", path)}
    known = [version for word, version in SINCE.items() if word in words]
    project = PROJECTS.get(kind, "Istio's CRDs")
    if project != GATEWAY_API or not known:
        return f"upgrade {project} to a version that has it, or do not ask for it in the Canary"
    wanted = ".".join(map(str, max(known)))
    return f"upgrade {project} to {wanted} or later, or do not ask for it in the Canary"
