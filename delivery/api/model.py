"""What all API models share: frozen, camelCase on the wire, strict, no unknown fields."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


class Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=camel,
        validate_by_name=True,
        validate_by_alias=True,
    )


def port_number_or_name(value: object) -> int | str:
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    raise ValueError("must be a port number or the name of a port")


IntOrString = Annotated[
    int | str,
    PlainValidator(port_number_or_name),
    WithJsonSchema({"x-kubernetes-int-or-string": True}),
]

Anything = Annotated[
    dict[str, Any],
    WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
]

Interval = Annotated[str, Field(pattern="^[0-9]+(m|s)")]
"""Flagger's duration: it begins with whole minutes or seconds (reference, 1.4)."""

Percent = Annotated[int, Field(ge=0, le=100)]


class NamedRef(Model):
    """An object by name; its own namespace when it is not the Canary's."""

    name: str
    namespace: str | None = None


class SecretRef(Model):
    """A Secret in the same namespace."""

    name: str
