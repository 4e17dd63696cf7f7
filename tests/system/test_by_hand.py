"""Releases by hand, with kubectl alone: each word is acted on at once, taken off, and told."""

import time
from collections.abc import Callable

import pytest

from delivery import names
from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.release import Release, released
from demo.waiting import always, eventually
from tests.system.canaries import (
    BAD,
    GOOD,
    PATIENT,
    SMALL,
    analysis,
    canary,
    managed,
    reaches,
    said,
)
from tests.system.kills import acting_agent
from tests.system.load import KEPT, Load, losses
from tests.system.node import Node

pytestmark = pytest.mark.settled

STANDING = canary(analysis=analysis(interval="1m", metrics=[]))
"""A release that stays at its first step."""
SOON = 2.0
UNDONE_SECONDS = 10.0


def says(place: Namespace, word: str, value: str = "=true") -> float:
    """Seconds until the agent has answered, and taken the annotation off unless it stands."""
    place.kubectl("annotate", "canary/shop", f"{names.PREFIX}{word}{value}")
    began = time.monotonic()
    if value == "=true" and word != "pause":
        eventually(f"{word} is off", lambda: not asked(place), timeout=10, pause=0.05)
    return time.monotonic() - began


def asked(place: Namespace) -> set[str]:
    """What is still asked of the Canary, or written down of who did."""
    annotations = place.read("Canary", "shop")["metadata"].get("annotations") or {}
    return annotations.keys() & {*names.BY_HAND, names.ASKED_BY}


def myself(place: Namespace) -> str:
    review = place.kubectl.json("auth", "whoami")
    return str(review["status"]["userInfo"]["username"])


def at_first_step(place: Namespace) -> Release:
    """The shop's next version has a fifth of its users, and stands there."""
    release = Release(place)
    place.kubectl.apply(GOOD.manifests())
    release.weighs(20)
    return release


def told(place: Namespace, kind: str, text: str) -> None:
    eventually(text, lambda: (kind, text) in said(place), timeout=5)


def test_a_release_is_aborted_tried_again_and_promoted_by_hand(
    namespace: Namespace, figure: Callable[[str], None]
) -> None:
    place = managed(namespace, STANDING)
    me, release = myself(place), at_first_step(place)
    seconds = [says(place, "abort")]
    assert reaches(place, "Failed", timeout=SOON)["canaryWeight"] == 0
    told(place, "Warning", f"Rolling back shop aborted by hand, asked by {me}")
    seconds.append(says(place, "retry"))
    reaches(place, "Progressing", timeout=SOON)
    told(place, "Normal", f"Retrying shop by hand, asked by {me}")
    release.weighs(20)
    seconds.append(says(place, "promote"))
    told(place, "Normal", f"Promoting shop by hand, asked by {me}")
    assert release.finished().outcome == "promoted"
    assert max(seconds) < SOON
    figure(f"by hand: abort, retry and promote were acted on within {max(seconds):.1f} s")


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_a_pause_holds_the_weight_and_a_bad_release_is_rolled_back_all_the_same(
    namespace: Namespace, load: Load
) -> None:
    place = managed(namespace, canary(analysis=analysis(stepWeights=[20, 40, 60])))
    load(place, *PATIENT)
    me, release = myself(place), Release(place)
    place.kubectl.apply(GOOD.manifests())
    release.weighs(20)
    says(place, "pause")
    told(place, "Normal", f"Pausing shop until outrider.dev/pause is taken off, asked by {me}")
    weight = place.status()["canaryWeight"]
    always("its weight", lambda: place.status()["canaryWeight"] == weight < 60, seconds=4)
    assert place.status()["verdicts"]
    says(place, "pause", "-")
    told(place, "Normal", f"shop is paused no more, asked by {me}")
    assert release.finished().outcome == "promoted"
    failing = Release(place)
    place.kubectl.apply(BAD.manifests())
    failing.weighs(20)
    says(place, "pause")
    assert failing.finished().outcome == "rolled back"


