"""Admission and the API itself die: users notice nothing, and each release ends as it would have.

These stop what every other test stands on, so they run alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import Kubectl
from demo.namespace import Namespace
from demo.release import released
from demo.waiting import eventually
from tests.system.kills import (
    BAD,
    BOTH,
    COURSES,
    GOOD,
    Assassin,
    Course,
    assert_ended_well,
    every_webhook,
)
from tests.system.load import Load, losses
from tests.system.node import Node

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("hurried")]


@pytest.fixture
def webhook_down(cluster: None) -> Iterator[Callable[[], None]]:
    """Takes all replicas of the webhook away; they are back after the test."""
    yield lambda: scaled(0)
    scaled(2)


def scaled(replicas: int) -> None:
    kubectl = Kubectl(SYSTEM)
    kubectl("scale", f"deployment/{WEBHOOK}", f"--replicas={replicas}")

    def there() -> bool:
        status = kubectl.json("get", "deployment", WEBHOOK)["status"]
        pods = kubectl.json("get", "pods", "--selector", f"app.kubernetes.io/name={WEBHOOK}")
        return bool(status.get("readyReplicas", 0) == replicas == len(pods["items"]))

    eventually(f"the webhook has {replicas} pods", there, timeout=120)


@COURSES
def test_the_webhook_killed_in_each_phase(
    shop: Namespace, node: Node, load: Load, course: Course
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    assert_ended_well(Assassin(shop, node, every_webhook).release(course), course)
    assert losses(*clients) == []


def test_with_the_webhook_down_an_apply_is_judged_and_nothing_is_lost(
    shop: Namespace, load: Load, webhook_down: Callable[[], None]
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    webhook_down()
    for course in (BAD, GOOD):
        assert_ended_well(released(shop, course.version), course)
    assert "admission did not act on Deployment shop" in said(shop)
    assert losses(*clients) == []


def said(place: Namespace) -> str:
    return "\n".join(event["message"] for event in place.list("Event"))


def api_server(_: Namespace, node: Node) -> None:
    node.restart("kube-apiserver")


@COURSES
def test_the_api_server_restarted_in_mid_release(
    shop: Namespace, node: Node, load: Load, course: Course
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    course = replace(course, phases=course.phases[:1])
    assert_ended_well(Assassin(shop, node, api_server).release(course), course)
    assert losses(*clients) == []
