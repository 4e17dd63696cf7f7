"""Whole releases at gates: nothing hurries past one, nothing hangs at one, and no Event floods."""

import pytest

from delivery.canary import Phase
from delivery.matching import Match
from delivery.names import APPROVE
from delivery.observation import Observation
from delivery.rules import gates
from tests.delivery.hooked import (
    Noting,
    agrees,
    closed,
    heard,
    hook,
    released,
    says,
    turns,
    until,
)
from tests.delivery.scenes import IDLE, NOW, canary
from tests.delivery.turns import Agent


def phases(agent: Agent, seconds: int) -> list[str]:
    seen = [agent.canary.status.phase.value]
    for _ in range(seconds):
        phase = agent.run(1).canary.status.phase.value
        seen += [phase] if phase != seen[-1] else []
    return seen


def test_a_closed_gate_before_the_rollout_starts_no_pod_and_is_told_once() -> None:
    gate, answers = hook("confirm-rollout"), {"open": False}
    agent = released(gate, answers=lambda call: answers["open"])
    until(agent, Phase.WAITING).run(60)
    assert heard(agent) == ["Halt web advancement waiting for approval confirm-rollout"]
    assert (agent.canary.status.scale, agent.canary.status.promoted) == (
        0,
        agent.canary.status.observed,
    )
    answers["open"] = True
    assert phases(agent, 60) == [
        "Waiting",
        "Progressing",
        "Promoting",
        "Finalising",
        "Succeeded",
    ]


def test_a_rollback_hook_that_was_heard_while_a_gate_was_closed_is_not_told_again() -> None:
    hooks = (hook("confirm-rollout"), hook("rollback"))
    agent = until(released(*hooks, answers=closed("confirm-rollout")), Phase.WAITING).run(5)
    agent.answers = agrees
    until(agent, Phase.SUCCEEDED)
    assert heard(agent).count("Rollback hook rollback not signaling a rollback") == 1


def test_what_waits_can_be_withdrawn() -> None:
    agent = until(
        released(hook("confirm-rollout"), answers=closed("confirm-rollout")), Phase.WAITING
    )
    agent.world.apply("good:1")
    until(agent, Phase.INITIALIZED).run(5)
    assert agent.canary.status.observed == agent.canary.status.promoted
    assert heard(agent)[-1] == "web no longer waits, its new revision was withdrawn"


def test_back_at_what_was_refused_it_is_refused_still() -> None:
    agent = until(released(hook("confirm-rollout"), kind="bad"), Phase.FAILED).run(40)
    agent.answers = closed("confirm-rollout")
    agent.world.apply("good:3")
    until(agent, Phase.WAITING)
    agent.world.apply("bad:2")
    until(agent, Phase.FAILED).run(30)
    assert agent.canary.status.failed == agent.canary.status.observed


def test_another_revision_that_waits_is_told_again() -> None:
    agent = until(
        released(hook("confirm-rollout"), answers=closed("confirm-rollout")), Phase.WAITING
    )
    agent.world.apply("good:3")
    agent.run(10)
    assert heard(agent) == 2 * ["Halt web advancement waiting for approval confirm-rollout"]


@pytest.mark.parametrize(
    ("gate", "phase", "weight", "text"),
    [
        ("confirm-traffic-increase", Phase.PROGRESSING, 0, "traffic increase approval"),
        ("confirm-promotion", Phase.WAITING_PROMOTION, 50, "promotion approval"),
    ],
)
def test_trap_a_waiting_gate_floods_nobody_and_lets_go_when_it_opens(
    gate: str, phase: Phase, weight: int, text: str
) -> None:
    agent = released(hook(gate), answers=closed(gate))
    agent.run(200)
    status = agent.canary.status
    assert (status.phase, status.canary_weight) == (phase, weight)
    assert heard(agent).count(f"Halt web advancement waiting for {text} {gate}") == 1
    agent.answers = agrees
    until(agent, Phase.SUCCEEDED)


@pytest.mark.parametrize("kind", ["bad", "slow"])
def test_trap_a_canary_that_fails_while_a_gate_is_closed_is_rolled_back(kind: str) -> None:
    agent = released(hook("confirm-promotion"), answers=closed("confirm-promotion"))
    until(agent, Phase.WAITING_PROMOTION).run(60)
    turns(agent, kind)
    until(agent, Phase.FAILED, seconds=30)
    assert agent.canary.status.canary_weight == 0


def test_trap_an_open_gate_is_acted_on_at_once_and_not_an_interval_later() -> None:
    slow = {"interval": 60.0}
    agent = released(hook("confirm-promotion"), answers=closed("confirm-promotion"), analysis=slow)
    until(agent, Phase.WAITING_PROMOTION, seconds=400).run(63)
    agent.answers = agrees
    assert agent.run(3).canary.status.phase is Phase.PROMOTING


def test_a_gate_that_opens_does_not_let_pass_what_fails_at_that_moment() -> None:
    agent = released(
        hook("confirm-promotion"),
        answers=closed("confirm-promotion"),
        analysis={"interval": 60.0, "threshold": 9},
    )
    until(agent, Phase.WAITING_PROMOTION, seconds=400).run(5)
    turns(agent, "bad")
    agent.run(10).answers = agrees
    assert agent.run(20).canary.status.phase is Phase.WAITING_PROMOTION


