"""What has a name that a pair needs by chance: it is neither taken for a part, nor written over."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import external, names
from delivery.canary import Canary, Phase
from delivery.described import standing_refusals
from delivery.eligibility import Neighbours
from delivery.intent import effects
from delivery.obstacles.drivers import HELP
from delivery.serving import applications
from tests.delivery import scenes, worlds
from tests.delivery.reviews import Document
from tests.delivery.routed import at, objects, routed
from tests.delivery.test_described import saying, target
from tests.delivery.test_intent import IDLE, SEEN
from tests.delivery.test_serving import CANARY, PRIMARY_POD, namespace
from tests.delivery.turns import SCALER, Agent
from tests.delivery.worlds import World, merged


def another_app(world: World) -> Document:
    """It has the primary's name by chance."""
    labels = {"app": "other"}
    template = {**worlds.template("other:1"), "metadata": {"labels": labels}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    theirs = {"metadata": {"name": "web-primary"}, "spec": spec}
    return world.put(merged(worlds.deployment(), theirs))


def test_an_app_that_has_the_primarys_name_by_chance_is_never_taken_for_it() -> None:
    agent = Agent()
    kept = another_app(agent.world)["spec"]
    agent.run(30)
    assert agent.world.deployments["web-primary"]["spec"] == kept
    assert agent.canary.status.phase is Phase.NEW
    assert agent.said == [
        "web is left alone: the name of Deployment web-primary is needed for its pair: give that "
        "app another one"
    ]
    assert agent.world.services["web"]["spec"]["selector"] == {"app": "web"}


def test_who_takes_the_primarys_name_once_that_has_gone_keeps_it() -> None:
    agent = Agent().run(30)
    agent.world.enrolled = False
    while "web-primary" in agent.world.deployments:
        agent.run(1)
    another_app(agent.world)
    agent.run(70)
    assert "web-primary" in agent.world.deployments
    assert agent.canary.status.phase is Phase.TERMINATED


def test_a_primary_without_our_labels_is_known_by_its_selector() -> None:
    agent = Agent().run(30)
    agent.world.deployments["web-primary"]["metadata"]["labels"] = {}
    agent.world.enrolled = False
    assert list(agent.run(100).world.deployments) == ["web"]


@pytest.mark.parametrize("role", ["primary", "canary"])
def test_a_users_service_that_has_the_name_of_a_halfs_is_never_written_over(role: str) -> None:
    agent = Agent()
    del agent.world.services["web"]
    agent.canary = saying(agent.canary, name="api")
    agent.world.put(merged(worlds.service(), {"metadata": {"name": "api"}}))
    selector = {"metadata": {"name": f"api-{role}"}, "spec": {"selector": {"app": "other"}}}
    kept = agent.world.put(merged(worlds.service(), selector))
    agent.run(30)
    assert agent.world.services[f"api-{role}"] == kept
    assert agent.said == [
        f"web is left alone: the name of Service api-{role} is needed for its pair: give it "
        "another one"
    ]


OWNED = {"ownerReferences": [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary"}]}


@pytest.mark.parametrize(
    ("primary", "asked"),
    [
        (None, "it is scaled to 0: set spec.replicas to 1 or more"),
        ({}, "it is scaled to 0: set spec.replicas to 1 or more"),
        (OWNED, f"HorizontalPodAutoscaler web scales it: {HELP}"),
        ({"labels": {names.MANAGED_BY: names.OUTRIDER}}, ""),
    ],
    ids=["none", "another app", "Flagger's", "ours"],
)
def test_what_is_asked_of_an_app_depends_on_whose_its_primary_is(primary: Any, asked: str) -> None:
    canary = Canary("web", "shop", "web", scenes.ANALYSIS)
    app = merged(target(), {"spec": {"replicas": 0}})
    around = Neighbours([worlds.service()], [app], [SCALER])
    found = standing_refusals(
        canary, app, None if primary is None else merged(app, {"metadata": primary}), around
    )
    assert next(iter(found), "") == asked


@pytest.mark.parametrize("selector", [{"app": "other"}, {"app": "web", names.ROLE: "odd"}])
def test_a_service_that_has_the_name_of_a_halfs_by_chance_is_not_written_over(
    selector: Document,
) -> None:
    """One of ours is known by its selector, also when somebody has taken its labels off."""
    theirs = {"metadata": {"name": "web-canary"}, "spec": {"selector": selector}}
    found = effects(IDLE, replace(SEEN, services={**SEEN.services, "web-canary": theirs}))
    assert bool(found) == (names.ROLE in selector)


def test_nothing_of_a_router_leads_to_a_service_that_is_called_so_by_chance() -> None:
    found, look = routed(scenes.JUDGED), at(objects(routed(scenes.IDLE)), scenes.releasing())
    assert list(external.effects(found, look)) != []
    theirs = merged(worlds.service(), {"metadata": {"name": "app-canary"}})
    taken = replace(look, services={**look.services, "app-canary": theirs})
    assert list(external.effects(found, taken)) == []


def test_routers_never_fall_back_on_a_service_that_is_called_so_by_chance() -> None:
    there = namespace(PRIMARY_POD)
    apex, own = there.services
    theirs = merged(own, {"metadata": {"labels": None}})
    (safe,) = applications(CANARY, there)
    (bare,) = applications(CANARY, replace(there, services=[apex, theirs]))
    assert (bool(safe.fallback), bare.fallback) == (True, None)
