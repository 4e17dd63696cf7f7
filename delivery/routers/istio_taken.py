"""A VirtualService of a user's: what in it is ours while its app is routed, and what was before.

The original of the rules that were taken over is kept in names.ORIGIN. Our rules are known by the
Services of the halves, so whatever else its user changes meanwhile stays as it is changed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from delivery import names, ownership
from delivery.mapping import fits, mapping, parsed
from delivery.pods import annotations_of, labels_of
from delivery.routers.interface import Object
from delivery.routers.istio_rules import LISTS, Hosts, Rule, is_divided, leads
from delivery.routers.marks import is_made

FLAGGERS_ORIGIN = "flagger.kubernetes.io/original-configuration"
"""On a VirtualService that Flagger took over: the JSON of the spec before."""
SPEC, SERVICES = "spec", "services"

RULE = {
    "match": [{"headers": {}, "queryParams": {}, "sourceLabels": {}}],
    "route": [
        {"destination": {}, "weight": 0, "headers": {"response": {"add": {}}}},
    ],
    "mirrors": [{}],
}
RULES = dict.fromkeys(LISTS, [RULE])
NAMES = 3
"""The Services: the one that is called, and those of the halves."""
KEPT = {**RULES, SPEC: RULES, SERVICES: [""]}
"""The shapes of what is read of a rule that was kept, of all of them, and of ORIGIN."""


def rules_of(found: Object, kind: str) -> Sequence[Rule]:
    return found["spec"].get(kind) or ()


def every_rule(found: Object) -> list[Rule]:
    return [rule for kind in LISTS for rule in rules_of(found, kind)]


def kept(found: Object) -> Mapping[str, Any]:
    """What ORIGIN says; nothing where it is not there, or not ours."""
    said = mapping(parsed(annotations_of(found).get(names.ORIGIN)))
    several = said.get(SERVICES)
    return said if fits(said, KEPT) and (several is None or len(several) == NAMES) else {}


def is_flaggers(found: Object, hosts: Hosts) -> bool:
    """Whether Flagger put its own rules in the place of all that the user wrote."""
    if any(leads(rule, hosts) for rule in every_rule(found)):
        return False
    if names.ORIGIN in annotations_of(found):
        return SPEC in kept(found)
    return bool(saved(found)) and any(is_divided(rule, hosts) for rule in every_rule(found))


def saved(found: Object) -> Mapping[str, Any]:
    """The spec before Flagger, where it saves or finds it: what was applied last, else its copy."""
    copy = mapping(parsed(annotations_of(found).get(FLAGGERS_ORIGIN)))
    specs = (one for one in (ownership.applied(found), copy) if one and fits(one, RULES))
    return next(specs, {})


def as_written(found: Object, hosts: Hosts) -> dict[str, Any]:
    """The spec as its user wrote it, or would have by now."""
    if is_flaggers(found, hosts):
        spec = dict(kept(found).get(SPEC) or saved(found))
        # Flagger may have saved its own rules over the original: they lead where nothing will be.
        return {**spec, **{key: homed(spec[key], None, hosts) for key in LISTS if key in spec}}
    origin = kept(found)
    lists = {key: homed(rules_of(found, key), origin.get(key), hosts) for key in LISTS}
    return {**found["spec"], **{key: lists[key] for key in LISTS if key in found["spec"]}}


def homed(rules: Sequence[Rule], origin: Sequence[Rule] | None, hosts: Hosts) -> list[Rule]:
    """Our rules as they were before us: where its user changed others, these stay as they are, and
    each stretch of ours becomes the stretch that it was.
    """
    others = [rule for rule in rules if not is_divided(rule, hosts)]
    if len(others) == len(rules):
        return list(rules)
    if origin is not None and others == [rule for rule in origin if not leads(rule, hosts)]:
        return list(origin)
    former = [group for ours, group in stretches(origin or (), hosts, leads) if ours]
    return list(rejoined(rules, former, hosts))


def rejoined(rules: Sequence[Rule], former: list[list[Rule]], hosts: Hosts) -> list[Rule]:
    """The last stretch takes all that is left of the original."""
    found: list[Rule] = []
    groups = stretches(rules, hosts, is_divided)
    left = sum(ours for ours, _ in groups)
    remaining = former or [[at_home(group[-1], hosts)] for ours, group in groups if ours]
    for ours, group in groups:
        if not ours:
            found += group
            continue
        left -= 1
        taken = remaining[:1] if left else remaining
        remaining = remaining[len(taken) :]
        found += [rule for stretch in taken for rule in stretch]
    return found


def stretches(
    rules: Sequence[Rule], hosts: Hosts, chosen: Callable[[Rule, Hosts], bool]
) -> list[tuple[bool, list[Rule]]]:
    return [(ours, list(group)) for ours, group in groupby(rules, lambda one: chosen(one, hosts))]


def at_home(rule: Rule, hosts: Hosts) -> Rule:
    """What nobody has kept: the rule leads to the app's Service as a whole."""
    mine = ("mirror", "mirrorPercentage", "route")
    host = rule["route"][0]["destination"]
    return {
        **{key: value for key, value in rule.items() if key not in mine},
        "route": [{"destination": {**host, "host": hosts.apex}}],
    }


def taken(found: Object, spec: Rule, before: Rule, *, app: str, hosts: Hosts) -> dict[str, Any]:
    """The object with another spec, and what that was before."""
    whole = is_flaggers(found, hosts)
    origin = {SPEC: before} if whole else {key: before[key] for key in LISTS if key in before}
    said = {SERVICES: [hosts.apex, hosts.primary, hosts.canary], **origin}
    annotations = {
        **annotations_of(found),
        names.ORIGIN: json.dumps(said, sort_keys=True),
        names.APP: app,
    }
    return {
        **found,
        "metadata": {**unlabelled(found), "annotations": annotations},
        "spec": spec,
    }


def unlabelled(found: Object) -> dict[str, Any]:
    """One that we had made, and whose rules a user has written since, is the user's."""
    metadata = dict(found["metadata"])
    if not is_made(found):
        return metadata
    ours = (names.MANAGED_BY, names.APP)
    metadata["labels"] = {key: one for key, one in labels_of(found).items() if key not in ours}
    return metadata


def restored(found: Object) -> dict[str, Any]:
    """As its user wrote it, with no word of ours and none of Flagger's about it."""
    hosts = hosts_of(found)
    ours = {names.ORIGIN, names.APP} | ({FLAGGERS_ORIGIN} if is_flaggers(found, hosts) else set())
    annotations = {key: one for key, one in annotations_of(found).items() if key not in ours}
    metadata = {key: one for key, one in found["metadata"].items() if key != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    return {**found, "metadata": metadata, "spec": as_written(found, hosts)}


def hosts_of(found: Object) -> Hosts:
    """As ORIGIN names them: there may be nobody else who knows."""
    metadata = found["metadata"]
    name = metadata["name"]
    default = [name, names.primary_name(name), names.canary_name(name)]
    apex, primary, canary = kept(found).get(SERVICES) or default
    return Hosts(apex, primary, canary, metadata.get("namespace", ""))
