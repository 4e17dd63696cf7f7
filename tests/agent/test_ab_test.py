"""Requests that match and requests that do not, through a real Envoy."""

import http.client
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.matching import Comparison, Match, Way
from delivery.routers.envoy import Application, Endpoint, resources
from tests.agent.pods import Pod, answers
from tests.agent.running_router import application, eventually, serving

LONG = "|".join(f"customer-{number}-of-many" for number in range(200))
MATCHES = (
    Match((Comparison("x-beta", Way.EXACT, "yes"),)),
    Match((Comparison("x-team", Way.PREFIX, "qa-"), Comparison("x-shift", Way.SUFFIX, "night"))),
    Match((Comparison("Cookie", Way.REGEX, "^(.*; *)?version=(canary|next)(;.*)?$"),)),
    Match(parameters=(Comparison("version", Way.EXACT, "next"),)),
    Match(parameters=(Comparison("preview", Way.PRESENT),)),
    Match(parameters=(Comparison("customer", Way.REGEX, LONG),)),
)
CASES = [
    ("/", {}, "p"),
    ("/", {"X-Beta": "yes"}, "c"),
    ("/", {"x-beta": "yes!"}, "p"),
    ("/", {"x-beta": "Yes"}, "p"),
    ("/", {"x-team": "qa-1"}, "p"),
    ("/", {"x-team": "qa-1", "x-shift": "the night"}, "c"),
    ("/", {"cookie": "a=b; version=canary; c=d"}, "c"),
    ("/", {"cookie": "version=next"}, "c"),
    ("/", {"cookie": "a=b; oldversion=next"}, "p"),
    ("/", {"cookie": "version=nextone"}, "p"),
    ("/cart?a=b&version=next", {}, "c"),
    ("/cart?version=nexti", {}, "p"),
    ("/cart?preview", {}, "c"),
    ("/?customer=customer-199-of-many", {}, "c"),
    ("/", {"x-beta": "yes", "x-forwarded-proto": "https"}, "c"),
    ("/", {"x-forwarded-proto": "https"}, "p"),
]


@pytest.fixture
def shop() -> Iterator[Application]:
    with ExitStack() as stack:
        primary, canary = (
            stack.enter_context(Pod(answers(name.encode()))).endpoint for name in "pc"
        )
        yield application(primary=(primary,), canary=(canary,))


def asked(port: int, path: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def all_asked(port: int) -> list[str]:
    return [asked(port, path, headers) for path, headers, _ in CASES]


def test_those_who_match_meet_the_canary_all_others_the_primary_and_nobody_flips(
    tmp_path: Path, shop: Application
) -> None:
    with serving(tmp_path, replace(shop, matches=MATCHES)) as (_, server):
        seen = Counter(tuple(all_asked(shop.listener)) for _ in range(20))
        assert seen == {tuple(who for _, _, who in CASES): 20}
        ended = resources([shop])
        server.publish(ended)
        eventually(lambda: server.nodes_at(ended))
        assert set(all_asked(shop.listener)) == {"p"}


def test_whoever_matches_is_served_by_the_primary_when_the_canary_has_no_pod(
    tmp_path: Path, shop: Application
) -> None:
    gone = replace(shop, matches=MATCHES, canary=(), fallback=Endpoint("127.0.0.1", 1))
    with serving(tmp_path, gone):
        assert set(all_asked(shop.listener)) == {"p"}
