"""Whole releases with hooks: who is asked when, what is said, and what is kept for whom."""

from dataclasses import replace

import pytest

from delivery.canary import ANALYSING, Phase
from delivery.hook import Call
from tests.delivery.hooked import ALL, Noting, adopted, agrees, closed, heard, hook, released, until
from tests.delivery.turns import Agent


def test_the_order_of_events_is_flaggers() -> None:
    agent = released(*map(hook, ALL), answers=agrees)
    assert heard(until(agent, Phase.SUCCEEDED).run(3)) == [
        "Confirm-rollout check confirm-rollout passed",
        "New revision detected! Scaling up web",
        "Rollback hook rollback not signaling a rollback",
        "Starting canary analysis for web",
        "Pre-rollout check pre-rollout passed",
        "Confirm-traffic-increase check confirm-traffic-increase passed",
        "Advance web canary weight 20",
        "Confirm-traffic-increase check confirm-traffic-increase passed",
        "Advance web canary weight 40",
        "Confirm-traffic-increase check confirm-traffic-increase passed",
        "Advance web canary weight 50",
        "Confirm-traffic-increase check confirm-traffic-increase passed",
        "Confirm-promotion check confirm-promotion passed",
        "Copying web template spec to web-primary.shop",
        "Routing all traffic to primary",
        "Promotion completed! Scaling down web",
        "Post-rollout check post-rollout passed",
    ]


def test_each_type_is_asked_in_its_phases_alone() -> None:
    noting = Noting(agrees)
    until(released(*map(hook, ALL), answers=noting), Phase.SUCCEEDED).run(3)
    asked: dict[str, set[str]] = {}
    for call in noting.calls:
        asked.setdefault(call.hook.type.value, set()).add(call.phase)
    assert asked == {
        "confirm-rollout": {"Initialized"},
        "pre-rollout": {"Progressing"},
        "rollout": {"Progressing"},
        "confirm-traffic-increase": {"Progressing"},
        "confirm-promotion": {"Progressing"},
        "post-rollout": {"Succeeded"},
        "rollback": {"Progressing", "Promoting", "Finalising"},
    }


@pytest.mark.parametrize(
    "phase", [*sorted(ANALYSING), Phase.WAITING, Phase.PROMOTING, Phase.FINALISING]
)
def test_trap_a_rollback_hook_is_heard_in_every_phase_of_a_release(phase: Phase) -> None:
    gates = {Phase.WAITING: "confirm-rollout", Phase.WAITING_PROMOTION: "confirm-promotion"}
    gate = gates.get(phase, "")
    hooks = (hook("rollback"), hook("confirm-rollout"), hook("confirm-promotion"))
    agent = until(released(*hooks, answers=closed(gate)), phase)
    before = agent.world.lost
    agent.answers = lambda call: call.hook.name != gate
    agent.run(2)
    refused = agent.canary.status.failed
    assert agent.canary.status.phase is Phase.FAILED
    assert refused == agent.canary.status.observed != agent.canary.status.promoted
    assert heard(agent)[-3:] == [
        "Rollback check rollback passed",
        "Rolling back web manual webhook invoked",
        "Canary failed! Scaling down web",
    ]
    agent.answers = agrees
    agent.run(60)
    assert agent.canary.status.phase is Phase.FAILED
    assert (agent.canary.status.scale, agent.canary.status.canary_weight) == (0, 0)
    assert agent.world.revision("web-primary") == agent.canary.status.promoted
    assert agent.world.lost == before


def test_trap_a_rollback_hook_is_heard_while_the_canary_is_not_ready() -> None:
    agent = released(hook("rollback"), kind="stuck", answers=lambda call: True)
    assert until(agent, Phase.FAILED, seconds=4).canary.status.canary_weight == 0


def test_a_rollback_hook_that_stays_open_ends_one_release_after_the_other() -> None:
    agent = until(released(hook("rollback")), Phase.FAILED).run(5)
    agent.world.apply("good:3")
    assert until(agent.run(2), Phase.FAILED).canary.status.failed == agent.world.revision("web")


def test_trap_a_new_release_starts_with_nothing_of_the_one_before() -> None:
    agent = until(released(hook("pre-rollout"), kind="bad"), Phase.FAILED).run(30)
    assert agent.canary.status.hooks["pre-rollout"].outcome == "passed"
    agent.said.clear()
    agent.world.apply("good:3")
    until(agent.run(2), Phase.SUCCEEDED)
    assert "Pre-rollout check pre-rollout passed" in heard(agent)


def test_a_pre_rollout_check_that_fails_counts_and_no_request_reaches_the_canary() -> None:
    weights: set[int] = set()
    agent = released(hook("pre-rollout"), answers=closed("pre-rollout"))
    while agent.canary.status.phase is not Phase.FAILED:
        weights.add(agent.run(1).canary.status.canary_weight)
    assert weights == {0}
    assert heard(agent) == [
        "New revision detected! Scaling up web",
        "Starting canary analysis for web",
        "Halt web advancement pre-rollout check pre-rollout failed ",
        "Halt web advancement pre-rollout check pre-rollout failed ",
        "Rolling back web failed checks threshold reached 2",
        "Canary failed! Scaling down web",
    ]