def test_what_cannot_be_done_or_is_not_known_is_answered_and_taken_off(
    namespace: Namespace,
) -> None:
    place = managed(namespace, STANDING)
    why = f"is not acted on, asked by {myself(place)}"
    for word in ("promote", "abort", "retry", "approve"):
        assert says(place, word) < SOON
        idle = "no release of shop is under way"
        told(place, "Warning", f"outrider.dev/{word} {why}: {idle}")
    says(place, "promote", "=now")
    told(place, "Warning", f'outrider.dev/promote {why}: "now" is unknown; use "true"')
    eventually("it is off", lambda: not asked(place), timeout=SOON)
    assert place.status()["phase"] == "Initialized"


def gate(kind: str) -> JSON:
    """One that nobody answers for."""
    return {"name": kind, "type": kind, "url": "http://nobody.test/"}


def goes_on(place: Namespace, phase: str) -> None:
    eventually("it goes on", lambda: place.status()["phase"] != phase, timeout=SOON)


@pytest.mark.soak
def test_gates_are_opened_by_hand(namespace: Namespace) -> None:
    gates = [gate("confirm-rollout"), gate("confirm-promotion")]
    steps = analysis(stepWeights=[20], metrics=[], webhooks=gates)
    place = managed(namespace, canary(analysis=steps))
    place.kubectl.apply(GOOD.manifests())
    for phase in ("Waiting", "WaitingPromotion"):
        reaches(place, phase)
        assert says(place, "approve") < SOON
        goes_on(place, phase)
    reaches(place, "Succeeded")
    approving = ("Normal", f"Approving shop by hand, asked by {myself(place)}")
    assert said(place).count(approving) == 2


def test_an_undo_in_mid_release_brings_users_back_at_once(
    namespace: Namespace, figure: Callable[[str], None]
) -> None:
    place = managed(namespace, STANDING)
    at_first_step(place)
    place.kubectl("rollout", "undo", "deployment/shop")
    began = time.monotonic()
    status = reaches(place, "Failed", timeout=SOON)
    figure(f"undo in mid-release: at weight 0 after {time.monotonic() - began:.1f} s")
    assert status["canaryWeight"] == 0
    told(place, "Warning", "Rolling back shop the promoted revision was applied again")
    eventually("it rests", lambda: place.status()["observedHash"] == status["promotedHash"])


@pytest.mark.usefixtures("hurried")
def test_an_undo_after_promotion_goes_straight_to_the_primary(
    namespace: Namespace, load: Load, figure: Callable[[str], None]
) -> None:
    shop = namespace
    opened(shop, SMALL.manifests())
    clients = load(shop, *PATIENT), load(shop, *KEPT, "--rate", "20")
    before = shop.status()["promotedHash"]
    assert released(shop, GOOD).outcome == "promoted"
    eventually("it rests", lambda: not shop.read("Deployment", "shop")["spec"]["replicas"])
    sets = {one["metadata"]["name"] for one in shop.list("ReplicaSet")}
    began = time.monotonic()
    shop.kubectl("rollout", "undo", "deployment/shop")
    status = eventually(
        "the former revision serves",
        lambda: shop.status()["promotedHash"] == before and shop.status(),
        timeout=30,
    )
    seconds = time.monotonic() - began
    figure(f"undo after promotion: everybody on the former version after {seconds:.1f} s")
    assert seconds < UNDONE_SECONDS
    assert status["phase"] == "Succeeded"
    assert {one["metadata"]["name"] for one in shop.list("ReplicaSet")} == sets
    undoing = "Undoing shop: back to the revision that was promoted before, no analysis"
    told(shop, "Normal", undoing)
    told(shop, "Normal", "Promotion completed! Canary analysis was skipped for shop")
    assert losses(*clients) == []
    # What was undone is judged when it comes back.
    release = Release(shop)
    shop.kubectl.apply(GOOD.manifests())
    assert release.weighs(25)["phase"] == "Progressing"


@pytest.mark.soak
def test_an_agent_that_dies_over_a_wish_leaves_it_done_just_once(
    namespace: Namespace, node: Node
) -> None:
    place = managed(namespace, STANDING, SMALL)
    at_first_step(place)
    place.kubectl("annotate", "canary/shop", f"{names.ABORT}=true")
    acting_agent(place, node)
    reaches(place, "Failed", timeout=40)
    eventually("it is off", lambda: not asked(place), timeout=40)
    aborts = [text for _, text in said(place) if "aborted by hand" in text]
    assert len(aborts) <= 1
    assert not [text for _, text in said(place) if "not acted on" in text]
