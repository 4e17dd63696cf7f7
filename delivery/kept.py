"""The promoted template, kept where no history limit and no deletion of a half can lose it.

What serves must be able to come back: a primary that somebody deletes takes its ReplicaSets along,
and the target's own forget old revisions, at once where its user wants no history.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from delivery import names, workload
from delivery.canary import Canary, Phase
from delivery.decision import Delete, Effect, Replace
from delivery.hashing import stripped
from delivery.mapping import mapping
from delivery.observation import Observation
from delivery.pods import annotations_of
from delivery.servable import is_ours

KIND = "PodTemplate"


def manifest(canary: Canary, template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without our labels: it is what the user wrote of the revision."""
    return {
        "apiVersion": "v1",
        "kind": KIND,
        "metadata": {
            "name": names.primary_name(canary.target),
            "namespace": canary.namespace,
            "labels": workload.marks(canary),
            "annotations": {names.PROMOTED: canary.status.promoted},
        },
        "template": stripped(template),
    }


def effects(canary: Canary, seen: Observation) -> Iterator[Effect]:
    """Written anew when another revision was promoted; one of a user's by that name is let be."""
    template, found = seen.revisions.get(canary.status.promoted), seen.kept
    if canary.status.phase is Phase.TERMINATING:
        return
    if template is None or (found is not None and not is_ours(found)):
        return
    if found is None or promoted(found) != canary.status.promoted:
        yield Replace(versioned(manifest(canary, template), found))


def versioned(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """In place of the one that was seen."""
    version = mapping(found or {}, "metadata").get("resourceVersion")
    if version is None:
        return wanted
    return {**wanted, "metadata": {**wanted["metadata"], "resourceVersion": version}}


def promoted(found: Mapping[str, Any]) -> str:
    """The revision that it was, when it was kept."""
    return str(annotations_of(found).get(names.PROMOTED, ""))


def forgotten(seen: Observation) -> Iterator[Effect]:
    if seen.kept is not None and is_ours(seen.kept):
        yield Delete(KIND, seen.kept["metadata"]["name"])
