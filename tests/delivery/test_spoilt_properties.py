"""Whatever somebody has written by hand into what we read, nothing of it ends a turn."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import external, listeners, names, schema, serving
from delivery.admission.ours import OURS
from delivery.api.status import CanaryStatus
from delivery.canary import Canary, Phase
from delivery.intent import effects
from delivery.observation import Routes
from delivery.routers.envoy import resources
from delivery.routers.interface import Object
from delivery.routers.table import ROUTERS
from delivery.step import step
from tests.delivery import gateway_cases, routed
from tests.delivery.histories import calmed, is_led, rested, watched
from tests.delivery.scenes import JUDGED, releasing
from tests.delivery.spoiling import annotated, annotations, documents, texts
from tests.delivery.test_step_properties import adopting
from tests.delivery.turns import Agent, look, objects
from tests.delivery.worlds import World

SECONDS = (3, 15, 19, 34, 55)
"""Adopting, idle, releasing, promoting, idle again."""
PLACES = ("deployments", "services", "kept")
FIELDS = [field.alias or name for name, field in CanaryStatus.model_fields.items()]


@cache
def lived(seconds: int) -> Agent:
    agent = adopting().run(min(seconds, 15))
    if seconds > 15:
        agent.world.apply("good:2")
    return agent.run(seconds - min(seconds, 15))


def turned(canary: Canary, world: World) -> None:
    """All that a turn asks of the core."""
    found = objects(world)
    resources(list(serving.applications(canary, found)))
    serving.untried(canary, found.services)
    serving.clusters(canary, names.CANARY)
    seen = look(canary, world)
    after = step(canary, seen).canary
    effects(after, seen)
    schema.status_body(after.status, {}, analysis=after.analysis)


def spoilt(world: World, said: Mapping[str, str], place: str, *, inside: bool) -> World:
    """With these annotations on each object of a kind, or on their templates."""
    found = {name: annotated(one, said) for name, one in getattr(world, place).items()}
    if inside and place == "deployments":
        found = {name: within(one, said) for name, one in getattr(world, place).items()}
    changes: dict[str, Any] = {place: found}
    return replace(world, **changes)


def within(deployment: Object, said: Mapping[str, str]) -> dict[str, Any]:
    spec = deployment["spec"]
    return {**deployment, "spec": {**spec, "template": annotated(spec["template"], said)}}


@given(st.sampled_from(SECONDS), annotations, st.sampled_from(PLACES), st.booleans())
def test_no_annotation_ends_a_turn(
    seconds: int, said: Mapping[str, str], place: str, inside: bool
) -> None:
    agent = lived(seconds)
    turned(agent.canary, spoilt(agent.world, said, place, inside=inside))


@given(
    st.sampled_from(SECONDS),
    st.dictionaries(st.sampled_from(FIELDS), documents | texts, min_size=1, max_size=3),
)
def test_no_status_ends_a_turn(seconds: int, said: Mapping[str, Any]) -> None:
    agent = lived(seconds)
    read = schema.status_of({**agent.stored, **said})
    turned(replace(agent.canary, status=read), agent.world)


@pytest.mark.many
@pytest.mark.parametrize("mark", OURS)
@pytest.mark.parametrize("text", ["²", '{"selector":7}'])
def test_an_app_that_was_spoilt_in_mid_release_loses_nobody(mark: str, text: str) -> None:
    """While admission is down, and nobody else would put it right."""
    agent = watched(adopting(), 15)
    agent.world.apply("good:2")
    agent = watched(agent, 10)
    before, world = agent.world.lost, agent.world
    world.admission = False
    for place in (world.services, world.deployments):
        place["web"] = annotated(place["web"], {mark: text})
    agent = watched(agent, 3)
    assert world.lost == before
    assert calmed(agent).canary.status.phase in (Phase.SUCCEEDED, Phase.TERMINATED)
    if agent.canary.status.phase is Phase.SUCCEEDED:
        assert is_led(agent)
        assert rested(agent)
    assert world.lost == before


def routes(provider: str, user: Object, said: Mapping[str, str]) -> tuple[Canary, Routes]:
    """A user's route that was taken over, spoilt since."""
    if provider == "istio":
        canary = routed.routed(JUDGED)
    else:
        made = gateway_cases.canary(SERVICE, canary_weight=20)
        canary = replace(made, provider=provider, external=True)
    found = {external.key(user): user}
    wanted = {external.key(one): one for one in ROUTERS[provider].manifests(canary, found)}
    return canary, Routes({key: annotated(one, said) for key, one in wanted.items()})


SERVICE = {"port": 80, "gatewayRefs": [{"name": "public"}]}
USERS = {
    "istio": routed.user(),
    "gatewayapi:v1": {
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "test", "resourceVersion": "1"},
        "spec": {"rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]},
    },
}


@given(st.sampled_from(sorted(USERS)), annotations, texts)
def test_no_annotation_on_a_routers_object_ends_a_turn(
    provider: str, said: Mapping[str, str], origin: str
) -> None:
    canary, found = routes(provider, USERS[provider], {**said, names.ORIGIN: origin})
    seen = replace(releasing(), routes=found, services=routed.marked(provider))
    list(external.effects(step(canary, seen).canary, seen))
    external.unshown(canary, seen)
    list(external.leftovers({}, found, "test"))


@given(texts)
def test_no_claims_to_listeners_end_a_turn(said: str) -> None:
    listeners.written(listeners.followed(listeners.claims(said), {}, 0.0))
