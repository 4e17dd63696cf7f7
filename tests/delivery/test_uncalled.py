"""A Service that is deleted while its app is adopted: the app is not held for ever."""

import pytest

from delivery import names
from delivery.canary import Phase
from delivery.pods import annotations_of
from tests.delivery import worlds
from tests.delivery.turns import Agent


@pytest.mark.parametrize("seconds", range(1, 9))
def test_an_app_whose_service_is_deleted_while_it_is_adopted_is_given_back(seconds: int) -> None:
    agent = Agent().run(seconds)
    assert agent.canary.status.phase is Phase.INITIALIZING
    del agent.world.services["web"]
    agent.world.apply("good:2")
    agent.run(100)
    target = agent.world.deployments["web"]
    assert "paused" not in target["spec"]
    assert not any(key.startswith(names.PREFIX) for key in annotations_of(target))
    assert {pod.template["spec"]["containers"][0]["image"] for pod in agent.world.pods} == {
        "good:2"
    }
    assert (len(agent.world.pods), list(agent.world.services)) == (3, [])
    assert agent.said[-1].startswith("web is left alone: selected by 0 Services, one is needed: ")


def test_what_comes_back_at_once_is_adopted_all_the_same() -> None:
    agent = Agent().run(3)
    service = agent.world.services.pop("web")
    agent.run(5)
    agent.world.put(service)
    agent.run(20)
    assert agent.canary.status.phase is Phase.INITIALIZED
    assert agent.canary.status.drained_since is None


def test_why_it_is_given_back_is_said_and_a_service_that_comes_later_has_it_adopted() -> None:
    agent = Agent().run(3)
    del agent.world.services["web"]
    agent.run(100)
    assert "web is given back: Service web is gone" in " ".join(agent.said)
    agent.world.put(worlds.service())
    assert agent.run(20).canary.status.phase is Phase.INITIALIZED
