"""How many replicas a user wants, whenever and however he says so, and what cannot be had."""

from dataclasses import replace

import pytest

from delivery.apex import leads_to_routers
from delivery.hashing import template_hash
from delivery.names import STOP
from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.release import Release
from demo.waiting import always, eventually
from tests.system.canaries import (
    GOOD,
    PATIENT,
    SMALL,
    canary,
    changed,
    managed,
    promotes,
    reaches,
    says,
)
from tests.system.load import Load, losses
from tests.system.test_commands import primary_has, version_of
from tests.system.test_release import serves_alone

ROOM = 10
"""Pods: the primary's three, two routers, two agents, three of the canary; none to roll with."""


def patched(place: Namespace, replicas: int) -> None:
    place.kubectl("patch", "deployment/shop", "--patch", f'{{"spec": {{"replicas": {replicas}}}}}')


def scaled(place: Namespace, replicas: int) -> None:
    place.kubectl("scale", "deployment/shop", f"--replicas={replicas}")


@pytest.mark.settled
@pytest.mark.usefixtures("hurried")
def test_a_wish_is_heard_while_idle_and_in_mid_release(namespace: Namespace, load: Load) -> None:
    opened(namespace, SMALL.manifests())
    patched(namespace, 2)
    primary_has(namespace, 2)
    none = namespace.kubectl.apply(replace(SMALL, replicas=0).manifests()).errors
    assert "kubectl annotate canary/shop" in none
    always("nothing is stopped", lambda: namespace.status()["replicas"] == 2, seconds=2)
    load(namespace, *PATIENT)
    release = Release(namespace)
    namespace.kubectl.apply(replace(GOOD, replicas=4).manifests())
    held = release.weighs(25)["scale"]
    primary_has(namespace, 4)
    namespace.kubectl.apply(replace(GOOD, replicas=held).manifests())
    eventually("that number too", lambda: namespace.status()["replicas"] == held, timeout=20)
    scaled(namespace, 1)
    assert release.finished().outcome == "promoted"
    primary_has(namespace, 1)


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_a_stop_in_mid_release_takes_every_pod_and_its_end_brings_all_of_it_back(
    namespace: Namespace, load: Load
) -> None:
    opened(namespace, replace(SMALL, replicas=2).manifests())
    load(namespace, *PATIENT)
    release = Release(namespace)
    namespace.kubectl.apply(replace(GOOD, replicas=2).manifests())
    release.weighs(25)
    refused = namespace.kubectl.attempt("annotate", "canary/shop", f"{STOP}=yes")
    assert 'use "true" or "false"' in refused.errors
    namespace.kubectl("annotate", "canary/shop", f"{STOP}=true")
    eventually("no pod is left", lambda: not running(namespace), timeout=60)
    says(namespace, f"is stopped by {STOP}")
    assert leads_to_routers(namespace.read("Service", "shop"))
    namespace.kubectl("annotate", "canary/shop", f"{STOP}-")
    promotes(namespace, applied_hash(namespace))
    primary_has(namespace, 2)
    assert version_of(namespace, "shop-primary") == GOOD.version


def running(place: Namespace) -> list[str]:
    found = place.list("Pod", "app.kubernetes.io/name=shop")
    return [one["metadata"]["name"] for one in found if "deletionTimestamp" not in one["metadata"]]


def applied_hash(place: Namespace) -> str:
    """Of what the user has applied."""
    return template_hash(place.read("Deployment", "shop")["spec"]["template"])


@pytest.mark.settled
def test_a_primary_that_cannot_grow_ends_in_failed_and_users_stay_where_they_were(
    namespace: Namespace, load: Load
) -> None:
    three, grown = replace(SMALL, replicas=3), dict[int, int]()
    managed(namespace, canary(), three)
    client = load(namespace, *PATIENT)
    namespace.kubectl("create", "quota", "tight", f"--hard=pods={ROOM}")

    def sizes(status: JSON) -> None:
        found = namespace.read("Deployment", "shop")["status"]
        grown.setdefault(status.get("canaryWeight", 0), found.get("readyReplicas", 0))

    release = Release(namespace, listener=sizes)
    namespace.kubectl.apply(replace(GOOD, replicas=3).manifests())
    eventually("promotion", lambda: release.look() and reached(release, "Promoting"), timeout=90)
    assert grown[20] >= 1
    assert grown[60] >= 3
    says(namespace, "exceeded quota: tight")
    changed(namespace, {"progressDeadlineSeconds": 1})
    status = reaches(namespace, "Failed")
    assert "Promotion of shop" in status["message"]
    assert "exceeded quota: tight" in status["message"]
    serves_alone(namespace, "v1")
    assert version_of(namespace, "shop-primary") == "v1"
    assert losses(client) == []


def reached(release: Release, phase: str) -> bool:
    return release.status.get("phase") == phase
