"""Callers that a Service holds to one pod by their address, through a real Envoy."""

import http.client
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.routers.envoy import Application, Endpoint, resources
from tests.agent.pods import Pod, answers
from tests.agent.running_router import application, eventually, serving

CALLERS = [f"127.0.0.{number}" for number in range(20, 44)]


@pytest.fixture
def pods() -> Iterator[list[Endpoint]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Pod(answers(name.encode()))).endpoint for name in "123c"]


@pytest.fixture
def shop(pods: list[Endpoint]) -> Application:
    plain = application(primary=tuple(pods[:3]), canary=tuple(pods[3:]))
    return replace(plain, sticky=True)


def asked(port: int, caller: str, forwarded: str = "", host: str = "127.0.0.1") -> str:
    """Who answers a caller on a connection of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=5, source_address=(caller, 0))
    try:
        headers = {"x-forwarded-for": forwarded, "x-outrider-router-own-address": forwarded}
        connection.request("GET", "/", headers=headers if forwarded else {})
        answer = connection.getresponse().read().decode()
        # Without a reset the port stays taken for a minute, while other tests look for free ones.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return answer
    finally:
        connection.close()


def everybody(port: int, forwarded: str = "") -> list[str]:
    return [asked(port, caller, forwarded) for caller in CALLERS]


def test_a_caller_is_held_to_one_pod_on_every_router_whatever_its_headers_say(
    tmp_path: Path, shop: Application
) -> None:
    with serving(tmp_path, shop):
        first = everybody(shop.listener)
        assert set(first) == {"1", "2", "3"}
        assert everybody(shop.listener) == first
        assert everybody(shop.listener, "203.0.113.7") == first
    turned = replace(shop, primary=shop.primary[::-1])
    with serving(tmp_path, turned, node="router-2"):
        assert everybody(shop.listener) == first


def test_a_caller_of_the_canary_stays_with_it_as_its_share_grows(
    tmp_path: Path, shop: Application
) -> None:
    with serving(tmp_path, replace(shop, canary_weight=30)) as (_, server):
        first = everybody(shop.listener)
        assert {"c"} < set(first)
        assert everybody(shop.listener) == first
        snapshot = resources([replace(shop, canary_weight=60)])
        server.publish(snapshot)
        eventually(lambda: server.nodes_at(snapshot))
        second = everybody(shop.listener)
    assert second.count("c") > first.count("c")
    assert all(now in (before, "c") for before, now in zip(first, second, strict=True))


def test_a_listener_for_both_families_answers_both(tmp_path: Path, shop: Application) -> None:
    with serving(tmp_path, shop, ipv6=True):
        assert asked(shop.listener, "127.0.0.1") in "123"
        assert asked(shop.listener, "::1", host="::1") in "123"
