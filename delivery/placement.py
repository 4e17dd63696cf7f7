"""Where the canary's pods may run: what is put on the target's template beside what its user wrote.

The template itself says which of it is ours, so that it can be told from the user's own wherever
the template turns up again: in a ReplicaSet, after an undo, in a copy.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from delivery import names
from delivery.mapping import mapping, parsed

Template = Mapping[str, Any]

SELECTOR, TOLERATIONS = "nodeSelector", "tolerations"


def text(selector: Mapping[str, str], tolerations: Sequence[Mapping[str, Any]]) -> str:
    """As an annotation holds it; empty where nothing is asked for."""
    said = {SELECTOR: dict(selector), TOLERATIONS: [dict(one) for one in tolerations]}
    kept = {key: value for key, value in said.items() if value}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")) if kept else ""


def read(said: Any) -> tuple[Mapping[str, str], Sequence[Mapping[str, Any]]]:
    """The selector and the tolerations; of what is none of them, nothing."""
    found = parsed(said)
    selector = mapping(found, SELECTOR)
    tolerations = [one for one in tolerations_of(mapping(found)) if isinstance(one, Mapping)]
    return {key: one for key, one in selector.items() if isinstance(one, str)}, tolerations


def bare(template: Template) -> dict[str, Any]:
    """The template as its user wrote it, but for the mark."""
    said = mapping(template, "metadata", "annotations").get(names.CANARY_TEMPLATE)
    spec = template.get("spec")
    if said is None or not isinstance(spec, Mapping):
        return dict(template)
    selector, tolerations = read(said)
    found = mapping(spec, SELECTOR)
    kept = {key: one for key, one in found.items() if selector.get(key) != one}
    left = [one for one in tolerations_of(spec) if one not in tolerations]
    others = {key: one for key, one in spec.items() if key not in (SELECTOR, TOLERATIONS)}
    own = {SELECTOR: kept, TOLERATIONS: left}
    return {**template, "spec": others | {key: one for key, one in own.items() if one}}


def tolerations_of(spec: Mapping[str, Any]) -> list[Any]:
    found = spec.get(TOLERATIONS)
    return list(found) if isinstance(found, list) else []


def added(template: Template, wanted: str) -> str:
    """What of the wish comes on top of a template: a key of its user's own goes before."""
    selector, tolerations = read(wanted)
    spec = mapping(bare(template), "spec")
    own, there = mapping(spec, SELECTOR), tolerations_of(spec)
    return text(
        {key: one for key, one in selector.items() if key not in own},
        [one for one in tolerations if one not in there],
    )


def spec_of(template: Template, wanted: str) -> Mapping[str, Any]:
    """The two fields as they shall be, empty where they shall not be there."""
    selector, tolerations = read(added(template, wanted))
    spec = mapping(bare(template), "spec")
    return {
        SELECTOR: {**mapping(spec, SELECTOR), **selector},
        TOLERATIONS: [*tolerations_of(spec), *tolerations],
    }


def is_placed(template: Template) -> bool:
    return names.CANARY_TEMPLATE in mapping(template, "metadata", "annotations")


def removal(template: Template) -> Mapping[str, Any]:
    """The merge patch of a template that takes away what its mark tells of; nothing without one."""
    said = mapping(template, "metadata", "annotations").get(names.CANARY_TEMPLATE)
    if said is None:
        return {}
    found, own = mapping(template, "spec"), mapping(bare(template), "spec")
    gone = dict.fromkeys(mapping(found, SELECTOR).keys() - mapping(own, SELECTOR).keys())
    fields = {SELECTOR: gone if own.get(SELECTOR) else None, TOLERATIONS: own.get(TOLERATIONS)}
    changed = {key: one for key, one in fields.items() if key in found}
    marks = {"annotations": {names.CANARY_TEMPLATE: None}}
    return {"metadata": marks, **({"spec": changed} if changed else {})}
