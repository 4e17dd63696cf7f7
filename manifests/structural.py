"""A model's JSON schema as a structural schema that an API server accepts.

It knows no references, no null and no closed objects: models are put in place, an optional
field is one that is not required, and unknown fields are pruned by the server.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

NOTHING = {"type": "null"}
DROPPED = frozenset({"title", "$defs", "$ref"})
UNSAID: tuple[object, ...] = (None, [], {})
"""Defaults that only mean "absent"; the others are filled in by the API server."""


def structural(model: type[BaseModel]) -> Schema:
    whole = model.model_json_schema(by_alias=True)
    return inlined(whole, whole.get("$defs", {}))


def inlined(schema: Mapping[str, Any], models: Mapping[str, Schema]) -> Schema:
    """The schema with references and optional types resolved; what it says itself goes first."""
    own = {key: value for key, value in schema.items() if key not in DROPPED}
    optional = NOTHING in schema.get("anyOf", ())
    if "const" in own:
        own["enum"] = [own.pop("const")]
    if "description" in own:
        own["description"] = own["description"].splitlines()[0]
    if "$ref" in schema:
        return inlined(models[schema["$ref"].rsplit("/", 1)[-1]], models) | own
    if optional:
        (said,) = (each for each in own.pop("anyOf") if each != NOTHING)
        return inlined({**said, **own}, models)
    return {key: value for key, value in placed(own, models).items() if is_said(key, value)}


def is_said(key: str, value: object) -> bool:
    if key == "additionalProperties":
        return value not in (True, False)
    return key != "default" or value not in UNSAID


def placed(schema: Schema, models: Mapping[str, Schema]) -> Schema:
    below = dict(schema)
    if "properties" in schema:
        fields = schema["properties"].items()
        below["properties"] = {name: inlined(field, models) for name, field in fields}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            below[key] = inlined(schema[key], models)
    return below
