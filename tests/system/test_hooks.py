"""Hooks and gates against a real HTTP server, which also hangs, resets, redirects and refuses."""

import time
from collections.abc import Callable
from functools import partial

import pytest
import requests

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release, first_bad
from demo.waiting import always, eventually
from tests.system.canaries import (
    BAD,
    GOOD,
    PATIENT,
    SUCCESS,
    analysis,
    canary,
    events_of,
    managed,
    reaches,
    said,
)
from tests.system.hooks import Hooks
from tests.system.kills import acting_agent
from tests.system.load import Load
from tests.system.node import Node

pytestmark = pytest.mark.settled

GATES = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion")
OTHERS = ("pre-rollout", "rollout", "post-rollout", "rollback", "post-rollback", "event")
SOON = 20.0
"""Seconds in which a poll and a turn are over, on a busy machine."""
STEPS: JSON = {"stepWeights": [50], "metrics": []}


@pytest.fixture
def hooks(plain_namespace: Namespace) -> Hooks:
    found = Hooks(plain_namespace)
    found.install()
    return found


def tells(place: Namespace, kind: str, text: str) -> None:
    eventually(text, lambda: (kind, text) in said(place), timeout=20)


def waits(place: Namespace, hooks: Hooks, gate: str, phase: str) -> None:
    """A closed gate holds the release in this phase, is asked again and again, and told once."""
    reaches(place, phase)
    begun = len(hooks.called(gate))
    hooks.called(gate, begun + 2)
    texts = [text for _, text in said(place)]
    assert sum("waiting for" in text and text.endswith(gate) for text in texts) == 1
    assert place.status()["phase"] == phase
    hooks.answer(gate, "200")


PASSED = [
    ("Warning", "Halt shop advancement waiting for approval confirm-rollout"),
    ("Normal", "Rollback hook rollback not signaling a rollback"),
    ("Normal", "Confirm-rollout check confirm-rollout passed"),
    ("Normal", "New revision detected! Scaling up shop"),
    ("Normal", "Starting canary analysis for shop"),
    ("Normal", "Pre-rollout check pre-rollout passed"),
    (
        "Warning",
        "Halt shop advancement waiting for traffic increase approval confirm-traffic-increase",
    ),
    ("Normal", "Confirm-traffic-increase check confirm-traffic-increase passed"),
    ("Normal", "Advance shop canary weight 50"),
    ("Normal", "Confirm-traffic-increase check confirm-traffic-increase passed"),
    ("Normal", "Confirm-promotion check confirm-promotion passed"),
    ("Normal", "Copying shop template spec to shop-primary"),
    ("Normal", "Routing all traffic to primary"),
    ("Normal", "Promotion completed! Scaling down shop"),
    ("Normal", "Post-rollout check post-rollout passed"),
]


