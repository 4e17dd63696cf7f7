"""A primary that somebody deletes comes back as it was, whatever the target remembers."""

from dataclasses import replace

import pytest

from delivery import kept
from delivery.canary import Phase
from delivery.decision import Delete, Replace
from delivery.hashing import template_hash
from delivery.intent import effects
from delivery.step import step
from tests.delivery.histories import calmed, watched
from tests.delivery.turns import Agent, look
from tests.delivery.worlds import populated, template

PROMOTED = template_hash(template("good:2"))


def forgetful(agent: Agent) -> None:
    """revisionHistoryLimit: 0, and every ReplicaSet of the primary goes with it."""
    world = agent.world
    current = world.current(world.deployments["web"])
    world.sets = [one for one in world.sets_of(world.deployments["web"]) if one is current]
    world.delete("Deployment", "web-primary")


def adopted() -> Agent:
    return watched(Agent(populated()), 30)


def promoted_then(image: str) -> Agent:
    agent = adopted()
    agent.world.apply("good:2")
    assert calmed(agent).canary.status.promoted == PROMOTED
    agent.world.apply(image)
    return agent


@pytest.mark.parametrize("image", ["bad:3", "crashing:3", "stuck:3"])
def test_after_a_release_that_was_refused_the_promoted_revision_comes_back(image: str) -> None:
    agent = calmed(promoted_then(image))
    assert agent.canary.status.phase is Phase.FAILED
    forgetful(agent)
    calmed(agent.run(2))
    assert agent.world.revision("web-primary") == PROMOTED
    assert agent.canary.status.phase is Phase.FAILED


def test_in_mid_release_it_comes_back_as_it_was() -> None:
    agent = promoted_then("good:3").run(5)
    assert agent.canary.status.phase is Phase.PROGRESSING
    forgetful(agent)
    agent.run(2)
    assert agent.world.revision("web-primary") == PROMOTED
    assert calmed(agent).canary.status.promoted == template_hash(template("good:3"))
    assert kept.promoted(agent.world.kept["web-primary"]) == template_hash(template("good:3"))


def test_who_leaves_leaves_nothing_behind() -> None:
    agent = promoted_then("good:3")
    calmed(agent)
    assert set(agent.world.kept) == {"web-primary"}
    agent.world.enrolled = False
    calmed(agent)
    assert agent.world.kept == {}


def test_one_of_a_users_by_that_name_is_neither_written_nor_believed_nor_deleted() -> None:
    theirs = {"metadata": {"name": "web-primary"}, "template": template("other:9")}
    agent = Agent(populated())
    agent.world.kept["web-primary"] = theirs
    watched(agent, 30).world.apply("good:2")
    assert calmed(agent).canary.status.promoted == PROMOTED
    seen = look(agent.canary, agent.world)
    assert template_hash(template("other:9")) not in seen.revisions
    assert list(kept.forgotten(seen)) == []
    assert agent.world.kept["web-primary"] == theirs


def test_it_is_written_once() -> None:
    agent = adopted()
    seen = look(agent.canary, agent.world)
    found = [one for one in effects(step(agent.canary, seen).canary, seen) if is_about_it(one)]
    assert found == []


def is_about_it(effect: object) -> bool:
    if isinstance(effect, Replace):
        return bool(effect.manifest["kind"] == kept.KIND)
    return isinstance(effect, Delete) and effect.kind == kept.KIND


def test_it_is_written_over_as_it_was_seen() -> None:
    agent = promoted_then("good:3")
    found = agent.world.kept["web-primary"]
    seen = {**found, "metadata": {**found["metadata"], "resourceVersion": "7"}}
    look_now = replace(look(agent.canary, agent.world), kept=seen)
    status = replace(agent.canary.status, promoted=template_hash(template("good:3")))
    (effect,) = kept.effects(replace(agent.canary, status=status), look_now)
    assert isinstance(effect, Replace)
    assert effect.manifest["metadata"]["resourceVersion"] == "7"
