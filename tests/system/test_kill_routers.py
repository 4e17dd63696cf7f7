"""A router that dies takes with it what it had in hand, nothing more; one that leaves, nothing."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from demo.namespace import Namespace
from demo.release import Release
from demo.shop import V1, V2
from demo.waiting import eventually
from tests.system.kills import (
    BOTH,
    COURSES,
    GOOD,
    UNROUTED_SECONDS,
    Assassin,
    Course,
    assert_ended_well,
    avoidable,
    is_ready,
    one_router,
    routers,
)
from tests.system.load import Load, losses
from tests.system.node import Node

Figure = Callable[[str], None]


@COURSES
@pytest.mark.usefixtures("hurried")
def test_a_router_killed_in_each_phase_loses_what_it_had_in_hand(
    shop: Namespace, node: Node, load: Load, figure: Figure, course: Course
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    assassin = Assassin(shop, node, one_router)
    assert_ended_well(assassin.release(course), course)
    eventually("both routers are back", lambda: len(routers(shop)) == 2, timeout=90)
    lost = losses(*clients)
    figure(f"router killed -9 {len(assassin.struck)} times, {course.outcome}: {len(lost)} lost")
    assert avoidable(lost, assassin.struck) == []


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_a_router_deleted_in_mid_release_loses_no_request(shop: Namespace, load: Load) -> None:
    clients = [load(shop, *options) for options in BOTH]
    release = Release(shop)
    shop.kubectl.apply(V2.manifests())
    release.weighs(25)
    leaves_in_order(shop)
    assert_ended_well(release.finished(), GOOD)
    assert losses(*clients) == []


def leaves_in_order(place: Namespace) -> None:
    """A router is deleted as a drained node would do it; another is there when it has gone."""
    name = routers(place)[0]
    place.kubectl("delete", "pod", name, "--wait=false")
    eventually("the router has gone", lambda: place.found("Pod", name) is None, timeout=140)
    eventually("two routers are ready", lambda: len(routers(place)) == 2, timeout=60)


@pytest.mark.soak
def test_a_plain_pod_that_is_killed_is_the_yardstick(
    plain_namespace: Namespace, node: Node, load: Load, figure: Figure
) -> None:
    plain_namespace.kubectl.apply(replace(V1, replicas=2).manifests())
    plain_namespace.complete()
    clients = [load(plain_namespace, *options) for options in BOTH]
    struck = time.time()
    assert node.kill(plain_namespace.name, "shop", shop_pods(plain_namespace)[0]) == 1
    eventually("both are back", lambda: len(shop_pods(plain_namespace)) == 2, timeout=90)
    for client in clients:
        client.caught_up(struck + UNROUTED_SECONDS)
    lost = losses(*clients)
    figure(f"yardstick: a plain pod of two, killed -9 once: {len(lost)} requests lost")
    assert avoidable(lost, [struck]) == []


def shop_pods(place: Namespace) -> list[str]:
    found = place.list("Pod", "app.kubernetes.io/name=shop")
    return sorted(pod["metadata"]["name"] for pod in found if is_ready(pod))
