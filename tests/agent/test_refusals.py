"""What is said of Deployments that are left alone, and how often."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from agent.exposition import Exposition
from agent.refusals import Refusals
from cluster.events import Events
from delivery.decision import NORMAL, WARNING
from delivery.names import AGENT_MANAGER
from tests.cluster.loopback import Server, serving

Place = tuple[Refusals, Server]


@pytest.fixture
def place() -> Iterator[Place]:
    with serving() as server:
        events = Events(server.api(), "agent-1", AGENT_MANAGER, "flagger")
        yield Refusals(events, Exposition(CollectorRegistry())), server


def turn(refusals: Refusals, *reasons: str, kind: str = WARNING, of: str = "Deployment") -> None:
    """One turn in which this is said, or nothing at all."""
    item = {"apiVersion": "v1", "kind": of, "metadata": {"name": "web", "namespace": "shop"}}
    refusals.begin()
    if reasons:
        refusals.say(item, "is left alone", reasons, kind=kind)
    refusals.end()


def events(server: Server) -> list[tuple[str, str, str]]:
    said = [one.body for one in server.asked]
    return [(one["type"], one["reason"], one["message"]) for one in said]


def test_a_reason_is_an_event_once_while_it_lasts(place: Place) -> None:
    refusals, server = place
    for _ in range(3):
        turn(refusals, "it is paused", "it uses a hostPort")
    text = "web is left alone: it is paused; it uses a hostPort"
    assert events(server) == [("Warning", "NotAdopted", text)]


def test_a_number_that_changes_is_no_news_but_another_kind_of_reason_is(place: Place) -> None:
    refusals, server = place
    for reason in ("no room: 1 left", "no room: 2 left", "it is paused"):
        turn(refusals, reason)
    assert len(events(server)) == 2


def test_a_reason_that_comes_back_is_said_again(place: Place) -> None:
    refusals, server = place
    for reasons in (("it is paused",), (), ("it is paused",)):
        turn(refusals, *reasons)
    assert len(events(server)) == 2


def test_refusals_are_counted_by_their_kind_and_a_users_wish_is_none(place: Place) -> None:
    refusals, _ = place
    turn(refusals, "no room: 1 left")
    assert refusals.exposition.refused == {"web": ("no room",)}
    turn(refusals, "its annotation is false", kind=NORMAL)
    assert refusals.exposition.refused == {}
    turn(refusals, "Flagger is here: scale it to 0", of="Namespace")
    assert refusals.exposition.refused == {}
