"""An undo past admission brings back the annotations of a ReplicaSet: no wish of today is there."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import names, pair
from delivery.wishing import is_news
from tests.delivery import scenes, worlds
from tests.delivery.histories import calmed, rested, watched
from tests.delivery.spoiling import annotated
from tests.delivery.test_step_properties import adopting
from tests.delivery.turns import Agent


def released(*, scaled: int = 0) -> Agent:
    """Its second version is promoted; then somebody wants another number of replicas."""
    agent = watched(adopting(), 15)
    agent.world.apply("good:2")
    agent = calmed(watched(agent, 3))
    if scaled:
        agent.world.scale(scaled)
    return watched(agent, 3)


@pytest.mark.many
@pytest.mark.parametrize("scaled", [0, 6])
@pytest.mark.parametrize("seconds", [0, 10, 14])
@pytest.mark.parametrize("image", ["good:1", "good:2"])
def test_an_undo_past_admission_leaves_the_number_of_replicas(
    scaled: int, seconds: int, image: str
) -> None:
    agent = released(scaled=scaled)
    if seconds:
        agent.world.apply("good:3")
    watched(agent, seconds).world.admission = False
    agent.world.undo(image)
    agent.run(5)
    assert agent.canary.status.replicas == (scaled or 3)
    assert rested(calmed(agent))
    assert agent.canary.status.replicas == (scaled or 3)


@pytest.mark.parametrize("number", [2, 5])
def test_after_an_undo_past_admission_a_wish_counts_as_ever(number: int) -> None:
    agent = released(scaled=6)
    agent.world.admission = False
    agent.world.undo("good:1")
    agent.run(2).world.scale(number)
    agent.run(2)
    assert agent.canary.status.replicas == number
    agent.world.admission = True
    agent.world.apply("good:1", replicas=4)
    agent.run(2)
    assert agent.canary.status.replicas == 4


@pytest.mark.parametrize(
    ("noted", "wish", "status", "news"),
    [
        pytest.param(None, 5, {}, True, id="in the target"),
        pytest.param(None, 2, {"scale": 2}, False, id="what it is held at"),
        pytest.param(9, 5, {}, True, id="the first by admission"),
        pytest.param(9, 5, {"wished": 8}, True, id="newer"),
        pytest.param(9, 5, {"wished": 9}, False, id="taken over"),
        pytest.param(7, 5, {"wished": 9}, False, id="older"),
        pytest.param(0, 5, {}, False, id="nobody knows when"),
        pytest.param(0, 5, {"replicas": None}, True, id="nothing is known"),
        pytest.param(7, 5, {"wished": 99}, True, id="a restored cluster"),
    ],
)
def test_a_wish_of_today(noted: int | None, wish: int, status: dict[str, Any], news: bool) -> None:
    target = scenes.half("v1", 0)
    metadata = {**target.manifest["metadata"], "resourceVersion": "20"}
    now = replace(target, manifest={**target.manifest, "metadata": metadata})
    look = scenes.seen(target=now, wish=wish, noted=noted)
    assert is_news(replace(scenes.IDLE, **status), look) is news


@pytest.mark.parametrize(
    ("marks", "replicas", "noted"),
    [
        ({}, 3, None),
        ({names.SCALE: "0", names.HELD_AT: "1", names.WISHED: "7"}, 0, 7),
        ({names.SCALE: "0", names.HELD_AT: "1", names.WISHED: "odd"}, 0, 0),
        ({names.SCALE: "0", names.HELD_AT: "1"}, 0, 0),
        ({names.SCALE: "0", names.HELD_AT: "1", names.WISHED: "7"}, 4, None),
    ],
)
def test_when_a_wish_was_noted(marks: dict[str, str], replicas: int, noted: int | None) -> None:
    found = annotated(worlds.deployment(replicas=replicas), marks)
    later = {**found, "metadata": {**found["metadata"], "generation": 2}}
    assert pair.noted(later) == noted
