"""An app that Istio routes, and what is found of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from delivery import external, names
from delivery.canary import Canary, Status
from delivery.decision import Apply, Delete, Disown, Effect, Write
from delivery.observation import Observation, Routes
from delivery.routers.interface import Object
from delivery.routers.table import ROUTERS
from tests.delivery.scenes import NOW, canary

VIRTUAL = ("VirtualService", "web")
UNREAD = {"istio": "not read yet: VirtualService"}
ABSENT = Routes(missing={"istio": "install its CRDs"}, absent=frozenset({"istio"}))
SHOWN: dict[str, Any] = {"shown_since": NOW - 60.0}


def routed(status: Status, **changes: Any) -> Canary:
    return canary(status, provider="istio", external=True, **changes)


def marked(router: str = "istio") -> Mapping[str, Object]:
    """The primary's Service, as it is once its apply was seen."""
    metadata: dict[str, Any] = {"name": "app-primary", "labels": {names.MANAGED_BY: "outrider"}}
    if router:
        metadata["annotations"] = {names.ROUTED_BY: router}
    return {"app-primary": {"metadata": metadata, "spec": {}}}


def objects(found: Canary, *users: Object) -> Routes:
    """What there is when all is as the Canary intends."""
    before = {external.key(one): one for one in users}
    wanted = ROUTERS["istio"].manifests(found, before)
    stored = {
        external.key(one): {**one, "metadata": {"resourceVersion": "1", **one["metadata"]}}
        for one in wanted
    }
    return Routes(stored)


def user(host: str = "web", **metadata: Any) -> Object:
    return {
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "4", **metadata},
        "spec": {"hosts": ["web"], "http": [{"route": [{"destination": {"host": host}}]}]},
    }


def at(routes: Routes, look: Observation, **changes: Any) -> Observation:
    return replace(look, routes=routes, **{"services": marked(), **changes})


def written(found: Canary, look: Observation) -> list[Effect]:
    return list(external.effects(found, look))


def weights(effect: Effect) -> list[int]:
    assert isinstance(effect, Apply | Write)
    return [one["weight"] for one in effect.manifest["spec"]["http"][0]["route"]]


def named(effects: Iterable[Effect]) -> list[tuple[str, str]]:
    """What is done to which object, but for what has nothing to do with routers."""
    found: list[tuple[str, str]] = []
    for one in effects:
        if isinstance(one, Delete | Disown):
            found.append((type(one).__name__, one.name))
        elif isinstance(one, Apply | Write):
            found.append((type(one).__name__, external.key(one.manifest)[1]))
    return found


TAKEN = [("Write", "web"), ("Delete", "app-canary"), ("Delete", "app-primary")]
"""What it takes to give back an app whose VirtualService a user wrote."""