def test_trap_a_pod_that_restarts_after_hours_at_a_gate_has_its_time() -> None:
    agent = released(hook("confirm-traffic-increase"), answers=closed("confirm-traffic-increase"))
    agent.run(300)
    for pod in agent.world.pods:
        pod.flapping = 5
    assert agent.run(10).canary.status.phase is Phase.PROGRESSING


def test_trap_what_is_applied_while_a_gate_is_closed_is_judged_and_not_promoted() -> None:
    agent = released(hook("confirm-promotion"), answers=closed("confirm-promotion"))
    until(agent, Phase.WAITING_PROMOTION).run(10)
    judged = agent.canary.status.observed
    agent.answers = agrees
    agent.run(1)  # the gate is open, and its answer is on its way
    agent.world.apply("good:3")
    status = agent.run(1).canary.status
    assert status.phase is Phase.PROGRESSING
    assert status.observed not in (judged, status.promoted)


def test_trap_a_gate_that_never_opens_ends_with_the_time_that_there_is() -> None:
    short = {"max_duration": 60.0}
    agent = released(hook("confirm-promotion"), answers=closed("confirm-promotion"), analysis=short)
    assert until(agent, Phase.FAILED, seconds=70).canary.status.canary_weight == 0


def test_each_weight_wants_an_approval() -> None:
    noting = Noting()
    until(released(hook("confirm-traffic-increase"), answers=noting), Phase.SUCCEEDED)
    weights = [call.about.rpartition("/")[2] for call in noting.calls]
    assert list(dict.fromkeys(weights)) == ["0", "20", "40", "50"]


def test_blue_green_asks_for_promotion_before_users_are_switched_and_again_behind_it() -> None:
    kinds = ("confirm-traffic-increase", "confirm-promotion")
    noting = Noting(closed("confirm-promotion"))
    agent = released(
        *map(hook, kinds), answers=noting, analysis={"iterations": 2, "step_weight": 0}
    )
    assert until(agent, Phase.WAITING_PROMOTION).run(20).canary.status.canary_weight == 0
    noting.answers = agrees
    until(agent, Phase.SUCCEEDED)
    said = heard(agent)
    passed = "Confirm-promotion check confirm-promotion passed"
    assert said[said.index(passed) + 1] == "Routing all traffic to canary"
    assert said.count(passed) == 2
    assert set(noting.names) == {"confirm-promotion"}


def test_an_ab_test_asks_for_promotion_once_and_for_no_weight() -> None:
    noting = Noting(agrees)
    tried = {"iterations": 2, "step_weight": 0, "match": (Match(),)}
    kinds = ("confirm-traffic-increase", "confirm-promotion")
    agent = until(released(*map(hook, kinds), answers=noting, analysis=tried), Phase.SUCCEEDED)
    assert heard(agent).count("Confirm-promotion check confirm-promotion passed") == 1
    assert set(noting.names) == {"confirm-promotion"}


def test_a_gate_is_asked_only_when_all_else_has_passed() -> None:
    noting = Noting()
    gate = hook("confirm-traffic-increase")
    until(released(gate, kind="bad", answers=noting), Phase.FAILED)
    assert len(noting.calls) == 1  # before the first step


def test_trap_a_silent_release_is_not_promoted_past_a_gate() -> None:
    silent = {"no_traffic": "promote", "no_traffic_after": 20.0}
    agent = released(
        hook("confirm-promotion"), answers=closed("confirm-promotion"), analysis=silent
    )
    agent.world.clients = False
    agent.run(120)
    assert agent.canary.status.phase is Phase.WAITING_PROMOTION
    assert len(heard(agent)) < 8
    agent.answers = agrees
    agent.run(3)
    assert agent.canary.status.phase in (Phase.PROMOTING, Phase.FINALISING)


@pytest.mark.parametrize(
    ("gate", "phase"),
    [
        ("confirm-rollout", Phase.WAITING),
        ("confirm-traffic-increase", Phase.PROGRESSING),
        ("confirm-promotion", Phase.WAITING_PROMOTION),
    ],
)
def test_a_closed_gate_can_be_approved_by_hand_for_this_once(gate: str, phase: Phase) -> None:
    slow = {"interval": 60.0}
    agent = until(released(hook(gate), answers=closed(gate), analysis=slow), phase, 300).run(8)
    status = agent.canary.status
    says(agent, APPROVE)
    assert heard(agent)[-1] == "Approving web by hand, asked by jane"
    agent.run(2)
    after = agent.canary.status
    assert (after.phase, after.canary_weight) != (status.phase, status.canary_weight)
    assert after.hooks[gate].outcome == "passed" or phase is Phase.WAITING


def test_without_an_app_nobody_is_asked() -> None:
    found = canary(IDLE, analysis={"hooks": (hook("confirm-rollout"),)})
    assert gates.rollout_gate_waits(found, Observation(NOW)) is None
