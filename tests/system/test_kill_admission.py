"""Admission and the API itself die: users notice nothing, and each release ends as it would have.

These stop what every other test stands on, so they run alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import Kubectl
from demo.namespace import Namespace
from demo.release import released
from demo.shop import V1
from demo.waiting import eventually
from tests.system.conftest import HURRY, closed, defaults, fresh
from tests.system.jobs import script
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

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def adopted(cluster: None, request: pytest.FixtureRequest) -> list[Namespace]:
    """A shop for each test that wants one, adopted all together: nothing else is at work."""
    wanting = [
        item
        for item in request.session.items
        if item.path == request.path and "shop" in getattr(item, "fixturenames", ())
    ]
    places = [fresh(item.name) for item in wanting]
    for place in places:
        place.kubectl.apply([defaults(HURRY), *V1.manifests()])
    for place in places:
        place.complete()
        place.opt_in()
    for place in places:
        place.adopted()
    return places


@pytest.fixture
def shop(adopted: list[Namespace], request: pytest.FixtureRequest) -> Iterator[Namespace]:
    place = adopted.pop()
    yield place
    closed(place, request.node)


@pytest.fixture
def admission(cluster: None) -> Iterator[None]:
    """Whole again after the test, without the back-off of what was killed often."""
    yield
    kubectl = Kubectl(SYSTEM)
    kubectl("scale", f"deployment/{WEBHOOK}", "--replicas=0")
    kubectl("scale", f"deployment/{WEBHOOK}", "--replicas=2")
    kubectl("rollout", "status", f"deployment/{WEBHOOK}", "--timeout=120s", timeout=130)


def down() -> None:
    """No replica of the webhook is left."""
    kubectl = Kubectl(SYSTEM)
    kubectl("scale", f"deployment/{WEBHOOK}", "--replicas=0")
    words = ("get", "pods", f"--selector=app.kubernetes.io/name={WEBHOOK}")
    eventually("the webhook is down", lambda: not kubectl.json(*words)["items"], timeout=60)


@pytest.mark.usefixtures("admission")
def test_the_webhook_killed_in_each_phase(shop: Namespace, node: Node, load: Load) -> None:
    clients = [load(shop, *options) for options in BOTH]
    for course in (BAD, GOOD):
        assert_ended_well(Assassin(shop, node, every_webhook).release(course), course)
    assert losses(*clients) == []


@pytest.mark.usefixtures("admission")
def test_with_the_webhook_down_an_apply_is_judged_and_nothing_is_lost(
    shop: Namespace, load: Load, tmp_path: Path
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    down()
    for course in (BAD, GOOD):
        assert_ended_well(released(shop, course.version), course)
    text = "admission did not act on Deployment shop; its fields were written: look at"
    assert f"{text} mutatingwebhookconfiguration outrider-webhook" in said(shop)
    assert script(shop, GOOD.version, tmp_path).status() == 1, "promoted, but under no number"
    assert losses(*clients) == []


@pytest.mark.soak
@pytest.mark.usefixtures("admission")
def test_with_the_webhook_down_a_wish_by_hand_is_acted_on(shop: Namespace) -> None:
    """Only who asked for it is not known."""
    down()
    shop.kubectl("annotate", "canary/shop", "outrider.dev/abort=true")
    text = "outrider.dev/abort is not acted on, asked by an unknown user (admission did not see it)"
    eventually("it is answered", lambda: text in said(shop), timeout=10)


def said(place: Namespace) -> str:
    return "\n".join(event["message"] for event in place.list("Event"))


def api_server(_: Namespace, node: Node) -> None:
    node.restart("kube-apiserver")


@COURSES
def test_the_api_server_restarted_in_each_phase(
    shop: Namespace, node: Node, load: Load, course: Course
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    assert_ended_well(Assassin(shop, node, api_server).release(course), course)
    assert losses(*clients) == []
