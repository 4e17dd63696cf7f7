"""Apps close idle connections by their own clocks; no request may be on its way just then."""

import socket
from pathlib import Path

from tests.agent.breakage import outcome
from tests.agent.pods import Behaviour, Pod, answers
from tests.agent.running_router import application, eventually, serving

GUNICORN = 2.0
"""Seconds: the shortest keep-alive that is in wide use."""


def closes_when_idle(closed_by: list[str]) -> Behaviour:
    """Answers, then waits for more as long as gunicorn does; and which of the two closed."""

    def behave(connection: socket.socket, head: bytes) -> bool:
        answers(b"ok")(connection, head)
        connection.settimeout(GUNICORN)
        try:
            if connection.recv(1, socket.MSG_PEEK):
                return True
            closed_by.append("router")
        except TimeoutError:
            closed_by.append("app")
        return False

    return behave


def test_the_router_closes_an_idle_connection_before_the_app_would(tmp_path: Path) -> None:
    closed_by: list[str] = []
    with Pod(closes_when_idle(closed_by)) as pod:
        shop = application(primary=(pod.endpoint,))
        with serving(tmp_path, shop):
            assert [outcome(shop.listener) for _ in range(20)] == ["whole"] * 20
            assert pod.connections < 20, "kept alive in between"
            eventually(lambda: len(closed_by) == pod.connections)
            assert set(closed_by) == {"router"}
