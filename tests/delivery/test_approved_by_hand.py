"""Gates that a person opens, or keeps closed for good, by an annotation on the Canary."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.alert import WARN, Route
from delivery.canary import Phase, Wish
from delivery.names import ABORT, APPROVE, PROMOTE
from tests.delivery.hooked import closed, heard, hook, released, until
from tests.delivery.turns import Agent

GATES = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion")
ROUTED: dict[str, Any] = {"analysis": {"alerts": (Route("all", "chat"),)}}


def waiting(gate: str, phase: Phase, **changes: Any) -> Agent:
    """At a gate whose receiver never opens it."""
    agent = until(released(hook(gate, **changes), answers=closed(gate), **ROUTED), phase)
    return agent.run(30)


def asks(agent: Agent, annotation: str) -> Agent:
    wish = Wish(annotation, "true", "jane", str(agent.world.now))
    agent.canary = replace(agent.canary, wishes=(wish,))
    return agent.run(2)


PHASES = {
    "confirm-rollout": Phase.WAITING,
    "confirm-traffic-increase": Phase.PROGRESSING,
    "confirm-promotion": Phase.WAITING_PROMOTION,
}
TEXTS = {
    "confirm-rollout": "Canary is waiting for approval.",
    "confirm-traffic-increase": "Canary traffic increase is waiting for approval.",
    "confirm-promotion": "Canary promotion is waiting for approval.",
}


@pytest.mark.parametrize("gate", ["confirm-rollout", "confirm-promotion"])
def test_an_approval_opens_the_gate_that_is_waited_for(gate: str) -> None:
    agent = asks(waiting(gate, PHASES[gate]), APPROVE)
    assert "Approving web by hand, asked by jane" in heard(agent)
    assert agent.canary.wishes == ()
    until(agent, Phase.SUCCEEDED)


def test_an_approval_is_for_one_step() -> None:
    agent = waiting("confirm-traffic-increase", Phase.PROGRESSING)
    for weight in (20, 40, 50):
        asks(agent, APPROVE).run(30)
        assert agent.canary.status.canary_weight == weight
    asks(agent, APPROVE)
    until(agent, Phase.SUCCEEDED)


@pytest.mark.parametrize("gate", GATES)
def test_what_waits_can_be_aborted(gate: str) -> None:
    agent = asks(waiting(gate, PHASES[gate]), ABORT)
    status = until(agent, Phase.FAILED).run(30).canary.status
    assert status.failed == status.observed == agent.world.revision("web")
    assert "Rolling back web aborted by hand, asked by jane" in heard(agent)


def test_a_promotion_by_hand_goes_past_the_gates() -> None:
    agent = asks(waiting("confirm-promotion", Phase.WAITING_PROMOTION), PROMOTE)
    until(agent, Phase.SUCCEEDED)


@pytest.mark.parametrize("gate", GATES)
def test_a_closed_gate_raises_one_alert_unless_it_is_muted(gate: str) -> None:
    alerts = waiting(gate, PHASES[gate]).canary.status.alerts
    found = [one for one in alerts if one.severity == WARN]
    assert [one.text for one in found] == [TEXTS[gate]]
    muted = waiting(gate, PHASES[gate], mute_alert=True).canary.status.alerts
    assert not [one for one in muted if one.severity == WARN]


def test_a_rollback_hook_raises_one_alert() -> None:
    agent = released(hook("rollback"), answers=lambda call: False, **ROUTED)
    until(agent, Phase.PROGRESSING).answers = lambda call: True
    until(agent, Phase.FAILED).run(30)
    found = [one.text for one in agent.canary.status.alerts if one.severity == WARN]
    assert found == ["Rolling back manual webhook invoked"]
