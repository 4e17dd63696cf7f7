"""Whether an object already is as wanted, whatever else the API server put beside it."""

from collections.abc import Mapping
from typing import Any


def covers(found: Any, wanted: Any) -> bool:
    """Every wanted key is there with the wanted value; a wanted None means that it is absent."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            covers(found.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(covers(one, other) for one, other in zip(found, wanted, strict=True))
    return bool(found == wanted)
