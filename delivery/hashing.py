"""One name for a pod template: what a person wrote of it, as 16 hex characters."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from delivery import names, placement

POD_TEMPLATE_HASH = "pod-template-hash"
FLAGGER_ID = "flagger-id"


def template_hash(template: Mapping[str, Any]) -> str:
    """Equal for two templates that differ only in what Outrider or a controller adds."""
    canonical = json.dumps(stripped(template), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def stripped(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without our keys and controllers' marks; empty metadata counts as none."""
    kept = placement.bare(template)
    metadata = kept.pop("metadata", None)
    if isinstance(metadata, Mapping):
        metadata = {key: written(key, value) for key, value in metadata.items()}
        metadata = {key: value for key, value in metadata.items() if not blank(key, value)}
    if metadata:
        kept["metadata"] = metadata
    return kept


def written(key: str, value: Any) -> Any:
    """Labels or annotations without the keys that no person wrote."""
    if key not in ("labels", "annotations") or not isinstance(value, Mapping):
        return value
    return {name: text for name, text in value.items() if not ours(name)}


def ours(name: str) -> bool:
    return name.startswith(names.PREFIX) or name in (POD_TEMPLATE_HASH, FLAGGER_ID)


def blank(key: str, value: Any) -> bool:
    """Whether a field of the metadata says nothing."""
    return value is None or (key in ("labels", "annotations") and value == {})
