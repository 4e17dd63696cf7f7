"""What the kubelet and Prometheus see of an agent."""

import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, Counter

from agent.http import serve


@dataclass
class Agent:
    """What one server is asked about; each test sets it anew."""

    port: int = 0
    ready: bool = True
    alive: bool = True
    broken: bool = False

    def is_ready(self) -> bool:
        return bool(1 / 0) if self.broken else self.ready


@pytest.fixture(scope="module")
def served() -> Iterator[Agent]:
    registry, agent = CollectorRegistry(), Agent()
    Counter("turns", "How often it turned.", registry=registry).inc(3)
    server = serve(0, registry, ready=agent.is_ready, alive=lambda: agent.alive)
    agent.port = server.server_address[1]
    yield agent
    server.shutdown()
    server.server_close()


@pytest.fixture
def agent(served: Agent) -> Agent:
    served.ready, served.alive, served.broken = True, True, False
    return served


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("ready", "alive", "statuses"),
    [(True, True, (200, 200)), (False, True, (503, 200)), (True, False, (200, 503))],
)
def test_probes_say_what_is_so(
    agent: Agent, ready: bool, alive: bool, statuses: tuple[int, int]
) -> None:
    agent.ready, agent.alive = ready, alive
    assert (ask(agent.port, "/readyz")[0], ask(agent.port, "/healthz?verbose")[0]) == statuses


def test_metrics_are_those_of_the_registry(agent: Agent) -> None:
    status, text = ask(agent.port, "/metrics")
    assert status == 200
    assert "turns_total 3.0" in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/metrics/x", 404), ("POST", "/metrics", 501)],
)
def test_nothing_else_is_there(agent: Agent, method: str, path: str, status: int) -> None:
    assert ask(agent.port, path, method)[0] == status


def test_a_caller_that_says_nothing_keeps_nobody_waiting(agent: Agent) -> None:
    with socket.create_connection(("127.0.0.1", agent.port)):
        assert ask(agent.port, "/readyz")[0] == 200


def test_a_bug_in_a_probe_costs_one_answer_and_not_the_server(
    agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.broken = True
    with pytest.raises(http.client.RemoteDisconnected):
        ask(agent.port, "/readyz")
    assert ask(agent.port, "/healthz")[0] == 200
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_is_reached_by_either_family(agent: Agent, host: str) -> None:
    connection = http.client.HTTPConnection(host, agent.port, timeout=5)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
