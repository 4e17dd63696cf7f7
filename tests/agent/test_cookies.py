"""Browsers that keep their cookies, through a real Envoy: nobody flips back in a release."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from agent.xds import AdsServer
from delivery.canary import Affinity
from delivery.cookies import Cookies
from delivery.matching import Comparison, Match, Way
from delivery.routers.envoy import Application, resources
from tests.agent.pods import Pod, answers
from tests.agent.running_router import application, eventually, serving

CANARY = Cookies(Affinity("sticky", max_age=600), "sticky=aaaaaaaaaa", previous="sticky=zzzzzzzzzz")
BOTH = Cookies(Affinity("sticky", "stable", 600, 600), "sticky=aaaaaaaaaa", "stable=bbbbbbbbbb")
BETA = Match(headers=(Comparison("x-beta", Way.EXACT, "yes"),))


@dataclass
class Browser:
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def asks(self, path: str = "/", **headers: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        cookies = {"own": "1", **self.cookies}
        said = "; ".join(f"{name}={value}" for name, value in cookies.items())
        try:
            connection.request("GET", path, headers={"Cookie": said, **headers})
            answer = connection.getresponse()
            self.met.append(answer.read().decode())
            self.told = answer.headers.get_all("set-cookie") or []
        finally:
            connection.close()
        for line in self.told:
            for name, one in SimpleCookie(line).items():
                self.cookies[name] = one.value
                if one["max-age"] and int(one["max-age"]) < 0:
                    del self.cookies[name]
        return self.met[-1]


@pytest.fixture
def shop() -> Iterator[Application]:
    with ExitStack() as stack:
        primary, canary = (
            stack.enter_context(Pod(answers(name.encode()))).endpoint for name in "pc"
        )
        yield replace(application(primary=(primary,), canary=(canary,)), cookies=CANARY)


def told(server: AdsServer, shop: Application) -> None:
    snapshot = resources([shop])
    server.publish(snapshot)
    eventually(lambda: server.nodes_at(snapshot))


def test_who_has_met_the_canary_meets_nobody_else_until_the_release_is_over(
    tmp_path: Path, shop: Application
) -> None:
    browsers = [Browser(shop.listener) for _ in range(60)]
    with serving(tmp_path, replace(shop, canary_weight=10)) as (_, server):
        for weight in (10, 30, 60, 20):
            told(server, replace(shop, canary_weight=weight))
            for _ in range(5):
                for browser in browsers:
                    browser.asks()
        for browser in browsers:
            assert "".join(browser.met).lstrip("p").strip("c") == ""
        assert sum("c" in browser.met for browser in browsers) > 30
        ended = replace(CANARY, canary="", previous=CANARY.canary)
        told(server, replace(shop, cookies=ended))
        for browser in browsers:
            assert browser.asks() == "p"
            assert browser.cookies == {}
            browser.asks()
            assert browser.told == []


def test_a_cookie_holds_below_every_path_and_is_renewed(tmp_path: Path, shop: Application) -> None:
    with serving(tmp_path, replace(shop, canary_weight=50)):
        browser = Browser(shop.listener)
        while browser.asks("/cart/items?a=b") != "c":
            assert browser.told == []
        assert browser.told == ["sticky=aaaaaaaaaa; Max-Age=600; Path=/"]
        for _ in range(20):
            assert browser.asks() == "c"
            assert browser.told == ["sticky=aaaaaaaaaa; Max-Age=600; Path=/"]


def test_users_of_the_primary_stay_there_too_if_that_is_asked_for(
    tmp_path: Path, shop: Application
) -> None:
    browsers = [Browser(shop.listener) for _ in range(30)]
    with serving(tmp_path, replace(shop, canary_weight=50, cookies=BOTH)):
        for _ in range(8):
            for browser in browsers:
                browser.asks()
    assert {"".join(browser.met) for browser in browsers} == {"p" * 8, "c" * 8}


def test_what_a_release_before_has_left_is_taken_back_or_replaced(
    tmp_path: Path, shop: Application
) -> None:
    with serving(tmp_path, replace(shop, canary_weight=50)):
        for _ in range(20):
            browser = Browser(shop.listener, {"sticky": "zzzzzzzzzz"})
            half = browser.asks()
            assert browser.cookies == ({"sticky": "aaaaaaaaaa"} if half == "c" else {})


def test_who_has_matched_once_stays_without_matching(tmp_path: Path, shop: Application) -> None:
    with serving(tmp_path, replace(shop, matches=(BETA,), cookies=BOTH)):
        browser = Browser(shop.listener)
        assert [browser.asks(), browser.asks(**{"x-beta": "yes"})] == ["p", "c"]
        assert {browser.asks() for _ in range(10)} == {"c"}
        assert {Browser(shop.listener).asks() for _ in range(10)} == {"p"}


def test_the_cookies_of_the_app_stay_beside(tmp_path: Path) -> None:
    def sets(connection: object, head: bytes) -> bool:
        seen.append(head)
        reply = b"HTTP/1.1 200 OK\r\nSet-Cookie: own=2\r\nContent-Length: 1\r\n\r\nc"
        connection.sendall(reply)  # type: ignore[attr-defined]  # a socket
        return True

    seen: list[bytes] = []
    percent = replace(CANARY, affinity=Affinity("a%b"), canary="a%b=aaaaaaaaaa")
    with Pod(sets) as pod:
        shop = replace(application(canary=(pod.endpoint,)), canary_weight=100, cookies=percent)
        with serving(tmp_path, shop):
            browser = Browser(shop.listener)
            browser.asks()
            assert browser.told == ["own=2", "a%b=aaaaaaaaaa; Max-Age=86400; Path=/"]
            browser.asks()
    assert b"Cookie: own=2; a%b=aaaaaaaaaa" in seen[-1]
