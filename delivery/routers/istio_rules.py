"""The rules of a VirtualService that lead to an app, and what becomes of them while it is routed.

A rule of the user's that leads to the app becomes one for each part of the division: with its own
conditions and the part's, and with the two halves in the place of the app.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.matching import Comparison, Match, Way
from delivery.routers.division import Division, Part, parts

Rule = Mapping[str, Any]

LISTS = ("http", "tcp")
"""Of the rules in a VirtualService those that can be divided; by SNI alone nothing is."""
ALL = 100


@dataclass(frozen=True)
class Hosts:
    """The Services' names: the one that is called, and those of the halves."""

    apex: str
    primary: str
    canary: str
    namespace: str


def is_host(host: str, name: str, namespace: str) -> bool:
    """In any of the ways in which Istio lets a Service be named."""
    whole = f"{name}.{namespace}"
    return host in (name, whole, f"{whole}.svc") or host.startswith(f"{whole}.svc.")


def host_of(target: Mapping[str, Any]) -> str:
    return str((target.get("destination") or {}).get("host", ""))


def leads(rule: Rule, hosts: Hosts) -> bool:
    """Whether some of the rule's requests are the app's, as its user wrote it."""
    return any(is_app(one, hosts) for one in rule.get("route") or ())


def is_app(target: Rule, hosts: Hosts) -> bool:
    return is_host(host_of(target), hosts.apex, hosts.namespace)


def is_divided(rule: Rule, hosts: Hosts) -> bool:
    """Whether the rule names a half: those are our Services."""
    return any(
        is_host(host_of(one), name, hosts.namespace)
        for one in rule.get("route") or ()
        for name in (hosts.primary, hosts.canary)
    )


def divided(kind: str, rules: Sequence[Rule], hosts: Hosts, division: Division) -> list[Rule]:
    """All rules of one list, those that lead to the app as the division says."""
    return [
        one
        for rule in rules
        for one in (list(pieces(kind, rule, hosts, division)) if leads(rule, hosts) else [rule])
    ]


def pieces(kind: str, rule: Rule, hosts: Hosts, division: Division) -> Iterator[Rule]:
    if kind == "tcp":
        yield {**rule, "route": shares(rule["route"], hosts, Part(Match(), division.weight))}
        return
    for part in parts(division):
        yield {
            **copied(rule, hosts, part.mirror),
            **conditions(rule, part.match),
            "route": shares(rule["route"], hosts, part),
        }


def shares(targets: Sequence[Rule], hosts: Hosts, part: Part) -> list[Rule]:
    """Weights keep their sum: what the rule gives to others, and that it gives them anything, is
    its user's business. A part that is no whole percent is rounded in favour of the primary.
    """
    return [half for target in targets for half in halves(target, targets, hosts, part)]


def halves(target: Rule, targets: Sequence[Rule], hosts: Hosts, part: Part) -> Iterator[Rule]:
    if not is_app(target, hosts):
        yield target
        return
    share = ALL if len(targets) == 1 else target.get("weight") or 0
    canary = share * part.weight // ALL
    yield half(target, hosts.primary, share - canary, part.from_primary)
    yield half(target, hosts.canary, canary, part.from_canary)


def half(target: Rule, host: str, weight: int, cookie: str) -> Rule:
    found = {**target, "destination": {**target["destination"], "host": host}, "weight": weight}
    if not cookie:
        return found
    headers = target.get("headers") or {}
    response = headers.get("response") or {}
    added = {**(response.get("add") or {}), "Set-Cookie": cookie}
    return {**found, "headers": {**headers, "response": {**response, "add": added}}}


def copied(rule: Rule, hosts: Hosts, percent: int) -> Rule:
    """Copies go to the canary beside those that the rule asks for itself."""
    if not percent:
        return rule
    target = next(
        one for one in rule["route"] if is_host(host_of(one), hosts.apex, hosts.namespace)
    )
    canary = {**target["destination"], "host": hosts.canary}
    share = {"value": percent}
    if "mirror" not in rule and "mirrors" not in rule:
        return {**rule, "mirror": canary, "mirrorPercentage": share}
    kept = {key: value for key, value in rule.items() if key not in ("mirror", "mirrorPercentage")}
    own: list[Rule] = list(rule.get("mirrors") or ())
    if "mirror" in rule:
        asked = {"percentage": rule["mirrorPercentage"]} if "mirrorPercentage" in rule else {}
        own = [{"destination": rule["mirror"], **asked}]
    return {**kept, "mirrors": [*own, {"destination": canary, "percentage": share}]}


def conditions(rule: Rule, match: Match) -> Rule:
    """The part's conditions with each of the rule's own; of the same header the part's count."""
    asked = said(match)
    if not asked:
        return {}
    owns: Sequence[Rule] = rule.get("match") or ({},)
    return {"match": [both(own, asked) for own in owns]}


def both(own: Rule, asked: Mapping[str, Mapping[str, Any]]) -> Rule:
    merged = {key: {**(own.get(key) or {}), **wanted} for key, wanted in asked.items()}
    return {**own, **merged}


def said(match: Match) -> dict[str, dict[str, Any]]:
    """In Istio's words; it wants names of headers in lower case."""
    found: dict[str, dict[str, Any]] = {
        "headers": {one.name.lower(): header(one) for one in match.headers},
        "queryParams": {one.name: parameter(one) for one in match.parameters},
        "sourceLabels": dict(match.labels),
    }
    return {key: value for key, value in found.items() if value}


def header(wanted: Comparison) -> dict[str, str]:
    """Istio knows no ends of texts; its expressions are of the whole text."""
    text = re.escape(wanted.text)
    match wanted.way:
        case Way.PRESENT:
            return {}
        case Way.SUFFIX:
            return {"regex": f".*{text}"}
        case Way.CONTAINS:
            return {"regex": f".*{text}.*"}
        case way:
            return {way.value: wanted.text}


def parameter(wanted: Comparison) -> dict[str, str]:
    """Of a query it knows texts and expressions alone."""
    if wanted.way is Way.PRESENT:
        return {"regex": ".*"}
    if wanted.way is Way.PREFIX:
        return {"regex": f"{re.escape(wanted.text)}.*"}
    return header(wanted)


SINGLE = ("uri", "scheme", "method", "authority")
SEVERAL = ("headers", "withoutHeaders", "queryParams")


def request_match(said: Rule) -> Rule:
    """A match of `spec.service`: Flagger's words are Istio's, but for the ends of texts."""
    found = dict(said)
    for key in SINGLE:
        if key in found:
            found[key] = string_match(found[key])
    for key in SEVERAL:
        if key in found:
            low = str if key == "queryParams" else str.lower
            found[key] = {low(name): string_match(one) for name, one in found[key].items()}
    return found


def string_match(said: Rule) -> Rule:
    return {"regex": f".*{re.escape(said['suffix'])}"} if "suffix" in said else said
