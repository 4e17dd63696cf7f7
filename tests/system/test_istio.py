"""Istio's objects on a real API server; no proxy follows them here, that is Istio's own part."""

from collections.abc import Iterator
from typing import Any

import pytest

from delivery.names import AGENT_MANAGER, ENABLED, PREFIX
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release
from demo.shop import Shop
from demo.waiting import eventually
from tests.delivery import goldens
from tests.system import crds
from tests.system.canaries import BETTER, GOOD, analysis, canary, changed, managed, reaches
from tests.system.test_leaving import deployments

KINDS = [f"{kind}.networking.istio.io" for kind in ("destinationrules", "virtualservices")]
CANARY = canary(provider="istio", analysis=analysis(metrics=None, interval="10m"))
"""It stands at its first step."""
ROUTES: list[JSON] = [
    {"match": [{"uri": {"prefix": "/assets"}}], "route": [{"destination": {"host": "assets"}}]},
    {"name": "all", "timeout": "5s", "route": [{"destination": {"host": "shop"}}]},
]
USERS: JSON = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "shop", "labels": {"team": "shop"}},
    "spec": {"hosts": ["shop.example.com"], "gateways": ["mesh"], "http": ROUTES},
}
FLUX = ("--server-side", "--field-manager=kustomize-controller")


@pytest.fixture
def istio(namespace: Namespace) -> Namespace:
    """A namespace that the mesh has, as far as labels say."""
    crds.defined("istio", *KINDS)
    namespace.kubectl("label", "namespace", namespace.name, "istio-injection=enabled")
    return namespace


def golden_objects(name: str) -> Iterator[JSON]:
    case = goldens.case("istio", name)
    written = case.get("restored", {}).get("written", [])
    for found in (*case.get("expected", ()), *written):
        metadata = {"name": found["metadata"]["name"], "labels": found["metadata"].get("labels")}
        yield {**found, "metadata": metadata}


def test_the_api_server_takes_every_golden_case(istio: Namespace) -> None:
    """Strictly: with no field that it does not know."""
    objects = [one for name in goldens.names("istio") for one in golden_objects(name)]
    istio.kubectl.apply(objects, "--server-side", "--dry-run=server", "--validate=strict")


def virtual(place: Namespace) -> JSON:
    return place.read("VirtualService", "shop")


def share(place: Namespace) -> int:
    """The canary's part of what the user's rule gives to the app; -1 where it is not divided."""
    rules: list[Any] = (place.found("VirtualService", "shop") or {"spec": {}})["spec"].get(
        "http", []
    )
    shares = {
        target["destination"]["host"]: target.get("weight", 100)
        for rule in rules
        for target in rule.get("route", ())
    }
    assert "shop-primary" not in shares or shares["shop-primary"] + shares["shop-canary"] == 100
    return int(shares.get("shop-canary", -1))


def shows(place: Namespace, weight: int) -> None:
    eventually(f"the VirtualService gives {weight}", lambda: share(place) == weight, timeout=20)


def pods(place: Namespace) -> int:
    return int(place.read("Deployment", "shop")["spec"]["replicas"])


def said(place: Namespace, annotation: str) -> None:
    place.kubectl("annotate", "canary/shop", f"{PREFIX}{annotation}")


def own(found: JSON) -> JSON:
    """What its user says of an object."""
    metadata = found["metadata"]
    return {
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "spec": found["spec"],
    }


def owners(found: JSON) -> set[str]:
    return {one["manager"] for one in found["metadata"]["managedFields"]}


@pytest.mark.minutes
def test_a_release_moves_the_weights_in_what_a_user_wrote_and_gives_it_back(
    istio: Namespace,
) -> None:
    istio.kubectl.apply([USERS])
    before = virtual(istio)
    managed(istio, CANARY)
    assert share(istio) == 0
    assert virtual(istio)["spec"]["http"][0] == ROUTES[0]
    stands(istio, GOOD)
    whoever_writes_there(istio)
    said(istio, "abort=true")
    shows(istio, 0)
    assert reaches(istio, "Failed")["canaryWeight"] == 0
    assert pods(istio) > 0
    istio.kubectl("annotate", "deployment/shop", f"{ENABLED}=false")
    gone(istio)
    after = virtual(istio)
    assert own(after) == own(before)
    assert AGENT_MANAGER not in owners(after)


def whoever_writes_there(place: Namespace) -> None:
    """Git comes by, as a client and as a server applies; somebody turns the weights by hand."""
    place.kubectl.apply([{**USERS, "spec": {**USERS["spec"], "exportTo": ["."]}}])
    shows(place, 20)
    place.kubectl.apply([USERS], *FLUX)
    shows(place, 20)
    place.kubectl.apply([USERS])
    shows(place, 20)
    rules = virtual(place)["spec"]["http"]
    for target, weight in zip(rules[1]["route"], (0, 100), strict=True):
        target["weight"] = weight
    about = {"kind": "VirtualService", "metadata": {"namespace": place.name, "name": "shop"}}
    place.api.merge(about, {"spec": {"http": rules}}, manager="somebody")
    shows(place, 20)
    assert place.status()["canaryWeight"] == 20


def gone(place: Namespace) -> None:
    eventually("only the app is left", lambda: deployments(place) == ["shop"], timeout=90)
    assert place.list("DestinationRule") == []


@pytest.mark.soak
def test_a_release_is_promoted_and_a_deleted_canary_leaves_no_split(istio: Namespace) -> None:
    managed(istio, CANARY)
    seen: list[int] = []
    release = stands(istio, GOOD)
    release.listener = lambda status: seen.append(share(istio))
    changed(istio, {"analysis": {"interval": "1s"}})
    assert release.finished().outcome == "promoted"
    assert {20, 60} <= {*seen}
    assert share(istio) == 0
    changed(istio, {"analysis": {"interval": "10m"}})
    stands(istio, BETTER)
    istio.kubectl("delete", "canary", "shop")
    eventually("its split is gone", lambda: share(istio) == -1, timeout=20)
    # What takes all apps of a namespace cannot take one in a mesh, and gives it back.
    gone(istio)
    assert istio.list("VirtualService") == []
    assert istio.read("Deployment", "shop")["spec"]["replicas"] == GOOD.replicas


def stands(place: Namespace, shop: Shop) -> Release:
    """A release at its first step."""
    release = Release(place)
    place.kubectl.apply(shop.manifests())
    release.weighs(20)
    shows(place, 20)
    return release
