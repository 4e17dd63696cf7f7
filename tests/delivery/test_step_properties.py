"""Whatever happens to an app and its agent, users are served and every release ends."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.canary import Analysis, Phase
from tests.delivery.histories import Event, calmed, ending, histories, lived, rested, watched
from tests.delivery.turns import ANALYSIS, Agent
from tests.delivery.worlds import populated

ANALYSES = (
    ANALYSIS,
    replace(ANALYSIS, step_weights=(1, 10, 80), step_weight_promotion=30),
    replace(ANALYSIS, threshold=1, canary_ready_threshold=50, primary_ready_threshold=0),
)
KINDS = {
    "good": Phase.SUCCEEDED,
    "bad": Phase.FAILED,
    "slow": Phase.FAILED,
    "crashing": Phase.FAILED,
    "stuck": Phase.FAILED,
}


def adopting(analysis: Analysis = ANALYSIS, *, admission: bool = True) -> Agent:
    agent = Agent(populated(admission=admission))
    agent.canary = replace(agent.canary, analysis=analysis)
    return watched(agent, 1)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(ANALYSES), histories)
def test_whatever_happens_the_rules_hold_and_in_a_kind_world_all_comes_to_rest(
    analysis: Analysis, history: list[tuple[Event, int]]
) -> None:
    assert rested(calmed(lived(adopting(analysis), history)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("admission", [True, False])
def test_in_a_kind_world_a_release_ends_and_no_request_is_lost(kind: str, admission: bool) -> None:
    agent = watched(adopting(admission=admission), 15)
    before = agent.world.lost
    agent.world.apply(f"{kind}:2")
    assert calmed(watched(agent, 3)).canary.status.phase is KINDS[kind]
    assert rested(agent)
    assert agent.world.lost == before


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["good", "bad"]),
    st.booleans(),
    st.dictionaries(st.integers(0, 45), st.integers(0, 4), max_size=6),
)
def test_a_crash_between_any_two_writes_changes_no_end(
    kind: str, admission: bool, crashes: dict[int, int]
) -> None:
    ends = []
    for dying in ({}, crashes):
        agent = adopting(admission=admission)
        for second in range(46):
            if second == 14:
                agent.world.apply(f"{kind}:2")
            agent.turn(dying.get(second))
            agent.world.pass_second()
        ends.append(ending(calmed(agent)))
    assert ends[0] == ends[1]
