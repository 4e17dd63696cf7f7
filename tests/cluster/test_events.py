"""Events as kubectl and Flagger's users find them, and the day on which none can be recorded."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from cluster.errors import ClusterError
from cluster.events import LONGEST, Events
from delivery.names import AGENT_MANAGER
from tests.cluster.loopback import Server, serving

CANARY = {
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {"name": "shop", "namespace": "web", "uid": "u-1", "resourceVersion": "7"},
}


def recorded(server: Server, text: str = "New revision detected!") -> dict[str, Any]:
    Events(server.api(), "agent-1", AGENT_MANAGER, "flagger").warn(CANARY, text)
    (asked,) = server.asked
    assert asked.path == "/api/v1/namespaces/web/events"
    body: dict[str, Any] = asked.body
    return body


def test_an_event_is_flaggers_in_form() -> None:
    with serving() as server:
        event = recorded(server)
    assert (event["type"], event["reason"]) == ("Warning", "Synced")
    assert event["source"] == {"component": "flagger"}
    assert event["reportingInstance"] == "agent-1"
    assert event["involvedObject"] == {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        **CANARY["metadata"],  # type: ignore[dict-item]  # all texts
    }


def test_an_event_is_of_this_moment() -> None:
    with serving() as server:
        said = datetime.fromisoformat(recorded(server)["lastTimestamp"])
    assert abs((datetime.now(UTC) - said).total_seconds()) < 5


@pytest.mark.parametrize("name", ["shop", "s" * 253])
def test_names_of_events_are_short_enough_and_never_twice_the_same(name: str) -> None:
    item = {**CANARY, "metadata": {"name": name, "namespace": "web"}}
    with serving() as server:
        events = Events(server.api(), "agent-1", AGENT_MANAGER, "flagger")
        events.normal(item, "one")
        events.normal(item, "one")
    first, second = (one.body["metadata"]["name"] for one in server.asked)
    assert first != second
    assert first.startswith(name[:200])
    assert len(first) <= 253


def test_a_message_is_no_longer_than_the_api_takes() -> None:
    with serving() as server:
        assert len(recorded(server, "x" * 5000)["message"]) == LONGEST


def test_what_is_said_stands_in_the_log_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving() as server:
        recorded(server, "Advance shop")
    assert "Advance shop" in caplog.messages


@pytest.mark.parametrize("status", [403, 409, 500])
def test_an_event_that_is_refused_is_in_nobodys_way(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with serving() as server:
        server.status = status
        Events(server.api(), "agent-1", AGENT_MANAGER, "flagger").normal(CANARY, "one")
    assert f"event not recorded: POST /api/v1/namespaces/web/events: {status}" in caplog.text


def test_without_an_api_an_event_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as server:
        api = server.api()
    Events(api, "agent-1", AGENT_MANAGER, "flagger").normal(CANARY, "one")
    with pytest.raises(ClusterError):
        api.list("Event")
    assert "event not recorded" in caplog.text
