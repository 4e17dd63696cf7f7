"""An app that ceases to be eligible is given back in good order, and comes back when it can."""

from dataclasses import replace

import pytest

from delivery.canary import Phase
from tests.delivery import departures
from tests.delivery.histories import calmed, rested, watched
from tests.delivery.turns import Agent
from tests.delivery.worlds import populated

KINDS = {"good": "good:2", "bad": "good:1", "crashing": "good:1"}
"""How the second version is, and which one is to serve in the end."""


def adopted(*, generated: bool = True, admission: bool = True) -> Agent:
    agent = Agent(populated(admission=admission))
    agent.canary = replace(agent.canary, generated=generated)
    return watched(agent, 15)


def left(agent: Agent) -> bool:
    """Whether the app is its user's alone in the end, with no request lost on the way."""
    before = agent.world.lost
    for _ in range(200):
        if departures.is_clean(watched(agent, 1)):
            break
    return departures.is_clean(agent) and agent.world.lost == before


@pytest.mark.parametrize(
    ("kind", "seconds", "generated"),
    [
        ("good", 0, True),
        ("good", 1, False),
        ("good", 20, True),
        ("bad", 1, True),
        ("bad", 20, False),
        ("crashing", 1, True),
    ],
)
def test_a_release_that_is_under_way_is_brought_to_its_end_first(
    kind: str, seconds: int, generated: bool
) -> None:
    agent = adopted(generated=generated)
    agent.world.apply(f"{kind}:2")
    watched(agent, seconds)
    agent.world.scaled = True
    assert left(agent)
    assert departures.image_of(agent) == KINDS[kind]


@pytest.mark.parametrize("admission", [True, False])
def test_who_is_eligible_again_is_adopted_again(admission: bool) -> None:
    agent = adopted(admission=admission)
    agent.world.scaled = True
    assert left(agent)
    agent.world.scaled = False
    before = agent.world.lost
    assert rested(calmed(agent))
    assert (agent.canary.status.phase, agent.world.lost) == (Phase.INITIALIZED, before)


def test_one_that_comes_and_goes_within_a_release_changes_nothing() -> None:
    agent = adopted()
    agent.world.apply("good:2")
    watched(agent, 5)
    agent.world.scaled = True
    watched(agent, 5)
    agent.world.scaled = False
    calmed(agent)
    assert agent.canary.status.phase is Phase.SUCCEEDED


def test_an_app_whose_clone_finds_no_room_is_its_users_again_and_is_tried_later() -> None:
    agent = Agent(populated())
    agent.world.room = False
    assert left(agent)
    status = agent.canary.status
    assert (status.phase, status.given_up) == (Phase.NEW, 1)
    agent.world.room, agent.world.now = True, agent.world.now + 600.0
    watched(agent, 20)
    assert agent.canary.status.phase is Phase.INITIALIZED
    assert agent.canary.status.given_up == 0
