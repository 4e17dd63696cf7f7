"""The listener ports as an agent remembers them: on a Service, under the version that it read."""

import json
from collections.abc import Iterator

import pytest

from agent.listeners import Listeners
from cluster.api import Object
from delivery import names
from delivery.listeners import REST_SECONDS
from delivery.pair import Objects
from tests.cluster.loopback import Server, serving

NOW = 1000.0
HELD = {"web": {20001}}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def agents(said: object = None, *, version: int = 7) -> Objects:
    """A namespace with the agents' Service, and what it says."""
    metadata: Object = {"name": names.AGENT, "namespace": "shop", "resourceVersion": str(version)}
    if said is not None:
        metadata["annotations"] = {names.LISTENER_CLAIMS: json.dumps(said)}
    return Objects(services=[{"apiVersion": "v1", "kind": "Service", "metadata": metadata}])


def written(server: Server) -> object:
    """What the last patch made the Service say."""
    metadata = server.asked[-1].body["metadata"]
    assert metadata["resourceVersion"] == "7"
    return json.loads(metadata["annotations"][names.LISTENER_CLAIMS])


def test_what_is_held_is_written_down(server: Server) -> None:
    Listeners(server.api()).look(agents(), HELD, NOW)
    assert written(server) == {"web": {"20001": 0}}


def test_what_is_written_already_is_not_written_again(server: Server) -> None:
    Listeners(server.api()).look(agents({"web": {"20001": 0}}), HELD, NOW)
    assert server.asked == []


def test_an_agent_that_starts_anew_knows_what_rests(server: Server) -> None:
    found = Listeners(server.api())
    found.look(agents({"web": {"20001": 0}}), {}, NOW)
    assert written(server) == {"web": {"20001": NOW}}
    later = Listeners(server.api())
    later.look(agents({"web": {"20001": NOW}}), {}, NOW + REST_SECONDS - 1)
    assert [later.taken(app) for app in ("cart", "web")] == [{20001}, set()]


def test_a_port_is_claimed_before_a_status_may_name_it(server: Server) -> None:
    found = Listeners(server.api())
    found.look(agents({"web": {"20001": 0}}), HELD, NOW)
    assert found.claim("web", [20001])
    assert server.asked == []
    assert found.claim("cart", [20002])
    assert written(server) == {"cart": {"20002": 0}, "web": {"20001": 0}}
    assert found.taken("web") == {20002}


def test_without_having_said_so_nothing_is_claimed(server: Server) -> None:
    found = Listeners(server.api())
    assert not found.claim("cart", [20002])
    found.look(agents({"web": {"20001": 0}}), HELD, NOW)
    server.status = 409
    assert not found.claim("cart", [20002])
    assert found.taken("web") == frozenset()
