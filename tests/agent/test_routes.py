"""The objects of external routers: read while they are named, and no error where none can be."""

from collections.abc import Iterator
from typing import Any

import pytest

from agent.perform import Performer
from agent.routes import RETRY_SECONDS, RouteObjects
from cluster.events import Events
from delivery.decision import Replace, Write
from delivery.names import AGENT_MANAGER
from tests.agent.running_router import eventually
from tests.cluster.loopback import Server, serving

GROUP = "/apis/networking.istio.io/v1beta1"
SERVED = {"resources": [{"name": "virtualservices"}, {"name": "destinationrules"}]}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


class Time:
    """As it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def reading(server: Server) -> tuple[RouteObjects, Time]:
    time = Time()
    return RouteObjects(server.api(), "shop", lambda kind, item: None, clock=time), time


def test_nothing_is_asked_while_nobody_names_a_router(server: Server) -> None:
    routes, _ = reading(server)
    assert routes.look(()).objects == {}
    assert server.asked == []


def test_a_kind_is_watched_while_it_is_named(server: Server) -> None:
    server.pages[GROUP] = (200, SERVED)
    server.put("web")
    routes, _ = reading(server)
    first = routes.look(["istio"])
    assert set(first.missing) <= {"istio"}
    eventually(lambda: not routes.look(["istio"]).missing)
    found = routes.look(["istio"]).objects
    assert found[("VirtualService", "web")]["kind"] == "VirtualService"
    assert ("DestinationRule", "web") in found
    assert routes.look(()).objects == {}
    assert routes.watched == {}


def test_a_cluster_without_the_kinds_is_no_error_and_asked_again_later(server: Server) -> None:
    server.pages[GROUP] = (404, {"message": "no"})
    routes, time = reading(server)
    for _ in range(2):
        found = routes.look(["istio"])
        assert found.absent == {"istio"}
        assert "VirtualService of networking.istio.io/v1beta1: install" in found.missing["istio"]
    assert len(server.asked) == 2
    server.pages[GROUP] = (200, SERVED)
    time.now = RETRY_SECONDS
    assert not routes.look(["istio"]).absent
    assert len(routes.watched) == 2


def test_what_cannot_be_read_may_be_there(server: Server) -> None:
    server.pages[GROUP] = (500, {"message": "no"})
    routes, _ = reading(server)
    found = routes.look(["istio"])
    assert not found.absent
    assert found.missing["istio"].startswith("not read yet: DestinationRule")


def test_a_kind_that_is_named_again_at_once_is_not_read_yet(server: Server) -> None:
    server.pages[GROUP] = (200, SERVED)
    routes, time = reading(server)
    for named in (["istio"], [], ["istio"]):
        found = routes.look(named)
        time.now += 0.3
    assert "not read yet: VirtualService" in found.missing["istio"]
    assert not found.absent
    time.now += RETRY_SECONDS
    eventually(lambda: not routes.look(["istio"]).missing)


USERS: dict[str, Any] = {
    "apiVersion": "networking.istio.io/v1beta1",
    "kind": "VirtualService",
    "metadata": {
        "namespace": "shop",
        "name": "web",
        "resourceVersion": "7",
        "managedFields": [
            {"manager": "jane", "fieldsV1": {"f:spec": {"f:hosts": {}}}},
            {
                "manager": AGENT_MANAGER,
                "fieldsV1": {"f:spec": {"f:http": {}}, "f:metadata": {"f:annotations": {}}},
            },
        ],
    },
    "spec": {},
}


@pytest.mark.parametrize("last", [False, True])
def test_of_a_users_object_nothing_is_ours_afterwards(server: Server, last: bool) -> None:
    api = server.api()
    canary = {"metadata": {"name": "web", "namespace": "shop"}}
    Performer(api, Events(api, "a", "b", "c")).perform(Write(USERS, last=last), canary)
    *tried, put, tidied = server.asked
    assert [one.query.get("dryRun") for one in tried] == ([] if last else ["All"])
    assert (put.method, put.body["metadata"]["resourceVersion"]) == ("PUT", "7")
    owners = tidied.body["metadata"]["managedFields"]
    assert owners[0] == USERS["metadata"]["managedFields"][0]
    assert [one["fieldsV1"] for one in owners[1:]] == (
        [] if last else [{"f:metadata": {"f:annotations": {}}}]
    )


@pytest.mark.parametrize(("version", "method"), [("7", "PUT"), ("", "POST")])
def test_what_is_ours_is_written_whole_and_made_where_it_was_not_seen(
    server: Server, version: str, method: str
) -> None:
    api = server.api()
    metadata = {"name": "web-primary", "namespace": "shop"}
    seen = {"resourceVersion": version} if version else {}
    ours = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {**metadata, **seen}}
    canary = {"metadata": {"name": "web", "namespace": "shop"}}
    Performer(api, Events(api, "a", "b", "c")).perform(Replace(ours), canary)
    (asked,) = server.asked
    assert (asked.method, asked.body["metadata"]) == (method, ours["metadata"])


def test_what_was_never_ours_is_not_disowned(server: Server) -> None:
    api = server.api()
    bare = {**USERS, "metadata": {**USERS["metadata"], "managedFields": []}}
    canary = {"metadata": {"name": "web", "namespace": "shop"}}
    Performer(api, Events(api, "a", "b", "c")).perform(Write(bare, last=True), canary)
    assert [one.method for one in server.asked] == ["PUT"]
