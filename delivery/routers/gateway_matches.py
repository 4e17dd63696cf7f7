"""Which requests are meant, in the words of the Gateway API's routes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from delivery.matching import Comparison, Match, Way

JSON = Mapping[str, Any]

EVERY_PATH: JSON = {"type": "PathPrefix", "value": "/"}
EXACT, REGEX = "Exact", "RegularExpression"
SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def escaped(text: str) -> str:
    """For every dialect that an implementation may speak: what is special in any is so in all."""
    return SPECIAL.sub(r"\\\g<0>", text)


def expression(wanted: Comparison) -> str:
    """With anchors: some implementations compare the whole value, others look for a part of it."""
    text = escaped(wanted.text)
    return {
        Way.EXACT: f"^{text}$",
        Way.PREFIX: f"^{text}.*$",
        Way.SUFFIX: f"^.*{text}$",
        Way.CONTAINS: f"^.*{text}.*$",
        Way.PRESENT: "^.*$",
        Way.REGEX: wanted.text,
    }[wanted.way]


def value(wanted: Comparison) -> JSON:
    """There is no word for an exact empty text, nor for a prefix or a suffix."""
    if wanted.way is Way.EXACT and wanted.text:
        return {"type": EXACT, "value": wanted.text}
    return {"type": REGEX, "value": expression(wanted)}


def compared(wanted: Iterable[Comparison]) -> list[JSON]:
    return [{"name": one.name, **value(one)} for one in wanted]


def comparison(name: str, said: Mapping[str, str]) -> Comparison:
    """Of a text that the Canary describes in one way, or asks for at all."""
    for way, text in said.items():
        return Comparison(name, Way(way), text)
    return Comparison(name, Way.PRESENT)


def comparisons(said: Mapping[str, Mapping[str, str]]) -> tuple[Comparison, ...]:
    return tuple(comparison(name, said[name]) for name in sorted(said))


def conditions(headers: Iterable[Comparison], parameters: Iterable[Comparison]) -> dict[str, Any]:
    said = {"headers": compared(headers), "queryParams": compared(parameters)}
    return {key: found for key, found in said.items() if found}


def http(said: JSON) -> JSON:
    """One entry of the Canary's match as one of an HTTPRoute."""
    found: dict[str, Any] = {"path": path(said.get("uri") or {})}
    if method := (said.get("method") or {}).get("exact"):
        found["method"] = method
    headers = comparisons(said.get("headers") or {})
    return {**found, **conditions(headers, comparisons(said.get("queryParams") or {}))}


def path(said: Mapping[str, str]) -> JSON:
    """A prefix is one of whole elements here: /a matches /a/b and not /ab."""
    if not said:
        return EVERY_PATH
    wanted = comparison("uri", said)
    if wanted.way is Way.PREFIX and wanted.text.startswith("/"):
        return {"type": "PathPrefix", "value": wanted.text}
    return value(wanted)


def grpc(said: JSON) -> JSON:
    """One entry of the Canary's match as one of a GRPCRoute: a path is /package.Service/Method."""
    paths = "".join((said.get("uri") or {}).values())
    parts = zip(("service", "method"), paths.strip("/").split("/"), strict=False)
    called = {key: name for key, name in parts if name}
    found = {"method": {"type": EXACT, **called}} if called else {}
    return {**found, **conditions(comparisons(said.get("headers") or {}), ())}


def product(bases: Sequence[JSON], extras: Sequence[Match]) -> list[JSON]:
    """Each of the app's own matches with the conditions of each extra one beside its own."""
    more = [conditions(extra.headers, extra.parameters) for extra in extras]
    return [narrowed(base, one) for one in more for base in bases]


def narrowed(base: JSON, more: Mapping[str, list[JSON]]) -> dict[str, Any]:
    """A name may be compared just once, whatever its case: then `more` says how."""
    found = dict(base)
    for key, wanted in more.items():
        taken = {one["name"].lower() for one in wanted}
        kept = [one for one in base.get(key) or () if str(one.get("name")).lower() not in taken]
        found[key] = [*kept, *wanted]
    return found