def test_a_pre_rollout_check_is_tried_again_an_interval_later() -> None:
    asked: list[float] = []

    def passes_then(call: Call) -> bool:
        asked.append(agent.world.now)
        return len(asked) > 1

    agent = released(hook("pre-rollout"), answers=passes_then)
    until(agent, Phase.SUCCEEDED)
    assert len(asked) == 2
    assert 5.0 <= asked[1] - asked[0] <= 8.0


def test_checks_before_the_rollout_are_made_one_after_another() -> None:
    noting = Noting()
    hooks = (hook("pre-rollout", "first"), hook("pre-rollout", "second"))
    until(released(*hooks, answers=noting), Phase.SUCCEEDED)
    assert noting.names == ["first", "second"]


def test_a_rollout_hook_that_fails_counts_as_a_failed_check() -> None:
    agent = released(hook("rollout"), answers=closed("rollout"))
    until(agent, Phase.FAILED)
    assert heard(agent)[2:] == [
        "Advance web canary weight 20",
        "Halt web advancement external check rollout failed ",
        "Halt web advancement external check rollout failed ",
        "Rolling back web failed checks threshold reached 2",
        "Canary failed! Scaling down web",
    ]


def test_behind_a_rollout_hook_that_fails_the_others_are_not_called() -> None:
    noting = Noting(closed("first"))
    hooks = (hook("rollout", "first"), hook("rollout", "second"))
    until(released(*hooks, answers=noting), Phase.FAILED)
    assert set(noting.names) == {"first"}


def test_without_requests_a_rollout_hook_is_called_all_the_same() -> None:
    """It may be what sends them."""
    agent = released(hook("rollout"))
    agent.world.clients = False
    agent.run(20)

    def sends(call: Call) -> bool:
        agent.world.clients = True
        return True

    agent.answers = sends
    until(agent, Phase.SUCCEEDED)


def test_skipped_analysis_asks_only_whether_to_begin_and_tells_the_end() -> None:
    agent = released(*map(hook, ALL), answers=agrees, skip_analysis=True)
    until(agent, Phase.SUCCEEDED).run(3)
    assert [text for text in heard(agent) if "check" in text] == [
        "Confirm-rollout check confirm-rollout passed",
        "Post-rollout check post-rollout passed",
    ]


@pytest.mark.parametrize("kind", ["bad", "crashing", "stuck"])
def test_trap_every_rollback_is_told_to_hooks_whatever_brought_it(kind: str) -> None:
    agent = released(hook("post-rollout"), hook("post-rollback"), kind=kind)
    until(agent, Phase.FAILED).run(3)
    assert heard(agent)[-2:] == [
        "Post-rollout check post-rollout passed",
        "Post-rollback check post-rollback passed",
    ]
    assert agent.canary.status.owed == ()


def test_trap_a_failed_promotion_is_told_too() -> None:
    agent = released(hook("post-rollback"))
    while agent.run(1).canary.status.canary_weight < 50:
        pass
    agent.world.room = False
    assert "Post-rollback check post-rollback passed" in heard(until(agent, Phase.FAILED).run(3))


def test_behind_an_ending_hook_that_fails_those_of_its_type_are_not_called() -> None:
    hooks = (hook("post-rollout", "first"), hook("post-rollout", "second"), hook("post-rollback"))
    agent = released(*hooks, kind="bad", answers=closed("first"))
    until(agent, Phase.FAILED).run(5)
    assert heard(agent)[-2:] == [
        "Post-rollout hook first failed ",
        "Post-rollback check post-rollback passed",
    ]
    assert agent.canary.status.owed == ()


def test_a_gate_that_is_taken_out_holds_nothing() -> None:
    agent = released(hook("confirm-promotion"), answers=closed("confirm-promotion"))
    until(agent, Phase.WAITING_PROMOTION)
    bare = replace(agent.canary.analysis, hooks=())
    agent.canary = replace(agent.canary, analysis=bare)
    until(agent, Phase.SUCCEEDED, seconds=30)


def test_what_is_owed_outlives_an_agent_and_the_next_release() -> None:
    noting = Noting()
    agent = until(released(hook("post-rollout"), kind="bad"), Phase.FAILED)
    assert [one.hook for one in agent.canary.status.owed] == ["post-rollout"]
    refused = agent.canary.status.failed
    agent.world.apply("good:3")
    # Whoever takes over knows the status alone.
    successor = Agent(agent.world, agent.canary, agent.stored, answers=noting)
    until(successor.run(3), Phase.SUCCEEDED).run(2)
    assert list(dict.fromkeys((call.phase, call.checksum) for call in noting.calls)) == [
        ("Failed", refused),
        ("Succeeded", successor.canary.status.promoted),
    ]


def test_a_hook_that_is_taken_out_is_owed_nothing() -> None:
    agent = until(released(hook("post-rollout"), kind="bad"), Phase.FAILED)
    agent.canary = replace(agent.canary, analysis=replace(agent.canary.analysis, hooks=()))
    assert agent.run(1).canary.status.owed == ()


def test_a_suspended_canary_asks_nobody() -> None:
    agent = until(released(hook("rollback"), answers=agrees), Phase.PROGRESSING)
    agent.canary = replace(agent.canary, suspend=True)
    agent.answers = noting = Noting()
    agent.run(10)
    assert noting.calls == []


def test_a_stopped_app_asks_for_no_approval() -> None:
    agent = adopted(hook("confirm-rollout"))
    agent.answers = noting = Noting()
    agent.canary = replace(agent.canary, stop=True)
    agent.run(5).world.apply("good:2")
    agent.run(10)
    assert noting.calls == []
