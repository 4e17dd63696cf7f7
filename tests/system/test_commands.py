"""What users type beside apply: set image, undo, restart and scale mean what they always meant."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from delivery.names import ADMITTED
from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.release import Release, released
from demo.waiting import always, eventually
from tests.system.canaries import GOOD, SMALL, events_of
from tests.system.conftest import HURRY, defaults, fresh, removed, told

OWN = "app.kubernetes.io/name=shop"

pytestmark = pytest.mark.xdist_group("commands")


@pytest.fixture(scope="module")
def place(cluster: None) -> Iterator[Namespace]:
    """One adopted shop for all the commands, whose releases take seconds."""
    found = fresh("commands")
    found.kubectl.apply([defaults(HURRY)])
    opened(found, SMALL.manifests())
    yield found
    removed(found)


@pytest.fixture
def shop(place: Namespace, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """As it was adopted: v1 serves, and nothing is under way."""
    place.kubectl.apply(SMALL.manifests())
    eventually("it is at rest", lambda: rests(place), timeout=90)
    primary_has(place, SMALL.replicas)
    yield place
    told(place, request.node)


def rests(place: Namespace) -> bool:
    """Also of a canary nothing is left."""
    status, target = place.status(), place.read("Deployment", "shop")
    serves = version_of(place, "shop-primary") == version_of(place, "shop") == SMALL.version
    ended = status["phase"] in ("Initialized", "Succeeded", "Failed")
    known = status["observedHash"] == status["promotedHash"]
    return bool(serves and ended and known and not target["spec"]["replicas"])


def primary_has(place: Namespace, replicas: int) -> None:
    def ready() -> bool:
        found = place.found("Deployment", "shop-primary") or {}
        return bool(found.get("status", {}).get("readyReplicas") == replicas)

    eventually(f"the primary has {replicas} ready pods", ready, timeout=30)


def version_of(place: Namespace, name: str) -> str:
    """The version in a Deployment's template."""
    (container,) = place.read("Deployment", name)["spec"]["template"]["spec"]["containers"]
    return str(next(one["value"] for one in container["env"] if one["name"] == "VERSION"))


def test_set_image_starts_a_release_and_a_missing_image_ends_it(shop: Namespace) -> None:
    release = Release(shop)
    shop.kubectl("set", "image", "deployment/shop", "shop=localhost/outrider/shop:missing")
    assert release.finished().outcome == "rolled back"
    eventually(
        "an Event, a moment after the status, gives whichever reason was seen first",
        lambda: any(
            reason in event["message"]
            for event in events_of(shop, "Canary", "shop")
            for reason in ("ErrImagePull", "ImagePullBackOff")
        ),
        timeout=10,
    )
    primary_has(shop, SMALL.replicas)


@pytest.mark.usefixtures("clients")
def test_restart_starts_a_release(shop: Namespace) -> None:
    release = Release(shop)
    shop.kubectl("rollout", "restart", "deployment/shop")
    assert release.finished().outcome == "promoted"


@pytest.mark.usefixtures("clients")
def test_undo_brings_the_version_before_back_and_keeps_the_scaled_number(shop: Namespace) -> None:
    assert released(shop, GOOD).outcome == "promoted"
    # Until then it is held for its canary, and a scale to just that number changes nothing.
    eventually("it rests", lambda: not shop.read("Deployment", "shop")["spec"]["replicas"])
    shop.kubectl("scale", "deployment/shop", "--replicas=2")
    primary_has(shop, 2)
    release = Release(shop)
    shop.kubectl("rollout", "undo", "deployment/shop")
    assert release.finished().outcome == "promoted"
    assert version_of(shop, "shop-primary") == "v1"
    primary_has(shop, 2)


def test_a_scale_is_heard_whatever_follows_it_at_once(shop: Namespace) -> None:
    shop.kubectl("scale", "deployment/shop", "--replicas=2")
    shop.kubectl("set", "env", "deployment/shop", "NEXT=1")
    primary_has(shop, 2)
    shop.kubectl("scale", "deployment/shop", "--replicas=3")
    shop.kubectl("rollout", "undo", "deployment/shop")
    primary_has(shop, 3)


def test_replicas_alone_reach_the_primary_and_start_no_release(shop: Namespace) -> None:
    replicas_reach_the_primary(shop)


@pytest.mark.soak
def test_so_they_do_by_a_server_side_apply(namespace: Namespace) -> None:
    opened(namespace, SMALL.manifests(), "--server-side")
    replicas_reach_the_primary(namespace, "--server-side")


def replicas_reach_the_primary(place: Namespace, *options: str) -> None:
    revision = place.status()["observedHash"]
    place.kubectl.apply(replace(SMALL, replicas=3).manifests(), *options)
    primary_has(place, 3)
    place.kubectl("scale", "deployment/shop", "--replicas=2")
    primary_has(place, 2)
    always("no release", lambda: place.status()["observedHash"] == revision, seconds=3)
    assert place.read("Deployment", "shop")["spec"]["replicas"] == 0


def test_what_changes_nothing_in_the_pods_starts_no_release(shop: Namespace) -> None:
    before, marked = shop.status(), marks(shop)
    shop.kubectl("annotate", "deployment/shop", "team.example.com/owner=shop")
    shop.kubectl("label", "deployment/shop", "team.example.com/tier=front")
    reordered = [dict(reversed(one.items())) for one in SMALL.manifests()]
    shop.kubectl.apply(reordered, "--server-side", "--field-manager=another", "--force-conflicts")
    shop.kubectl("rollout", "restart", "deployment/outrider-agent")
    shop.complete("outrider-agent", timeout=90)
    always("no release", lambda: still(shop, before), seconds=5)
    assert before["observedHash"] in marks(shop) == marked


def marks(place: Namespace) -> set[str]:
    """The templates that came by admission, each of which has a ReplicaSet."""
    found = [one["metadata"]["annotations"] for one in place.list("ReplicaSet", OWN)]
    return {one[ADMITTED] for one in found if ADMITTED in one}


def test_a_primary_that_is_deleted_comes_back_as_it_was_promoted(shop: Namespace) -> None:
    """Also when nothing but the refused version is left in the target's history."""
    forget = json.dumps({"spec": {"revisionHistoryLimit": 0}})
    shop.kubectl("patch", "deployment", "shop", "--type=merge", "-p", forget)
    release = Release(shop)
    shop.kubectl("set", "image", "deployment/shop", "shop=localhost/outrider/shop:missing")
    assert release.finished().outcome == "rolled back"
    eventually("the history is gone", lambda: len(sets_of(shop, "shop")) == 1)
    shop.kubectl("delete", "deployment", "shop-primary")
    primary_has(shop, SMALL.replicas)
    assert version_of(shop, "shop-primary") == SMALL.version
    assert shop.status()["phase"] == "Failed"


def sets_of(place: Namespace, name: str) -> list[JSON]:
    owner = place.read("Deployment", name)["metadata"]["uid"]
    return [
        one
        for one in place.list("ReplicaSet")
        if any(owner == other["uid"] for other in one["metadata"].get("ownerReferences", []))
    ]


def still(place: Namespace, before: JSON) -> bool:
    now = place.status()
    return all(now[key] == before[key] for key in ("phase", "observedHash", "outcomes"))
