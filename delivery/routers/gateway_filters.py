"""What happens to requests on their way, as filters of the Gateway API's routes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from delivery.api.duration import seconds
from delivery.service_words import ServiceWords

JSON = Mapping[str, Any]

ALL = 100
NO_CHANGE: JSON = {
    "type": "RequestHeaderModifier",
    "requestHeaderModifier": {"remove": ["x-outrider-half"]},
}
"""A filter for its own sake: nobody sends this header."""
API_AGE = 5.0
"""Seconds for which the API lets browsers keep an answer, if nothing is said."""
ANSWERS, ANSWERS_FILTER = "responseHeaderModifier", "ResponseHeaderModifier"


def filters(said: ServiceWords) -> Iterator[JSON]:
    """In Flagger's order (reference, 6.4)."""
    for direction in ("request", "response"):
        yield from modifier(direction, said.headers.get(direction) or {})
    yield from rewritten(said.rewrite)
    for one in said.mirror:
        yield mirrored(one["backendRef"], ALL)
    if said.cors_policy:
        yield {"type": "CORS", "cors": cors(said.cors_policy)}


def modifier(direction: str, said: JSON) -> Iterator[JSON]:
    found = {way: pairs(said[way]) for way in ("set", "add") if said.get(way)}
    removed = {"remove": list(said["remove"])} if said.get("remove") else {}
    if found or removed:
        field = f"{direction}HeaderModifier"
        yield {"type": f"{field[0].upper()}{field[1:]}", field: {**found, **removed}}


def pairs(wanted: Mapping[str, str]) -> list[JSON]:
    return [{"name": name, "value": wanted[name]} for name in sorted(wanted)]


def rewritten(said: JSON) -> Iterator[JSON]:
    found: dict[str, Any] = {"hostname": said["authority"]} if said.get("authority") else {}
    if uri := said.get("uri"):
        way = "PrefixMatch" if said.get("type") == "ReplacePrefixMatch" else "FullPath"
        found["path"] = {"type": f"Replace{way}", f"replace{way}": uri}
    if found:
        yield {"type": "URLRewrite", "urlRewrite": found}


def replaces_prefix(said: JSON) -> bool:
    path = (said.get("urlRewrite") or {}).get("path") or {}
    return bool(path.get("type") == "ReplacePrefixMatch")


def mirrored(backend: JSON, percent: int) -> JSON:
    """All of them without a word: older versions of the API know no percentage."""
    target = {"group": "", "kind": "Service", **backend}
    share = {} if percent >= ALL else {"percent": percent}
    return {"type": "RequestMirror", "requestMirror": {"backendRef": target, **share}}


def cors(said: JSON) -> JSON:
    exact = [one["exact"] for one in said.get("allowOrigins") or () if "exact" in one]
    lists = {
        "allowOrigins": [*(said.get("allowOrigin") or ()), *exact],
        **{key: list(said.get(key) or ()) for key in ("allowMethods", "allowHeaders")},
        "exposeHeaders": list(said.get("exposeHeaders") or ()),
    }
    found: dict[str, Any] = {key: texts for key, texts in lists.items() if texts}
    if "allowCredentials" in said:
        found["allowCredentials"] = said["allowCredentials"]
    age = seconds(said["maxAge"]) if "maxAge" in said else API_AGE
    return {**found, "maxAge": max(1, round(age))}


def setting(cookie: str, filters: Sequence[JSON]) -> list[JSON]:
    """A cookie beside those that the app sets; just one filter may change answers."""
    added = {"name": "Set-Cookie", "value": cookie}
    changed = [one.get(ANSWERS) or {} for one in filters if one.get("type") == ANSWERS_FILTER]
    said = dict(changed[0]) if changed else {}
    said["add"] = [*(said.get("add") or ()), added]
    others = [one for one in filters if one.get("type") != ANSWERS_FILTER]
    return [*others, {"type": ANSWERS_FILTER, ANSWERS: said}]
