"""That a Service was made is known from the Service itself, whatever became of the status."""

import pytest

from delivery.canary import Phase, Status
from delivery.described import is_doomed, is_made
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.scenes import half
from tests.delivery.test_described import OURS, unserved, watched_from, written_by
from tests.delivery.turns import Agent
from tests.delivery.worlds import merged


def owned(**owner: str) -> Document:
    owners = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "app", "uid": "7", **owner}]
    metadata = {"ownerReferences": owners, "managedFields": [OURS]}
    return merged(worlds.service(), {"metadata": metadata})


@pytest.mark.parametrize(
    ("service", "made", "doomed"),
    [
        (worlds.service(), False, False),
        (owned(), True, False),
        (owned(uid="8"), False, True),
        (owned(uid="8", name="other"), False, False),
        (owned(kind="Canary"), False, False),
        (written_by(owned()), False, False),
    ],
    ids=["nobody's", "made", "of the one before", "another's", "a Canary's", "its user's"],
)
def test_a_service_that_was_made_is_known_by_its_owner(
    service: Document, made: bool, doomed: bool
) -> None:
    target = half("v1").manifest
    target = merged(target, {"metadata": {"name": "app", "uid": "7"}})
    assert (is_made(target, service), is_doomed(target, service)) == (made, doomed)


def left_and_adopted_again() -> Agent:
    agent = watched_from(unserved())
    agent.world.enrolled = False
    agent.run(70)
    assert agent.canary.status.phase is Phase.TERMINATED
    agent.world.enrolled = True
    return agent.run(20)


def test_one_that_was_made_comes_back_also_once_its_app_was_given_back() -> None:
    agent = left_and_adopted_again()
    assert (agent.canary.status.phase, agent.canary.status.made) == (Phase.INITIALIZED, True)
    del agent.world.services["web"]
    agent.run(2)
    assert "web" in agent.world.services


def test_an_app_that_comes_after_another_is_not_adopted_with_the_service_of_that() -> None:
    agent = left_and_adopted_again()
    agent.write(Status())
    agent.world.delete("Deployment", "web-primary")
    agent.world.deployments["web"]["metadata"]["uid"] = "another"
    agent.run(5)
    assert agent.canary.status.phase is Phase.NEW
    assert agent.canary.status.message == (
        "web is not adopted yet: Service web goes with the Deployment before it"
    )
    del agent.world.services["web"]
    agent.run(30)
    owners = agent.world.services["web"]["metadata"]["ownerReferences"]
    assert (agent.canary.status.phase, owners[0]["uid"]) == (Phase.INITIALIZED, "another")
