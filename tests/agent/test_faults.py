"""What goes wrong with one app is in nobody else's way."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from agent.faults import Faults
from agent.served import Served, Unserved
from agent.tick import Loop
from cluster.api import Object
from cluster.errors import ClusterError, Unreachable
from cluster.events import Events
from delivery.canary import Canary, Phase, Status
from delivery.names import AGENT_MANAGER
from delivery.pair import Objects
from tests.agent.one_look import agents, events, fill, leading, managed, pair, phases, renew
from tests.cluster.loopback import Server, serving

ITEM: Object = {
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"targetRef": {"name": "app"}},
}
LABELS = {"name": "app", "namespace": "shop"}
TURNS = "outrider_turn_failures_total"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def faults(server: Server, *, leads: bool = True) -> tuple[Faults, CollectorRegistry]:
    registry = CollectorRegistry()
    told = Events(server.api(), "agent-1", AGENT_MANAGER, "flagger")
    return Faults(registry, told, leading=lambda: leads), registry


def spoilt(found: Faults, text: str = "{", item: Object = ITEM) -> None:
    with found.apart(item, "its turn"):
        raise ValueError(text)


def test_what_goes_wrong_is_said_once_and_counted_each_time(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    found, registry = faults(server)
    for text in ("1 s ago", "2 s ago", "3 s ago"):
        spoilt(found, text)
    ((name, reason, said),) = events(server)
    assert (name, reason) == ("web", "Failing")
    assert "its turn failed: ValueError: 1 s ago (tests/agent/test_faults.py line" in said
    assert "undo what was changed by hand" in said
    assert registry.get_sample_value(TURNS, LABELS) == 3.0
    (line,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert line.exc_info


def test_what_was_well_again_or_gone_is_said_anew(server: Server) -> None:
    found, registry = faults(server)
    spoilt(found)
    with found.apart(ITEM, "its turn"):
        pass
    spoilt(found)
    found.begin([ITEM])
    spoilt(found)
    assert registry.get_sample_value(TURNS, LABELS) == 3.0
    assert len(events(server)) == 2
    found.begin([])
    assert registry.get_sample_value(TURNS, LABELS) is None
    spoilt(found)
    assert len(events(server)) == 3


def test_each_thing_that_is_done_with_an_app_is_told_apart(server: Server) -> None:
    found, _ = faults(server)
    spoilt(found)
    with found.apart(ITEM, "reading it"):
        pass
    spoilt(found)
    assert len(events(server)) == 1


def test_who_does_not_lead_says_nothing(server: Server) -> None:
    found, registry = faults(server, leads=False)
    spoilt(found)
    assert events(server) == []
    assert registry.get_sample_value(TURNS, LABELS) == 1.0


@pytest.mark.parametrize("error", [Unreachable("down"), ClusterError("no", 500)])
def test_what_the_api_server_refuses_ends_the_look(server: Server, error: ClusterError) -> None:
    found, _ = faults(server)
    with pytest.raises(ClusterError), found.apart(ITEM, "its turn"):
        raise error
    assert events(server) == []


def test_an_app_that_cannot_be_served_keeps_what_was_served_last(server: Server) -> None:
    served = Served(faults(server)[0])
    port = {"port": 80, "targetPort": 80}
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}, "ports": [port]}}
    status = Status(Phase.INITIALIZED, ports={"80": 20001}, apex="web")
    canary = Canary("web", "shop", "web", status=status)
    halves = [one for one in pair("web") if one["metadata"]["name"] == "web"]
    first = served.of([canary], Objects(deployments=halves, services=[service]))
    assert [one.listener for one in first] == [20001]
    broken = Objects(deployments=halves, services=[{**service, "spec": {"ports": [5]}}])
    assert served.of([canary], broken) == first
    assert served.of([], broken) == []
    with pytest.raises(Unserved):
        served.of([canary], broken)


def show(loop: Loop, *broken: Object) -> None:
    fill(loop, "Canary", managed("a", 20001), managed("b", 20002))
    fill(loop, "Deployment", *(broken or pair("a")), *pair("b"))
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "shop", "resourceVersion": "1"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "name": "http"}]},
        }
        for name in ("a", "b")
    ]
    fill(loop, "Service", agents(), *services)


def test_an_app_that_cannot_be_judged_keeps_no_other_from_its_turn(
    server: Server, tmp_path: Path
) -> None:
    loop, registry = leading(server, tmp_path)
    show(loop, *pair("a", replicas="three"))
    for _ in range(2):
        renew(loop)
        loop.tick()
    assert phases(server) == {"b": "Progressing"}
    assert [one[:2] for one in events(server)].count(("a", "Failing")) == 1
    assert registry.get_sample_value(TURNS, {"name": "a", "namespace": "shop"}) == 2.0
    show(loop)
    loop.tick()
    assert phases(server) == {"a": "Progressing", "b": "Progressing"}


def test_a_canary_that_cannot_be_read_keeps_no_other_from_its_turn(
    server: Server, tmp_path: Path
) -> None:
    loop, _ = leading(server, tmp_path)
    show(loop)
    odd = {**managed("a", 20001), "status": {"phase": "Initialized", "conditions": 5, "hooks": 7}}
    broken = {**odd, "metadata": {**odd["metadata"], "annotations": 5}}
    fill(loop, "Canary", broken, managed("b", 20002))
    loop.tick()
    assert phases(server) == {"b": "Progressing"}


def test_without_the_api_server_a_look_ends(server: Server, tmp_path: Path) -> None:
    loop, _ = leading(server, tmp_path)
    show(loop)
    server.pages.clear()
    server.status = 503
    with pytest.raises(ClusterError):
        loop.tick()
    assert phases(server) == {}
