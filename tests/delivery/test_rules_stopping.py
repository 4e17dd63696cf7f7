"""A stop takes every pod away, sets a release aside, and gives all of it back."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import apex
from delivery.canary import Phase, Status
from delivery.names import STOP
from delivery.rules import stopping
from tests.delivery.scenes import (
    FINALISING,
    IDLE,
    JUDGED,
    NOW,
    PROMOTING,
    REFUSED,
    canary,
    decided,
    half,
    releasing,
    seen,
    silent,
    stepped,
    texts,
)
from tests.delivery.turns import Agent

STOPPED = replace(IDLE, stopped=True)
DOWN = seen(primary=half("v1", 0))


@pytest.mark.parametrize("phase", Phase)
def test_only_an_app_that_is_ours_is_stopped(phase: Phase) -> None:
    status = replace(IDLE, phase=phase)
    taken = stopping.stop_is_taken(canary(status, stop=True)).status.stopped
    entering_or_leaving = {"", "Initializing", "Terminating", "Terminated"}
    assert taken is (phase not in entering_or_leaving)
    assert not stopping.stop_is_taken(canary(status)).status.stopped


@pytest.mark.parametrize("status", [JUDGED, PROMOTING])
def test_a_release_is_set_aside_and_not_refused(status: Status) -> None:
    found = stepped(replace(status, failed="v0"), releasing(), stop=True)
    text = f"Stopping web.shop, its release begins anew after {STOP}"
    assert texts(found) == [("Warning", text)]
    after = found.canary.status
    assert (after.phase, after.canary_weight, after.scale) == (Phase.FAILED, 0, 0)
    assert (after.observed, after.promoted, after.failed) == ("v1", "v1", "v0")


def test_a_release_that_has_passed_is_ended_first() -> None:
    found = stepped(FINALISING, releasing(primary=half("v2", 0, ready_pods=0)), stop=True)
    after = found.canary.status
    assert (after.phase, after.promoted, after.stopped) == (Phase.SUCCEEDED, "v2", True)


@pytest.mark.parametrize(
    "status", [replace(REFUSED, canary_weight=50), replace(REFUSED, scale=2), REFUSED]
)
def test_what_is_left_of_a_canary_goes_at_once(status: Status) -> None:
    look = releasing(drained=False, primary=half("v2", 0, ready_pods=0))
    after = stepped(status, look, stop=True).canary.status
    assert (after.phase, after.canary_weight, after.scale) == (Phase.FAILED, 0, 0)


def test_a_stopped_app_rests_whatever_is_applied() -> None:
    first = stepped(IDLE, seen("v2", primary=half("v1", 0)), stop=True)
    assert texts(first) == [("Normal", f"web.shop is stopped by {STOP}")]
    again = stepped(first.canary.status, seen("v2", primary=half("v1", 0)), stop=True)
    assert (again.canary.status, again.messages) == (first.canary.status, ())


def told(agent: Agent, *, stop: bool, suspend: bool = False) -> Agent:
    agent.canary = replace(agent.canary, stop=stop, suspend=suspend)
    return agent


def sizes(agent: Agent) -> tuple[int, int, int]:
    """Of the primary, of the target, and how many pods there are."""
    found = agent.world.deployments
    halves = (found[name]["spec"]["replicas"] for name in ("web-primary", "web"))
    return (*halves, len(agent.world.pods))


@pytest.mark.many
@pytest.mark.parametrize("seconds", [0, 8, 14, 30])
@pytest.mark.parametrize("suspend", [False, True])
def test_at_any_moment_of_a_release_no_pod_is_left_and_what_leads_to_them_stays(
    seconds: int, suspend: bool
) -> None:
    agent = Agent().run(15)
    agent.world.apply("good:2")
    told(agent.run(seconds), stop=True, suspend=suspend).run(35)
    assert sizes(agent) == (0, 0, 0)
    assert apex.leads_to_routers(agent.world.services["web"])
    told(agent, stop=False).run(70)
    assert sizes(agent) == (3, 0, 3)
    assert agent.canary.status.promoted == agent.world.revision("web")


@pytest.mark.parametrize(
    "primary",
    [
        None,
        half("v1", 0),
        half("v1", 3, ready_pods=1, waiting="1 of 3"),
        half("v1", 2),
    ],
)
def test_nothing_begins_before_the_primary_is_back(primary: Any) -> None:
    found = decided(stopping.stopped_app_rests, STOPPED, seen("v2", primary=primary))
    assert texts(found) == [("Normal", "app-primary starts again")]
    assert found.canary.status.stopped


@pytest.mark.parametrize(
    "primary", [half("v1"), half("v1", failing="pod x", ready_pods=0), half("v1", stuck="over")]
)
def test_a_primary_that_is_back_or_broken_ends_the_stop(primary: Any) -> None:
    found = decided(stopping.stopped_app_rests, STOPPED, seen("v2", primary=primary))
    assert texts(found) == [("Normal", "web.shop runs again")]
    assert not found.canary.status.stopped
    after = stepped(found.canary.status, seen("v2")).canary.status
    assert (after.phase, after.observed) == (Phase.PROGRESSING, "v2")


def test_an_app_that_was_never_stopped_is_not_spoken_of() -> None:
    assert silent(stopping.stopped_app_rests, IDLE, seen())
    assert silent(stopping.stop_takes_the_canary_away, JUDGED, releasing())


def test_who_leaves_is_given_back_running() -> None:
    after = stepped(STOPPED, replace(DOWN, leaving="unlabelled"), stop=True).canary.status
    assert (after.phase, after.stopped, after.scale) == (Phase.TERMINATING, False, 3)
    assert after.phase_since == NOW
