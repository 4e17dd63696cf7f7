"""A route that a user wrote: which of its rules are divided, and how it was before."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.mapping import fits, parsed
from delivery.names import APP, ORIGIN
from delivery.pods import annotations_of
from delivery.routers.gateway_rules import Halves, Rule, Share, divided, references

JSON = Mapping[str, Any]

MARKS = (APP, ORIGIN)
FILTER = {
    "urlRewrite": {"path": {}},
    "responseHeaderModifier": {"add": [{}]},
}
TAKEN = {
    "matches": [{"headers": [{"name": ""}], "queryParams": [{"name": ""}]}],
    "filters": [FILTER],
    "backendRefs": [{"name": "", "weight": 0, "filters": [FILTER]}],
}
KEPT = {"rules": [[TAKEN]], "services": [""]}
"""The shapes of what is read of a rule that was kept, and of all that is."""


def is_taken(rule: JSON, halves: Halves) -> bool:
    """Whether it leads to the app, as its user wrote it."""
    return any(map(halves.is_called, references(rule)))


def is_divided(rule: JSON, halves: Halves) -> bool:
    """Whether it is one of those that were made of a taken one: they name both halves."""
    return {halves.primary, halves.canary} <= {halves.service(one) for one in references(rule)}


def released(rules: Sequence[JSON], division: Sequence[Share], halves: Halves) -> Iterator[Rule]:
    """The rules that lead to the app are divided, the others stay what they are."""
    for rule in rules:
        if is_taken(rule, halves):
            yield from divided(rule, division, halves)
        else:
            yield dict(rule)


def runs(rules: Sequence[JSON], halves: Halves) -> list[list[JSON]]:
    """What is kept of a user's route: the rules that are divided. Those that follow each other are
    one entry: of what is made of them nobody could tell where the one ends.
    """
    found: list[list[JSON]] = []
    follows = False
    for rule in rules:
        taken = is_taken(rule, halves)
        if taken and not follows:
            found.append([])
        if taken:
            found[-1].append(rule)
        follows = taken
    return found


def as_written(rules: Sequence[JSON], kept: Sequence[Sequence[JSON]], halves: Halves) -> list[JSON]:
    """The user's rules again: in the place of each run of divided ones what was kept of it. What
    the user has changed in other rules since, or has put back, stays.
    """
    found: list[JSON] = []
    left = list(kept)
    follows = False
    for rule in rules:
        ours = is_divided(rule, halves)
        if not ours:
            found.append(rule)
        elif not follows and left:
            found += left.pop(0)
        follows = ours
    return found


@dataclass(frozen=True)
class Origin:
    """What is kept on a route that was taken over: the rules that were divided, in runs, and the
    names of the Services, for the time when there is no Canary any more.
    """

    rules: Sequence[Sequence[JSON]]
    services: Sequence[str]


def origin_of(route: JSON) -> Origin | None:
    """None where there is none, or where somebody has spoiled it: then the rules stay."""
    said = parsed(annotations_of(route).get(ORIGIN))
    match said:
        case {"rules": [*rules], "services": [_, _, _] as services} if fits(said, KEPT):
            return Origin(rules, services)
    return None


def written(route: JSON, halves: Halves) -> list[JSON]:
    """The rules of a user's route without what we made of them."""
    rules, origin = route["spec"].get("rules") or (), origin_of(route)
    return list(rules) if origin is None else as_written(rules, origin.rules, halves)


def taken(route: JSON, rules: Sequence[JSON], halves: Halves, app: str) -> JSON:
    """With these rules, and with what it was before."""
    kept = runs(written(route, halves), halves)
    services = [halves.apex, halves.primary, halves.canary]
    origin = json.dumps({"rules": kept, "services": services}, sort_keys=True)
    return with_rules(route, rules, {**annotations_of(route), APP: app, ORIGIN: origin})


def given_back(route: JSON) -> JSON:
    """By its marks alone."""
    rules, origin = route["spec"].get("rules") or (), origin_of(route)
    if origin is not None:
        apex, primary, canary = origin.services
        rules = written(route, Halves(apex, primary, canary, route["metadata"]["namespace"]))
    annotations = annotations_of(route).items()
    return with_rules(route, rules, {key: said for key, said in annotations if key not in MARKS})


def with_rules(route: JSON, rules: Sequence[JSON], annotations: Mapping[str, str]) -> JSON:
    """Without any annotation also without the field."""
    metadata = {key: said for key, said in route["metadata"].items() if key != "annotations"}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {**route, "metadata": metadata, "spec": {**route["spec"], "rules": list(rules)}}
