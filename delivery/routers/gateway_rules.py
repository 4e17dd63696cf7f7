"""How one rule of a route becomes the rules of a release: who meets which half, in which share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from delivery.matching import Match
from delivery.routers.division import Division, Part, parts
from delivery.routers.gateway_filters import NO_CHANGE, mirrored, replaces_prefix, setting
from delivery.routers.gateway_matches import product

JSON = Mapping[str, Any]
Rule = dict[str, Any]

ALL_OTHERS = Match()


@dataclass(frozen=True)
class Halves:
    """The names of the Services: the one that users call, and those that tell the halves apart.

    `counted_apart`: the gateway must count them so, and would not without a filter at each.
    """

    apex: str
    primary: str
    canary: str
    namespace: str
    counted_apart: bool = False

    def is_called(self, reference: JSON) -> bool:
        """Whether requests go to the app by this reference, as its user wrote it."""
        return self.service(reference) == self.apex and weight(reference) > 0

    def service(self, reference: JSON) -> str:
        """The Service of the namespace that is meant; empty for anything else."""
        kind = (reference.get("group", ""), reference.get("kind", "Service"))
        here = reference.get("namespace", self.namespace) == self.namespace
        return str(reference.get("name", "")) if here and kind == ("", "Service") else ""


def weight(reference: JSON) -> int:
    return int(reference.get("weight", 1))


def references(rule: JSON) -> Sequence[JSON]:
    return rule.get("backendRefs") or ()


@dataclass(frozen=True)
class Share:
    """Some of a rule's requests, those with one of `matches`, and what becomes of them."""

    matches: tuple[Match, ...]
    part: Part


def shares(division: Division) -> tuple[Share, ...]:
    """The first one that matches wins, the last one is for all others; equal ones are one rule.

    Whom a cookie leads to the primary needs no rule where everybody else goes there too: it would
    win over a match that names no header.
    """
    found = list(parts(division))
    others = found[-1]
    wanted = [one for one in found if not is_needless(one, others)]
    grouped = groupby(wanted, lambda part: replace(part, match=ALL_OTHERS))
    return tuple(Share(tuple(one.match for one in group), part) for part, group in grouped)


def is_needless(part: Part, others: Part) -> bool:
    alike = (part.weight, part.mirror) == (others.weight, others.mirror)
    return part is not others and alike and not part.from_canary and not part.from_primary


def divided(rule: JSON, division: Sequence[Share], halves: Halves) -> Iterator[Rule]:
    """One rule for each share, in their order; the last one keeps the name, which may stand once.

    Of rules that match, an implementation takes the one that compares more headers or parameters,
    and among equals the first: so each share but the last compares more than the rule itself.
    """
    for share in division:
        others = share.matches == (ALL_OTHERS,)
        found = {key: said for key, said in rule.items() if others or key != "name"}
        if not others:
            found["matches"] = product(rule.get("matches") or [{}], share.matches)
        filters = [*(rule.get("filters") or ()), *copies(rule, share.part, halves)]
        if filters:
            found["filters"] = filters
        found["backendRefs"] = backends(rule, share.part, halves)
        yield from apart(found)


def copies(rule: JSON, part: Part, halves: Halves) -> Iterator[JSON]:
    """To the canary, on the port of the first reference that is divided."""
    called = [one for one in references(rule) if halves.is_called(one)]
    if part.mirror and called:
        ports = {"port": called[0]["port"]} if "port" in called[0] else {}
        yield mirrored({"name": halves.canary, **ports}, part.mirror)


def backends(rule: JSON, part: Part, halves: Halves) -> list[JSON]:
    """The primary first, as Flagger has it; beside others the app keeps its share of the whole."""
    found = references(rule)
    led = [one for one in found if halves.is_called(one)]
    others = [{**one, "weight": weight(one) * 100} for one in found if one not in led]
    return [*(one for each in led for one in both(each, part, halves, len(found) > 1)), *others]


def both(reference: JSON, part: Part, halves: Halves, beside: bool) -> Iterator[JSON]:
    times = weight(reference) if beside else 1
    for name, share, cookie in (
        (halves.primary, 100 - part.weight, part.from_primary),
        (halves.canary, part.weight, part.from_canary),
    ):
        said = {"group": "", "kind": "Service", **reference, "name": name, "weight": share * times}
        filters = reference.get("filters") or ([NO_CHANGE] if halves.counted_apart else [])
        if cookie and share:
            filters = setting(cookie, filters)
        yield {**said, "filters": filters} if filters else said


def apart(rule: Rule) -> Iterator[Rule]:
    """Where a prefix is replaced the API allows a single match."""
    matches = rule.get("matches") or ()
    if len(matches) < 2 or not any(map(replaces_prefix, rule.get("filters") or ())):
        yield rule
        return
    for index, match in enumerate(matches):
        kept = {key: said for key, said in rule.items() if index == 0 or key != "name"}
        yield {**kept, "matches": [match]}
