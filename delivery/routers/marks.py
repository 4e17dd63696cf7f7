"""The marks on the objects of external routers: which are ours, and which were a user's before."""

from collections.abc import Iterator
from typing import Any

from delivery import names
from delivery.canary import Canary
from delivery.pods import annotations_of, labels_of
from delivery.routers.interface import Found, Object
from delivery.service_words import ServiceWords
from delivery.workload import marks


def app_of(found: Object) -> str:
    """The target whose traffic it splits by our doing; empty for any other object."""
    if is_made(found):
        return labels_of(found).get(names.APP, "")
    if names.ORIGIN in annotations_of(found):
        return annotations_of(found).get(names.APP, "")
    return ""


def is_made(found: Object) -> bool:
    """By us; a user's is taken over."""
    return labels_of(found).get(names.MANAGED_BY) == names.OUTRIDER


def of_app(canary: Canary, found: Found) -> Iterator[Object]:
    """In the order of kinds and names."""
    return (found[key] for key in sorted(found) if app_of(found[key]) == canary.target)


def made(
    canary: Canary, api_version: str, kind: str, name: str, spec: Any, *, dressed: bool = True
) -> dict[str, Any]:
    """An object of our own, as it is applied; `dressed` as the apex is."""
    said = canary.words if dressed else ServiceWords()
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": canary.namespace,
        "labels": {**said.labels, **marks(canary)},
    }
    if said.annotations:
        metadata["annotations"] = dict(said.annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def apex_name(canary: Canary) -> str:
    """The Service that clients call, and the name of a router's object for it."""
    return canary.status.apex or canary.service or canary.target


def half_name(canary: Canary, role: str) -> str:
    """The Service of one half."""
    return names.suffixed(canary.service or canary.target, role)
