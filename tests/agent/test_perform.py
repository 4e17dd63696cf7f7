"""What an effect is at the API server: its calls, and under which version each holds."""

from collections.abc import Iterator
from typing import Any

import pytest

from agent.perform import Performer
from cluster.events import Events
from delivery import names
from delivery.decision import Annotate
from tests.cluster.loopback import Server, serving

SHOWS = {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 20001}]}}
ROUTED = Annotate("Service", "web", {names.ROUTE: "{}"}, SHOWS, "7")
METADATA = {"name": "web", "namespace": "shop", "uid": "1"}
PATH = "/api/v1/namespaces/shop/services/web"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def performed(server: Server, **spec: Any) -> list[Any]:
    """The patches that were sent; each is answered with the Service at version 8."""
    answer = {"metadata": {**METADATA, "resourceVersion": "8"}}
    server.pages[PATH] = (200, {"kind": "Service", **answer, "spec": spec})
    api = server.api()
    canary = {"apiVersion": "v1", "kind": "Canary", "metadata": METADATA}
    Performer(api, Events(api, "a", "b", "c")).perform(ROUTED, canary)
    return [one.body for one in server.asked if one.path == PATH]


def test_what_admission_made_so_is_one_call(server: Server) -> None:
    (said,) = performed(server, **SHOWS["spec"])
    assert said["metadata"] == {"annotations": {names.ROUTE: "{}"}, "resourceVersion": "7"}


def test_without_admission_the_fields_are_written_only_over_what_the_first_call_answered(
    server: Server,
) -> None:
    """A port that its user applies between the two calls is not erased by a list without it."""
    _, written, _ = performed(server, ports=[])
    assert written == {**SHOWS, "metadata": {"resourceVersion": "8"}}
