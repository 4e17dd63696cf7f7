"""Agents die at any moment: users notice nothing, and each release ends as it would have."""

import time
from collections.abc import Callable

import pytest

from delivery.names import AGENT
from demo.namespace import Namespace
from demo.release import Release
from demo.shop import V1, V2
from demo.traffic import Traffic
from demo.waiting import eventually
from tests.system.kills import (
    BAD,
    BOTH,
    GOOD,
    Assassin,
    Kill,
    acting_agent,
    assert_ended_well,
    every_agent,
    is_ready,
    renewed,
)
from tests.system.load import Load, losses
from tests.system.node import Node

Figure = Callable[[str], None]

DOWN_SECONDS = 180
AGENTS = pytest.mark.parametrize(
    "kill",
    [
        pytest.param(acting_agent, id="the acting agent", marks=pytest.mark.soak),
        pytest.param(every_agent, id="every agent"),
    ],
)


@pytest.mark.soak
@AGENTS
@pytest.mark.usefixtures("hurried")
def test_killed_while_adopting_and_while_refusing_a_bad_version(
    namespace: Namespace, node: Node, load: Load, kill: Kill
) -> None:
    namespace.kubectl.apply(V1.manifests())
    namespace.complete()
    clients = [load(namespace, *options) for options in BOTH]
    namespace.opt_in()
    assassin = Assassin(namespace, node, kill)
    assassin.adoption()
    assert_ended_well(assassin.release(BAD), BAD)
    assert losses(*clients) == []


@pytest.mark.minutes
@AGENTS
@pytest.mark.usefixtures("hurried")
def test_killed_in_each_phase_of_a_promotion(
    shop: Namespace, node: Node, load: Load, kill: Kill
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    assert_ended_well(Assassin(shop, node, kill).release(GOOD), GOOD)
    assert losses(*clients) == []


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
@pytest.mark.minutes
def test_all_agents_down_for_minutes_while_each_pod_of_the_primary_is_replaced(
    shop: Namespace, node: Node, load: Load, figure: Figure
) -> None:
    clients = [load(shop, *options) for options in BOTH]
    release = Release(shop, timeout=300)
    shop.kubectl.apply(V2.manifests())
    release.weighs(25)
    last = held_down_while_pods_go(shop, node)
    figure(f"all agents down for {DOWN_SECONDS} s, {last}: {sent(clients)} requests")
    shop.kubectl("delete", "pod", "--selector", f"app.kubernetes.io/name={AGENT}")
    assert_ended_well(release.finished(), GOOD)
    assert losses(*clients) == []


def held_down_while_pods_go(place: Namespace, node: Node) -> str:
    """No agent acts meanwhile: nobody renews the Lease."""
    began = time.monotonic()
    with node.held_down(place.name, "agent") as kills:
        eventually("the agents are dead", lambda: kills, timeout=30)
        before, first = renewed(place), primary_pods(place)
        for name in first:
            place.kubectl("delete", "pod", name, "--wait=false")
            eventually("another has taken its place", lambda: whole(place), timeout=90)
        eventually("the end", lambda: time.monotonic() - began > DOWN_SECONDS, timeout=DOWN_SECONDS)
        assert renewed(place) == before
        assert not set(first) & set(primary_pods(place))
    return f"killed {sum(kills)} times, {len(first)} pods of the primary deleted"


def primary_pods(place: Namespace) -> list[str]:
    found = place.list("Pod", "outrider.dev/role=primary")
    return [pod["metadata"]["name"] for pod in found if is_ready(pod)]


def whole(place: Namespace) -> bool:
    """All pods of the primary are ready, and none is on its way out."""
    found = place.list("Pod", "outrider.dev/role=primary")
    return len(found) == V1.replicas and all(map(is_ready, found))


def sent(clients: list[Traffic]) -> int:
    return sum(len(client.answers) for client in clients)
