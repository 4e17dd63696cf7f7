"""Whatever hooks answer, and when: users are served, gates hold, and every release ends."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary import Phase
from delivery.hook import Call
from tests.delivery.answers import answered
from tests.delivery.histories import Event, calmed, histories, lived, rested, watched
from tests.delivery.hooked import ALL, agrees, hook, released, until
from tests.delivery.turns import Agent
from tests.examples import costly

HOOKS = tuple(map(hook, ALL))
HOLDS_SECONDS = 4


def moody(agent: Agent, seed: int) -> None:
    """Each hook answers as it likes, and thinks again every few seconds."""

    def answer(call: Call) -> bool:
        mood = f"{seed} {call.hook.name} {agent.world.now // HOLDS_SECONDS}"
        return Random(mood).random() < (0.03 if call.hook.type == "rollback" else 0.7)

    agent.answers = answer


@costly(3)
@given(st.integers(0, 10**6), histories)
def test_whatever_hooks_answer_the_rules_hold_and_all_comes_to_rest(
    seed: int, history: list[tuple[Event, int]]
) -> None:
    agent = Agent()
    agent.canary = replace(agent.canary, analysis=replace(agent.canary.analysis, hooks=HOOKS))
    moody(agent, seed)
    lived(watched(agent, 15), history)
    agent.answers = agrees
    assert rested(calmed(agent))
    assert answered(agent)
    assert watched(agent, 3).canary.status.owed == ()


@costly(3)
@given(st.integers(0, 10**6), st.sampled_from(["good", "bad"]))
def test_no_weight_grows_past_a_gate_that_did_not_open(seed: int, kind: str) -> None:
    agent = released(*HOOKS, kind=kind)
    moody(agent, seed)
    opened, mood = set[tuple[str, str]](), agent.answers

    def notes(call: Call) -> bool:
        passes = mood(call)
        if passes:
            opened.add((call.hook.type.value, call.about))
        return passes

    agent.answers = notes
    for _ in range(120):
        before = agent.canary.status
        after = agent.run(1).canary.status
        about = f"{before.observed}/{before.canary_weight}"
        if after.canary_weight > before.canary_weight:
            assert ("confirm-traffic-increase", about) in opened
        if after.phase is Phase.PROMOTING:
            assert ("confirm-promotion", after.observed) in opened
        if after.phase is Phase.PROGRESSING and after.observed != before.observed:
            assert ("confirm-rollout", after.observed) in opened


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.WAITING_PROMOTION])
def test_an_app_that_leaves_at_a_gate_is_given_back(phase: Phase) -> None:
    agent = released(*HOOKS)
    gates = {Phase.WAITING: "confirm-rollout", Phase.WAITING_PROMOTION: "confirm-promotion"}
    agent.answers = lambda call: agrees(call) and call.hook.name != gates[phase]
    until(agent, phase).world.enrolled = False
    watched(agent, 60)
    assert agent.canary.status.phase is Phase.TERMINATED or agent.gone
