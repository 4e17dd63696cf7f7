"""Which routers are ready, and which ports all of them have open: asked of real sockets."""

import socket
import time
from contextlib import ExitStack
from typing import Any

from agent import routers
from delivery.apex import ROUTER_SELECTOR
from delivery.observation import Routers
from tests.agent.running_router import free_port

FIRST, SECOND = "127.0.1.1", "127.0.1.2"


def pod(address: str, *, ready: bool = True, **metadata: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    labels = dict(ROUTER_SELECTOR)
    return {
        "metadata": {"name": address, "labels": labels, **metadata},
        "status": {"podIP": address, "conditions": conditions},
    }


def listening(port: int, *addresses: str) -> list[socket.socket]:
    return [socket.create_server((address, port)) for address in addresses]


def looked(found: list[dict[str, Any]], *ports: int) -> Routers:
    return routers.look(found, ports, rejected="")


def test_only_ready_routers_that_stay_are_asked() -> None:
    app = {**pod("127.0.1.5"), "metadata": {"name": "shop", "labels": {"app": "shop"}}}
    leaving = pod("127.0.1.3", deletionTimestamp="2026-01-01T00:00:00Z")
    found = [pod(FIRST), pod("127.0.1.4", ready=False), leaving, app]
    assert routers.addresses(found) == (FIRST,)


def test_a_port_is_open_when_it_is_so_on_every_router() -> None:
    both, one, none = free_port(), free_port(), free_port()
    servers = [*listening(both, FIRST, SECOND), *listening(one, FIRST)]
    found = looked([pod(FIRST), pod(SECOND)], both, one, none)
    for server in servers:
        server.close()
    assert found == Routers(2, frozenset({both}), "")


def test_without_routers_nothing_is_open() -> None:
    assert looked([], 20000) == Routers(0, frozenset(), "")


def test_without_ports_nobody_is_asked() -> None:
    assert looked([pod(FIRST)]) == Routers(1, frozenset(), "")


def test_what_a_router_refused_is_passed_on() -> None:
    found = routers.look([pod(FIRST)], [free_port()], rejected="router-1 refused Listener: no")
    assert found.rejected == "router-1 refused Listener: no"


def swallowing(stack: ExitStack) -> int:
    """A port whose queue is full: the kernel answers no more connection requests."""
    listener = stack.enter_context(socket.socket())
    listener.bind((FIRST, 0))
    listener.listen(0)
    port: int = listener.getsockname()[1]
    for _ in range(3):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        one.connect_ex((FIRST, port))
    return port


def test_routers_that_swallow_connections_are_given_up_and_all_tried_at_once() -> None:
    """One after another they would take as long as all their patience together."""
    with ExitStack() as stack:
        ports = [swallowing(stack) for _ in range(40)]
        began = time.monotonic()
        assert looked([pod(FIRST)], *ports) == Routers(1, frozenset(), "")
        assert time.monotonic() - began < len(ports) * routers.CONNECT_SECONDS
