"""Whenever an app leaves, its users are served by what was promoted, and nothing of ours stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary import Phase
from tests.delivery import departures
from tests.delivery.histories import (
    HAPPENINGS,
    Event,
    calmed,
    ending,
    histories,
    lived,
    rested,
    watched,
)
from tests.delivery.turns import Agent
from tests.delivery.worlds import populated
from tests.examples import costly

WAYS = {"unlabel": departures.unlabel, "opt out": departures.opt_out}
GIVEN_BACK = (Phase.NEW, Phase.TERMINATED)


def adopted(*, admission: bool = True, generated: bool = True, seconds: int = 15) -> Agent:
    agent = Agent(populated(admission=admission))
    agent.canary = replace(agent.canary, generated=generated)
    return watched(agent, seconds)


def left(agent: Agent) -> Agent:
    """In a kind world: given back, with no request lost on the way."""
    before = agent.world.lost
    calmed(agent)
    assert agent.gone or agent.canary.status.phase in GIVEN_BACK
    assert departures.is_clean(agent)
    assert agent.world.lost == before
    return agent


@costly(1)
@given(st.sampled_from(sorted(WAYS)), st.booleans(), st.integers(1, 11))
def test_an_app_leaves_while_it_is_adopted(way: str, admission: bool, seconds: int) -> None:
    agent = adopted(admission=admission, seconds=seconds)
    WAYS[way](agent, 1)
    assert departures.image_of(left(agent)) == "good:1"


@pytest.mark.many
@costly(1)
@given(
    st.sampled_from(sorted(WAYS)),
    st.booleans(),
    st.sampled_from(["good", "bad", "crashing", "stuck"]),
    st.integers(0, 60),
)
def test_an_app_leaves_in_any_second_of_a_release(
    way: str, admission: bool, kind: str, seconds: int
) -> None:
    agent = adopted(admission=admission)
    agent.world.apply(f"{kind}:2")
    watched(agent, seconds)
    WAYS[way](agent, 1)
    image = departures.image_of(left(agent))
    assert image == "good:1" or (image, kind) == ("good:2", "good")


@pytest.mark.parametrize("generated", [True, False])
def test_only_a_canary_that_we_wrote_goes_with_the_app(generated: bool) -> None:
    agent = adopted(generated=generated)
    departures.opt_out(agent)
    assert left(agent).gone is generated


@costly(2)
@given(st.sampled_from(sorted(WAYS)), st.integers(0, 90))
def test_who_comes_back_is_adopted_anew_without_a_request_lost(way: str, seconds: int) -> None:
    agent = adopted()
    before = agent.world.lost
    WAYS[way](agent, 1)
    departures.come_back(watched(agent, seconds))
    assert rested(calmed(agent))
    assert agent.canary.status.phase is Phase.INITIALIZED
    assert agent.world.lost == before


@pytest.mark.many
@costly(4)
@given(
    st.sampled_from(sorted(WAYS)),
    st.sampled_from(["good", "bad"]),
    st.booleans(),
    st.dictionaries(st.integers(0, 60), st.integers(0, 4), max_size=8),
)
def test_a_crash_between_any_two_writes_changes_nothing_of_the_leave(
    way: str, kind: str, admission: bool, crashes: dict[int, int]
) -> None:
    ends = []
    for dying in ({}, crashes):
        agent = adopted(admission=admission)
        agent.world.apply(f"{kind}:2")
        watched(agent, 5)
        WAYS[way](agent, 1)
        for second in range(61):
            agent.turn(dying.get(second))
            agent.world.pass_second()
        ends.append(ending(left(agent))[1])
    assert ends[0] == ends[1]


@costly(3)
@given(st.sampled_from(sorted(WAYS)), st.sampled_from([0, 15]), histories, histories)
def test_whatever_happens_an_app_can_leave_and_come_back(
    way: str, seconds: int, before: list[tuple[Event, int]], after: list[tuple[Event, int]]
) -> None:
    agent = lived(adopted(seconds=seconds), before)
    WAYS[way](agent, 1)
    calmed(lived(agent, after))
    assert rested(agent)
    departures.come_back(agent)
    assert rested(calmed(agent))


def test_pods_of_the_version_before_may_serve_when_an_app_leaves_while_its_primary_changes() -> (
    None
):
    agent = adopted()
    agent.world.apply("good:2")
    watched(agent, 19)
    departures.opt_out(agent)
    HAPPENINGS["primary flaps"](agent, 3)
    assert departures.image_of(left(agent)) == "good:2"
