"""What is wrong with the shape of a manifest, said so that its author can put it right."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
Path = Sequence[int | str]
SHOWN = 80


def read(model: type[M], obj: Mapping[str, Any]) -> M:
    """The manifest as a model; JSON in between, since only there arrays and enums are strict."""
    return model.model_validate_json(json.dumps(obj, default=str))


def shape_problems(model: type[BaseModel], error: ValidationError) -> tuple[str, ...]:
    details = error.errors(include_url=False, include_context=True)
    return tuple(f"{dotted(each['loc'])}: {complaint(model, each)}" for each in details)


def dotted(path: Path) -> str:
    whole = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return whole.removeprefix(".") or "the manifest"


def shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def complaint(model: type[BaseModel], detail: ErrorDetails) -> str:
    path, value = detail["loc"], shown(detail["input"])
    match detail["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            known = ", ".join(sorted(known_fields(model, path[:-1])))
            return f"{value} is set, but there is no such field; known here: {known}"
        case "enum" | "literal_error":
            return f"{value} is not known; use {detail['ctx']['expected']}"
        case "less_than_equal":
            return f"{value} is out of range; use {detail['ctx']['le']} or less"
        case "greater_than_equal":
            return f"{value} is out of range; use {detail['ctx']['ge']} or more"
        case "string_pattern_mismatch":
            return f"{value} is not a duration; begin with minutes or seconds, such as 30s or 1m30s"
    return f"{value} does not fit: {detail['msg'].removeprefix('Value error, ')}"


def known_fields(model: type[BaseModel], path: Path) -> Iterator[str]:
    """The names of the fields at `path`; keys of maps and indices of lists are passed over."""
    for part in path:
        field = by_alias(model).get(str(part))
        model = next(models_in(field), model)
    return iter(by_alias(model))


def by_alias(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models named in an annotation, as in `tuple[Metric, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
