"""Copies of requests through a real Envoy: who answers, what is copied, and what is counted."""

import http.client
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from agent.envoy import Scraper
from delivery.dialects.router import parse
from delivery.routers.envoy import Application, Endpoint, resources
from delivery.stats import Sample, delta
from tests.agent.identities import PRESENTED
from tests.agent.pods import Behaviour, Pod, answers, hangs_up
from tests.agent.running_router import Router, application, eventually, free_port, serving

NOBODY = Endpoint("127.0.0.9", free_port("127.0.0.9"))


class Remembering:
    """Answers, and keeps what it was asked."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.heads: list[bytes] = []

    def __call__(self, connection: socket.socket, head: bytes) -> bool:
        self.heads.append(head)
        return self.behaviour(connection, head)

    @property
    def lines(self) -> list[list[bytes]]:
        """Of each request; the order of headers of different names says nothing."""
        return [sorted(head.partition(b"\r\n\r\n")[0].split(b"\r\n")) for head in self.heads]


def shop(stack: ExitStack, primary: Behaviour, canary: Behaviour) -> Application:
    first, second = (stack.enter_context(Pod(one)).endpoint for one in (primary, canary))
    return replace(application(primary=(first,), canary=(second,)), mirror=100)


def asked(
    port: int, more: Mapping[str, str] = {}, method: str = "GET", body: bytes | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        headers = {"Host": "shop.example", "X-Case": "Kept", "Cookie": "a=b", **more}
        connection.request(method, "/cart?a=b", body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def sample(router: Router, cluster: str) -> Sample:
    address = f"127.0.0.1:{router.stats_port}"
    scraper = Scraper(presented=PRESENTED)
    text = scraper.scrape([address], deadline=5)[address]
    scraper.close()
    assert isinstance(text, str)
    return delta({}, parse(text)).get(cluster, Sample())


BROKEN = {
    "errors": answers(b"c", "500 Internal Server Error"),
    "hangs up": hangs_up,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_users_never_see_the_answers_to_copies_and_the_judge_does(
    tmp_path: Path, stack: ExitStack, kind: str
) -> None:
    one = shop(stack, answers(b"p"), BROKEN[kind])
    with serving(tmp_path, one) as (router, _):
        assert {asked(one.listener) for _ in range(20)} == {(200, b"p")}
        eventually(lambda: sample(router, "shop/80/mirror").requests == 20)
        answered = 20 if kind == "errors" else 0
        eventually(lambda: sample(router, "shop/80/mirror").timed == answered)
        assert sample(router, "shop/80/mirror").failures == 20
        assert sample(router, "shop/80/primary").failures == 0
        assert sample(router, "shop/80/canary") == Sample()


def test_a_copy_is_what_the_primary_got(tmp_path: Path, stack: ExitStack) -> None:
    primary, canary = Remembering(answers(b"p")), Remembering(answers(b"c"))
    one = shop(stack, primary, canary)
    with serving(tmp_path, one):
        for more in ({}, {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}):
            assert asked(one.listener, more) == (200, b"p")
        eventually(lambda: len(canary.heads) == 2)
    assert canary.lines == primary.lines


def test_a_body_is_copied_too(tmp_path: Path, stack: ExitStack) -> None:
    def echoes(connection: socket.socket, head: bytes) -> bool:
        found = head.partition(b"\r\n\r\n")[2]
        while len(found) < 100_000:
            found += connection.recv(65536)
        bodies.append(found)
        return answers(b"ok")(connection, head)

    bodies: list[bytes] = []
    one = shop(stack, echoes, echoes)
    with serving(tmp_path, one):
        assert asked(one.listener, {}, "PUT", b"x" * 100_000) == (200, b"ok")
        eventually(lambda: len(bodies) == 2)
    assert bodies[0] == bodies[1]


def test_a_canary_that_cannot_be_reached_costs_users_nothing_and_is_no_copy_to_the_primary(
    tmp_path: Path, stack: ExitStack
) -> None:
    primary = stack.enter_context(Pod(answers(b"p")))
    usual = application(primary=(primary.endpoint,), canary=(NOBODY,), fallback=primary.endpoint)
    with serving(tmp_path, replace(usual, mirror=100)) as (router, _):
        assert {asked(usual.listener) for _ in range(20)} == {(200, b"p")}
        eventually(lambda: sample(router, "shop/80/mirror").failures == 20)
    assert primary.requests == 20


def test_so_many_percent_are_copied_and_none_when_it_ends(tmp_path: Path, stack: ExitStack) -> None:
    canary = Remembering(answers(b"c"))
    one = replace(shop(stack, answers(b"p"), canary), mirror=30)
    with serving(tmp_path, one) as (_, server):
        for _ in range(200):
            assert asked(one.listener) == (200, b"p")
        assert 30 <= len(canary.heads) <= 95
        ended = resources([replace(one, mirror=0)])
        server.publish(ended)
        eventually(lambda: server.nodes_at(ended))
        before = len(canary.heads)
        assert {asked(one.listener) for _ in range(20)} == {(200, b"p")}
        assert len(canary.heads) == before


def test_an_upgraded_connection_is_not_disturbed(tmp_path: Path, stack: ExitStack) -> None:
    """What is spoken on it is its app's own."""

    def upgrades(connection: socket.socket, head: bytes) -> bool:
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        while part := connection.recv(100):
            connection.sendall(part)
        return False

    one = shop(stack, upgrades, hangs_up)
    with (
        serving(tmp_path, one),
        socket.create_connection(("127.0.0.1", one.listener), timeout=5) as caller,
    ):
        caller.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert caller.recv(1000).startswith(b"HTTP/1.1 101")
        caller.sendall(b"ping")
        assert caller.recv(100) == b"ping"
