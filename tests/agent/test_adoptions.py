"""An app that may not get a Canary, or not lose one, is in nobody else's way."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.adoptions import RETRY_SECONDS
from agent.tick import Loop
from cluster.api import Object
from cluster.errors import ClusterError
from delivery.obstacles.grounds import Sighting
from tests.agent.one_look import agents, events, fill, leading, managed, pair, phases, renew
from tests.cluster.loopback import Server, serving

CANARIES = "/apis/flagger.app/v1beta1/namespaces/shop/canaries"
QUOTA = {"message": "exceeded quota: few, requested: count/canaries.flagger.app=1"}
COMPLETE = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def service(name: str, app: str) -> Object:
    metadata = {"name": name, "namespace": "shop", "resourceVersion": "1"}
    spec = {"selector": {"app": app}, "ports": [{"port": 80, "name": "http"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def fresh(name: str) -> Object:
    """Running, and nobody's yet."""
    found = pair(name)[1]
    labels = {"app": name}
    template = {**found["spec"]["template"], "metadata": {"labels": labels}}
    spec = {**found["spec"], "selector": {"matchLabels": labels}, "template": template}
    return {**found, "metadata": {**found["metadata"], "name": name}, "spec": spec} | {
        "status": COMPLETE
    }


def show(loop: Loop, *more: Object) -> None:
    fill(loop, "Canary", managed("a", 20001), managed("b", 20002))
    fill(loop, "Deployment", *pair("a"), *pair("b"), *more)
    services = [service(one["metadata"]["name"], one["metadata"]["name"]) for one in more]
    fill(loop, "Service", agents(), service("a", "web"), service("b", "web"), *services)
    loop.survey.looked = time.monotonic() + 3600
    loop.survey.seen = {name: Sighting() for name in loop.survey.kinds}


def look(loop: Loop, times: int = 2) -> None:
    for _ in range(times):
        renew(loop)
        loop.tick()


def refusals(server: Server, app: str) -> list[str]:
    return [text for name, reason, text in events(server) if (name, reason) == (app, "NotAdopted")]


def asked_for(server: Server) -> list[str]:
    """The apps for which a Canary was to be made."""
    posts = [one for one in server.asked if (one.method, one.path) == ("POST", CANARIES)]
    return [one.body["metadata"]["name"] for one in posts]


@pytest.mark.parametrize("status", [400, 403, 422, 500])
def test_a_canary_that_may_not_be_made_keeps_no_app_from_its_turn(
    server: Server, tmp_path: Path, status: int
) -> None:
    loop, _ = leading(server, tmp_path)
    server.pages[CANARIES] = (status, QUOTA)
    show(loop, fresh("new"), fresh("other"))
    look(loop, 6)
    assert phases(server) == {"a": "Progressing", "b": "Progressing"}
    assert asked_for(server) == ["new", "other"]
    (said,) = refusals(server, "new")
    assert "exceeded quota: few" in said


def test_a_canary_that_was_refused_is_tried_again_and_said_once(
    server: Server, tmp_path: Path
) -> None:
    loop, _ = leading(server, tmp_path)
    server.pages[CANARIES] = (403, QUOTA)
    show(loop, fresh("new"))
    for _ in range(3):
        look(loop)
        loop.adoptions.declined["new"] = "exceeded quota", time.monotonic() - RETRY_SECONDS
    assert asked_for(server) == ["new", "new", "new"]
    assert len(refusals(server, "new")) == 1
    show(loop)
    look(loop, 1)
    assert loop.adoptions.declined == {}


def test_an_api_server_that_is_away_ends_the_look(server: Server, tmp_path: Path) -> None:
    loop, _ = leading(server, tmp_path)
    server.pages[CANARIES] = (503, {"message": "apiserver not ready"})
    show(loop, fresh("new"))
    with pytest.raises(ClusterError):
        look(loop)
    assert loop.adoptions.declined == {}


def test_a_superseded_canary_that_may_not_go_keeps_no_app_from_its_turn(
    server: Server, tmp_path: Path
) -> None:
    loop, _ = leading(server, tmp_path)
    show(loop)
    users = managed("users", 20003)
    target = {**users["spec"]["targetRef"], "name": "a"}
    metadata = {"name": "users", "namespace": "shop", "uid": "u", "resourceVersion": "5"}
    users |= {"metadata": metadata, "spec": {"targetRef": target, "skipAnalysis": True}}
    fill(loop, "Canary", managed("a", 20001), managed("b", 20002), users)
    server.pages[f"{CANARIES}/a"] = (403, {"message": "denied by policy keep"})
    look(loop)
    assert phases(server) == {"b": "Progressing", "users": "Progressing"}
    ((name, text),) = [(name, text) for name, _, text in events(server) if "policy" in text]
    assert (name, text.endswith("denied by policy keep")) == ("a", True)
