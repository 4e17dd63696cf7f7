"""A way into documents that anybody may have written: odd content is no fault, it is not there."""

import json
import re
from collections.abc import Mapping
from typing import Any

LARGEST, LATEST = 2**31 - 1, 2**63 - 1
"""What the API takes for a count, and for a resourceVersion."""


def mapping(document: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at a path, empty where anything else stands there."""
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def parsed(text: Any) -> Any:
    """What a text says as JSON, None where it is none."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def number(value: Any, largest: int = LARGEST) -> int | None:
    """A count as an annotation holds it, None where it is none."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,19}", value):
        return None
    count = int(value)
    return count if count <= largest else None


def fits(document: Any, shape: Any) -> bool:
    """Whether mappings, lists and texts stand where the shape has them: what is not there fits, and
    what the shape does not have does too.
    """
    match shape:
        case Mapping():
            return isinstance(document, Mapping) and all(
                fits(document[key], one) for key, one in shape.items() if key in document
            )
        case [each]:
            return isinstance(document, list) and all(fits(one, each) for one in document)
    return isinstance(document, type(shape))
