"""What users type beside apply: set image, undo, restart and scale mean what they always meant."""

from dataclasses import replace

import pytest

from delivery.names import ADMITTED
from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.release import Release, released
from demo.shop import V1, V2
from demo.waiting import always, eventually
from tests.system.canaries import events_of

OWN = "app.kubernetes.io/name=shop"

pytestmark = pytest.mark.usefixtures("hurried")


def primary_has(place: Namespace, replicas: int) -> None:
    eventually(
        f"the primary has {replicas} ready pods",
        lambda: place.read("Deployment", "shop-primary")["status"].get("readyReplicas") == replicas,
        timeout=30,
    )


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
    primary_has(shop, V1.replicas)


@pytest.mark.usefixtures("clients")
def test_restart_starts_a_release(shop: Namespace) -> None:
    release = Release(shop)
    shop.kubectl("rollout", "restart", "deployment/shop")
    assert release.finished().outcome == "promoted"


@pytest.mark.usefixtures("clients")
def test_undo_brings_the_version_before_back_and_keeps_the_scaled_number(shop: Namespace) -> None:
    assert released(shop, V2).outcome == "promoted"
    # Until then it is held at 2 for its canary, and a scale to just that changes nothing.
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


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="client-side"),
        pytest.param(("--server-side",), id="server-side", marks=pytest.mark.soak),
    ],
)
def test_replicas_alone_reach_the_primary_and_start_no_release(
    namespace: Namespace, options: tuple[str, ...]
) -> None:
    opened(namespace, V1.manifests(), *options)
    revision = namespace.status()["observedHash"]
    namespace.kubectl.apply(replace(V1, replicas=5).manifests(), *options)
    primary_has(namespace, 5)
    namespace.kubectl("scale", "deployment/shop", "--replicas=4")
    primary_has(namespace, 4)
    always("no release", lambda: namespace.status()["observedHash"] == revision, seconds=3)
    assert namespace.read("Deployment", "shop")["spec"]["replicas"] == 0


def test_what_changes_nothing_in_the_pods_starts_no_release(shop: Namespace) -> None:
    before = shop.status()
    shop.kubectl("annotate", "deployment/shop", "team.example.com/owner=shop")
    shop.kubectl("label", "deployment/shop", "team.example.com/tier=front")
    reordered = [dict(reversed(one.items())) for one in V1.manifests()]
    shop.kubectl.apply(reordered, "--server-side", "--field-manager=another", "--force-conflicts")
    shop.kubectl("rollout", "restart", "deployment/outrider-agent")
    shop.complete("outrider-agent", timeout=90)
    always("no release", lambda: still(shop, before), seconds=5)
    marks = [one["metadata"]["annotations"] for one in shop.list("ReplicaSet", OWN)]
    assert {one[ADMITTED] for one in marks if ADMITTED in one} == {before["observedHash"]}


def still(place: Namespace, before: JSON) -> bool:
    now = place.status()
    return all(now[key] == before[key] for key in ("phase", "observedHash", "outcomes"))
