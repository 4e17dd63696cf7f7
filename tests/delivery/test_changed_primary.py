"""What others do to the clone that serves: it is put back, and no release stands still over it."""

from dataclasses import replace

import pytest

from delivery.canary import Phase
from delivery.decision import Replace
from delivery.hashing import template_hash
from tests.delivery.histories import calmed, watched
from tests.delivery.meddling import restart_primary
from tests.delivery.test_intent import PRIMARY, SEEN, due, half, only
from tests.delivery.turns import Agent
from tests.delivery.worlds import populated
from tests.delivery.written import template

PROMOTED = template_hash(template("good:1"))
NEXT = template_hash(template("good:2"))


def adopted() -> Agent:
    return watched(Agent(populated()), 30)


def test_trap_a_primary_that_was_restarted_by_hand_goes_back_and_the_next_release_ends() -> None:
    agent = adopted()
    lost = agent.world.lost
    restart_primary(agent, 1)
    assert agent.world.revision("web-primary") != PROMOTED
    assert watched(agent, 3).world.revision("web-primary") == PROMOTED
    agent.world.apply("good:2")
    assert calmed(agent).canary.status.promoted == NEXT
    assert agent.world.lost == lost


@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.PROMOTING, Phase.FINALISING])
def test_a_restart_of_the_primary_in_mid_release_changes_nothing_of_its_end(phase: Phase) -> None:
    agent = adopted()
    agent.world.apply("good:2")
    while agent.canary.status.phase is not phase:
        watched(agent, 1)
    restart_primary(agent, 1)
    assert calmed(agent).canary.status.promoted == NEXT
    assert agent.world.revision("web-primary") == NEXT


def test_a_template_that_a_policy_keeps_from_the_primary_fails_and_the_fix_is_released() -> None:
    agent = adopted()
    lost = agent.world.lost
    agent.world.barred.add("good:2")
    agent.world.apply("good:2")
    assert calmed(agent).canary.status.phase is Phase.FAILED
    assert agent.world.revision("web-primary") == PROMOTED
    agent.world.apply("good:3")
    assert calmed(agent).canary.status.promoted == template_hash(template("good:3"))
    assert agent.world.lost == lost


def test_trap_what_others_put_into_the_primarys_template_does_not_stay() -> None:
    """An apply leaves what it does not name, and the revision would never be the promoted one."""
    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    theirs = {"spec": {"template": restarted}, "metadata": {"labels": {"team": "shop"}}}
    found = only(due(replace(SEEN, primary=half(PRIMARY, theirs, revision="other"))))
    metadata, template = found.manifest["metadata"], found.manifest["spec"]["template"]
    assert "annotations" not in template["metadata"]
    assert metadata["labels"]["team"] == "shop"
    assert metadata["resourceVersion"] == PRIMARY.manifest["metadata"]["resourceVersion"]


def test_only_a_revision_that_nobody_released_is_told_of() -> None:
    refused = due(replace(SEEN, primary=replace(PRIMARY, revision="bad")), failed="bad")
    theirs = half(PRIMARY, {"metadata": {"labels": None}}, revision="other")
    for found in (only(refused), only(due(replace(SEEN, primary=theirs)))):
        assert isinstance(found, Replace)
        assert not found.why
