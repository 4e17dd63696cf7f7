"""Whatever happens to an app and its agent, users are served and every release ends."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import placement
from delivery.canary import Affinity, Analysis, Mirror, Phase
from delivery.hashing import template_hash
from delivery.matching import Comparison, Match, Way
from tests.delivery.answers import answered
from tests.delivery.histories import (
    HAPPENINGS,
    KIND_SECONDS,
    Event,
    calmed,
    ending,
    histories,
    lived,
    rested,
    watched,
)
from tests.delivery.turns import ANALYSIS, Agent
from tests.delivery.worlds import merged, populated, template
from tests.examples import costly

SPOT = placement.text({"pool": "spot"}, [{"key": "spot", "operator": "Exists"}])
BETA = Match(headers=(Comparison("x-beta", Way.EXACT, "yes"),))
ANALYSES = (
    ANALYSIS,
    replace(ANALYSIS, step_weights=(1, 10, 80), step_weight_promotion=30),
    replace(ANALYSIS, threshold=1, canary_ready_threshold=50, primary_ready_threshold=0),
    replace(ANALYSIS, iterations=5, delay=3.5),
    replace(ANALYSIS, iterations=2, step_weight=0),
    replace(ANALYSIS, iterations=3, step_weight=0, match=(BETA,)),
    replace(ANALYSIS, mirror=Mirror(20, 50, 80)),
    replace(ANALYSIS, iterations=2, step_weight=0, mirror=Mirror(), placement=SPOT),
    replace(ANALYSIS, affinity=Affinity("sticky", "stable"), step_weight_promotion=30),
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


@costly(3)
@given(st.sampled_from(ANALYSES), st.sampled_from([0, 15]), histories)
def test_whatever_happens_the_rules_hold_and_in_a_kind_world_all_comes_to_rest(
    analysis: Analysis, adopted: int, history: list[tuple[Event, int]]
) -> None:
    agent = watched(adopting(analysis), adopted)
    assert rested(calmed(lived(agent, history)))
    assert answered(agent)


@pytest.mark.many
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("analysis", ANALYSES[3:])
def test_a_release_ends_so_whatever_moves_its_traffic(kind: str, analysis: Analysis) -> None:
    agent = watched(adopting(analysis), 15)
    before = agent.world.lost
    agent.world.apply(f"{kind}:2")
    assert calmed(watched(agent, 3)).canary.status.phase is KINDS[kind]
    assert rested(agent)
    assert agent.world.lost == before


@pytest.mark.parametrize("kind", ["good", "crashing", "stuck"])
@pytest.mark.parametrize("routers", [0, 2])
def test_without_routers_a_release_ends_and_no_request_is_lost(kind: str, routers: int) -> None:
    """Nothing is counted then, so nothing that is counted is asked for."""
    unrouted = replace(ANALYSIS, iterations=2, step_weight=0, routed=False, metrics=())
    agent = watched(adopting(unrouted), 15)
    before, agent.world.routers = agent.world.lost, routers
    agent.world.apply(f"{kind}:2")
    assert calmed(watched(agent, 3)).canary.status.phase is KINDS[kind]
    assert agent.world.lost == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("admission", [True, False])
def test_in_a_kind_world_a_release_ends_and_no_request_is_lost(kind: str, admission: bool) -> None:
    agent = watched(adopting(admission=admission), 15)
    before = agent.world.lost
    agent.world.apply(f"{kind}:2")
    assert calmed(watched(agent, 3)).canary.status.phase is KINDS[kind]
    assert rested(agent)
    assert agent.world.lost == before


@costly(6)
@given(
    st.sampled_from(ANALYSES),
    st.sampled_from(["good", "bad"]),
    st.booleans(),
    st.dictionaries(st.integers(0, 45), st.integers(0, 4), max_size=6),
)
def test_a_crash_between_any_two_writes_changes_no_end(
    analysis: Analysis, kind: str, admission: bool, crashes: dict[int, int]
) -> None:
    ends = []
    for dying in ({}, crashes):
        agent = adopting(analysis, admission=admission)
        for second in range(46):
            if second == 14:
                agent.world.apply(f"{kind}:2")
            agent.turn(dying.get(second))
            agent.world.pass_second()
        ends.append(ending(calmed(agent)))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("kind", ["good", "bad"])
def test_an_agent_that_dies_after_every_other_status_loses_nothing(kind: str) -> None:
    agent = Agent()
    for second in range(80):
        if second == 30:
            agent.world.apply(f"{kind}:2")
        agent.turn(crash_after=1)
        watched(agent, 1)
    assert calmed(agent).canary.status.phase is KINDS[kind]
    assert agent.world.lost == Agent().world.lost


def until(agent: Agent, phase: Phase, weight: int) -> Agent:
    for _ in range(KIND_SECONDS):
        if (agent.canary.status.phase, agent.canary.status.canary_weight) == (phase, weight):
            break
        watched(agent, 1)
    return agent


def test_a_promotion_that_cannot_end_keeps_users_until_the_primary_is_back() -> None:
    agent = watched(adopting(), 15)
    agent.world.apply("good:2")
    until(agent, Phase.PROGRESSING, 50).world.room = False
    before = agent.world.lost
    until(agent, Phase.FAILED, 50)
    assert until(agent, Phase.FAILED, 0).world.revision("web") == agent.canary.status.failed
    assert rested(calmed(agent))
    assert agent.world.lost == before


@pytest.mark.parametrize("half", ["canary flaps", "primary flaps"])
def test_a_half_that_is_not_ready_in_mid_release_is_sent_nothing(half: str) -> None:
    agent = watched(adopting(), 15)
    agent.world.apply("good:2")
    HAPPENINGS[half](until(agent, Phase.PROGRESSING, 40), 5)
    before = agent.world.lost
    assert calmed(agent).canary.status.phase is Phase.SUCCEEDED
    assert agent.world.lost == before


@pytest.mark.many
@pytest.mark.parametrize("first", ["good:2", "bad:2", "crashing:2"])
@pytest.mark.parametrize("seconds", range(0, 60, 3))
def test_a_revision_is_never_lost_whenever_it_is_pushed(first: str, seconds: int) -> None:
    agent = adopting().run(15)
    agent.world.apply(first)
    agent.run(seconds).world.apply("good:3")
    assert calmed(agent).canary.status.promoted == template_hash(template("good:3"))
    assert agent.canary.status.outcomes["2"] == "promoted"


@pytest.mark.parametrize("key", ["team.example.com/owner", "deployment.kubernetes.io/revision"])
def test_what_others_write_on_a_deployment_is_no_release(key: str) -> None:
    agent = adopting().run(15)
    before = agent.canary.status
    agent.world.put(
        merged(agent.world.deployments["web"], {"metadata": {"annotations": {key: "7"}}})
    )
    assert agent.run(5).canary.status == before


def test_what_slips_past_admission_is_never_taken_for_what_was_promoted_before() -> None:
    """Its mark is that of another revision."""
    agent = watched(adopting(), 1)
    agent.world.admission = False
    agent.world.apply("good:2")
    watched(agent, 25)
    agent.world.apply("crashing:1")
    agent.world.admission = True
    assert rested(calmed(agent))
    assert agent.canary.status.phase is Phase.FAILED
