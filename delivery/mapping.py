"""A way into documents that anybody may have written: odd content is no fault, it is not there."""

from collections.abc import Mapping
from typing import Any


def mapping(document: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at a path, empty where anything else stands there."""
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}