def without_waits(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [one for one in told if "promotion approval" not in one[1]]


def test_every_type_is_called_in_its_phase_and_closed_gates_hold(
    namespace: Namespace, hooks: Hooks
) -> None:
    for name in (*GATES, "rollback"):
        hooks.answer(name, "403")
    hooks.answer("pre-rollout", "204")
    templated = {"weight": "{{ canaryWeight }}", "host": "{{ target }}.{{ namespace }}"}
    written = [
        *map(hooks.hook, (*GATES, *OTHERS[:1], *OTHERS[2:])),
        hooks.hook("rollout", metadata=templated),
    ]
    place = managed(namespace, canary(analysis=analysis(**STEPS, webhooks=written)))
    namespace.kubectl.apply(GOOD.manifests())
    waits(place, hooks, "confirm-rollout", "Waiting")
    assert place.read("Deployment", "shop")["spec"]["replicas"] == 0
    waits(place, hooks, "confirm-traffic-increase", "Progressing")
    waits(place, hooks, "confirm-promotion", "WaitingPromotion")
    status = reaches(place, "Succeeded")
    tells(place, *PASSED[-1])
    assert without_waits(said(place))[1:] == PASSED
    payloads_are_flaggers(place, hooks, status["promotedHash"])
    recorded = [one["message"] for one in events_of(place, "Canary", "shop")]
    called = hooks.called("event", len(recorded))
    assert [one["payload"]["metadata"]["eventMessage"] for one in called] == recorded


def payloads_are_flaggers(place: Namespace, hooks: Hooks, revision: str) -> None:
    assert hooks.calls("rollout")[0]["payload"] == {
        "name": "shop",
        "namespace": place.name,
        "phase": "Progressing",
        "checksum": revision,
        "metadata": {"weight": "50", "host": f"shop.{place.name}"},
    }
    asked = hooks.calls("confirm-rollout")
    assert {one["payload"]["checksum"] for one in asked} == {revision}
    (last,) = hooks.calls("post-rollout")
    assert last["payload"]["phase"] == "Succeeded"
    assert last["headers"]["content-type"] == "application/json"
    assert hooks.calls("post-rollback") == []
    phases = {one["payload"]["phase"] for one in hooks.calls("rollback")}
    assert phases >= {"Waiting", "Progressing", "WaitingPromotion"}


def test_a_rollback_hook_ends_a_release_within_seconds_and_its_end_is_told(
    namespace: Namespace, hooks: Hooks, figure: Callable[[str], None]
) -> None:
    hooks.answer("rollback", "403")
    hooks.answer("confirm-promotion", "403")
    kinds = ("rollback", "confirm-promotion", "post-rollout", "post-rollback")
    steps = analysis(**STEPS, webhooks=[*map(hooks.hook, kinds)])
    place = managed(namespace, canary(analysis=steps))
    namespace.kubectl.apply(GOOD.manifests())
    reaches(place, "WaitingPromotion")
    hooks.answer("rollback", "200")
    began = time.monotonic()
    reaches(place, "Failed", timeout=SOON)
    figure(f"a rollback hook was acted on in {time.monotonic() - began:.1f} s")
    assert place.status()["canaryWeight"] == 0
    tells(place, "Warning", "Rolling back shop manual webhook invoked")
    for kind in ("post-rollout", "post-rollback"):
        tells(place, "Normal", f"{kind.capitalize()} check {kind} passed")
        (call,) = hooks.calls(kind)
        assert call["payload"]["phase"] == "Failed"
        assert call["payload"]["checksum"] == place.status()["failedHash"]


FAILURES = {
    "500": "status 500: said 500",
    "403": "status 403: said 403",
    "302": "status 302: redirects are not followed; set url to /elsewhere?***",
    "reset": "request failed: ",
    "hang": "request failed: no answer within 1 s",
}


def is_said(place: Namespace, beginning: str) -> bool:
    return any(text.startswith(beginning) for _, text in said(place))


def test_what_hangs_resets_redirects_and_refuses_fails_its_check_and_says_why(
    namespace: Namespace, hooks: Hooks
) -> None:
    check = hooks.hook("rollout", timeout="1s")
    check["url"] += "?token=s3cret"
    steps = analysis(**{**STEPS, "threshold": 50}, webhooks=[check])
    place = managed(namespace, canary(analysis=steps))
    hooks.answer("rollout", "500")
    release = Release(place)
    namespace.kubectl.apply(GOOD.manifests())
    for word, why in FAILURES.items():
        hooks.answer("rollout", word)
        text = f"Halt shop advancement external check rollout failed {why}"
        eventually(word, partial(is_said, place, text), timeout=20)
    assert hooks.calls("elsewhere") == []
    assert place.status()["canaryWeight"] == 50
    hooks.answer("rollout", "204")
    assert release.finished().outcome == "promoted"
    assert not any("s3cret" in text for _, text in said(place))
    assert "s3cret" not in str(place.status())
    assert {one["query"] for one in hooks.calls("rollout")} == {"token=s3cret"}


def test_a_hook_that_hangs_delays_no_rollback_by_the_guard(
    namespace: Namespace, hooks: Hooks, load: Load, figure: Callable[[str], None]
) -> None:
    for name in ("rollout", "rollback", "event", "post-rollback"):
        hooks.answer(name, "hang")
    kinds = ("rollout", "rollback", "event", "post-rollback")
    steps = analysis(
        stepWeights=[50],
        guard={},
        metrics=[SUCCESS],
        webhooks=[hooks.hook(kind, timeout="60s", retries=5) for kind in kinds],
    )
    place = managed(namespace, canary(analysis=steps))
    client = load(namespace, "--rate", "50", "--keep-alive", "0")
    release = Release(place)
    namespace.kubectl.apply(BAD.manifests())
    assert release.finished().outcome == "rolled back"
    assert "canary requests failed" in place.status()["message"]
    assert [one["hook"] for one in place.status()["owedHooks"]] == ["post-rollback"]
    seconds = release.ended - (first_bad(client.stop(), BAD.version) or 0)
    figure(f"with every hook hanging the guard rolled back in {seconds:.1f} s")
    assert seconds < 15.0


def turn_bad(place: Namespace) -> None:
    """The canary's pods, from now on."""
    for pod in place.list("Pod", "outrider.dev/role=canary"):
        url = f"http://{pod['status']['podIP']}:8080/settings?error_rate=1"
        requests.put(url, timeout=5).raise_for_status()


@pytest.mark.soak
def test_what_turns_bad_while_a_gate_is_closed_is_rolled_back(
    namespace: Namespace, hooks: Hooks, load: Load
) -> None:
    hooks.answer("confirm-promotion", "403")
    gate = hooks.hook("confirm-promotion")
    place = managed(namespace, canary(analysis=analysis(stepWeights=[50], webhooks=[gate])))
    load(namespace, *PATIENT)
    namespace.kubectl.apply(GOOD.manifests())
    reaches(place, "WaitingPromotion")
    always("it waits", lambda: place.status()["phase"] == "WaitingPromotion", seconds=4)
    turn_bad(place)
    assert reaches(place, "Failed", timeout=20)["canaryWeight"] == 0


@pytest.mark.soak
@pytest.mark.usefixtures("node")
def test_a_call_whose_agent_dies_is_made_again_and_recognised(
    namespace: Namespace, hooks: Hooks, node: Node
) -> None:
    hooks.answer("pre-rollout", "hang")
    check = hooks.hook("pre-rollout", timeout="60s")
    place = managed(namespace, canary(analysis=analysis(**STEPS, webhooks=[check])))
    release = Release(place)
    namespace.kubectl.apply(GOOD.manifests())
    (first,) = hooks.called("pre-rollout")
    hooks.answer("pre-rollout", "200")
    acting_agent(place, node)
    assert release.finished().outcome == "promoted"
    second = hooks.calls("pre-rollout")[-1]
    assert second["at"] > first["at"]
    assert second["payload"] == first["payload"]
    assert second["headers"]["idempotency-key"] == first["headers"]["idempotency-key"]
