"""Canaries as users write them, and what is said of their releases."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import dropwhile
from typing import Any

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import V1, Shop
from demo.waiting import eventually

SMALL = replace(V1, replicas=1)
GOOD = replace(SMALL, version="v2")
BETTER = replace(SMALL, version="v5")
BAD = replace(SMALL, version="v3", error_rate=1.0)

NOT_READY = "not ready: "
MISSING = "get query error: not found"
"""In what is said of a Canary until its app has followed it (managed)."""
WAITS = (NOT_READY, "no values found")
"""In what is said of waits, which depends on how fast pods start and requests are answered."""
SUCCESS = {"name": "request-success-rate", "interval": "5s", "thresholdRange": {"min": 99}}
ANALYSIS = {"interval": "1s", "threshold": 2, "stepWeights": [20, 60], "metrics": [SUCCESS]}
PATIENT = ("--rate", "20", "--keep-alive", "0")
"""A few clients, who keep no connection."""

Said = tuple[str, str]
"""Type and text of an Event."""


def canary(name: str = "shop", *, target: str = "shop", **spec: Any) -> JSON:
    """A Canary in Flagger's API; a field that is None is left out."""
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": name},
        "spec": given({"targetRef": reference, "analysis": ANALYSIS, **spec}),
    }


def analysis(**changes: Any) -> JSON:
    return given({**ANALYSIS, **changes})


def given(fields: JSON) -> JSON:
    return {key: value for key, value in fields.items() if value is not None}


def app(name: str, shop: Shop = SMALL) -> list[JSON]:
    """The shop's manifests under another name."""
    deployment, service = shop.manifests()
    labels = {"app.kubernetes.io/name": name}
    for one in (deployment, service):
        one["metadata"] = {"name": name, "labels": labels}
    deployment["spec"]["selector"] = {"matchLabels": labels}
    deployment["spec"]["template"]["metadata"]["labels"] = labels
    service["spec"]["selector"] = labels
    return [deployment, service]


def container(manifests: list[JSON], **changes: Any) -> list[JSON]:
    """The same manifests with another container."""
    (found,) = manifests[0]["spec"]["template"]["spec"]["containers"]
    found.update(changes)
    return manifests


def managed(place: Namespace, written: JSON, shop: Shop = SMALL) -> Namespace:
    """A namespace whose shop has been adopted under this Canary, which comes before the app: where
    apps are adopted as they come, another one would be generated."""
    place.kubectl.apply([written, *shop.manifests()])
    place.complete()
    place.opt_in()
    place.adopted(written["metadata"]["name"])
    return place


def changed(place: Namespace, spec: Mapping[str, Any], name: str = "shop") -> None:
    """Give the Canary's spec other fields; null removes one."""
    place.api.merge(
        {"kind": "Canary", "metadata": {"namespace": place.name, "name": name}},
        {"spec": spec},
        manager="team",
    )


def reaches(place: Namespace, phase: str, name: str = "shop", *, timeout: float = 60) -> JSON:
    return eventually(
        f"{name} is {phase}",
        lambda: place.status(name).get("phase") == phase and place.status(name),
        timeout=timeout,
    )


def promotes(place: Namespace, revision: str, name: str = "shop") -> JSON:
    """Wait until this very revision serves."""
    return eventually(
        f"{revision} is promoted",
        lambda: place.status(name).get("promotedHash") == revision and place.status(name),
        timeout=90,
    )


def says(place: Namespace, text: str, name: str = "shop") -> None:
    """Wait until the status gives this as its reason."""
    eventually(text, lambda: text in place.status(name).get("message", ""), timeout=40)


def events_of(place: Namespace, kind: str, name: str) -> list[JSON]:
    """In the order in which they were recorded."""
    found = [
        one
        for one in place.list("Event")
        if (one["involvedObject"]["kind"], one["involvedObject"]["name"]) == (kind, name)
    ]
    return sorted(found, key=lambda one: int(one["metadata"]["resourceVersion"]))


def tells(place: Namespace, *expected: Said, after: int = 0) -> None:
    """Just this was said after so many other Events; an Event comes a moment after its status."""
    end = after + len(expected)
    eventually("as many Events", lambda: len(said(place)) >= end, timeout=10)
    assert said(place)[after:] == list(expected)


def said(place: Namespace, name: str = "shop") -> list[Said]:
    """What was said of a Canary, but for waits; names without their namespace."""
    found = dropwhile(lambda one: MISSING in one["message"], events_of(place, "Canary", name))
    return [
        (one["type"], one["message"].replace(f".{place.name}", ""))
        for one in found
        if not any(wait in one["message"] for wait in WAITS)
    ]


def weights(place: Namespace, name: str = "shop") -> list[int]:
    """The canary's weights one after another."""
    return [
        int(text.rpartition(" ")[2]) for _, text in said(place, name) if "canary weight" in text
    ]
