"""Whatever admission lets through of a route, a router takes: a refusal would halt the release."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from delivery.api.route import route_of
from delivery.canary import Analysis
from delivery.matching import Comparison, Match, Way
from delivery.routers.envoy import Application, Endpoint
from delivery.schema import parse, problems
from tests.agent.running_router import free_port, serving

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
ANALYSIS = {"interval": "5s", "threshold": 2, "stepWeight": 10}
POD = Endpoint("127.0.0.1", 9)
TEXTS = (
    "",
    "a",
    "/",
    "/shop/",
    "*",
    "ä",
    "a b",
    "%",
    "%%",
    "%REQ(x)%",
    "\\",
    "\\1",
    "a\tb",
    "\x00",
)
NAMES = (
    *("x", "X-Team", "server", "cookie", "x-forwarded-proto", "content-length", "connection", "te"),
    *("Host", ":authority", ":path", "a b", ""),
)
LENGTHS = ("0s", "1ns", "1ms", "1.5s", "24h", "100000h", "soon", "")
NUMBERS = (-1, 0, 1, 7, 2**31, 2**32 - 1, 2**32)
EXPRESSIONS = (".*", "", "[a-z]+", "(?i)a", r"\d{3}", "(", "a{1001}", r"(?=a)", "^a$|b")
WORDS = ("5xx", "gateway-error,503", "retriable-headers", "http3-post-connect-failure", "777", "")
MANY = 800


class Chance(random.Random):
    """Says something, or nothing."""

    def some(self, *values: Any) -> Any:
        return self.choice(values) if self.random() < 0.3 else None

    def compared(self) -> dict[str, str]:
        way = self.choice(("exact", "prefix", "suffix", "regex", ""))
        return {way: self.choice(EXPRESSIONS if way == "regex" else TEXTS)} if way else {}

    def each(self, pool: tuple[str, ...], value: Any) -> dict[str, Any]:
        return {self.choice(pool): value() for _ in range(self.randrange(3))}

    def operations(self) -> dict[str, Any]:
        pairs = [self.each(NAMES, lambda: self.choice(TEXTS)) for _ in range(2)]
        return {"add": pairs[0], "set": pairs[1], "remove": self.choices(NAMES, k=1)}

    def condition(self) -> dict[str, Any]:
        said = {name: self.some(self.compared()) for name in ("uri", "method", "authority")}
        for name in ("headers", "withoutHeaders", "queryParams"):
            said[name] = self.some(self.each(NAMES, self.compared))
        return given({**said, "ignoreUriCase": self.some(True), "port": self.some(80, 81)})

    def service(self) -> dict[str, Any]:
        limits = {
            "tcp": {"maxConnections": self.choice(NUMBERS), "connectTimeout": self.choice(LENGTHS)},
            "http": {"maxRequestsPerConnection": self.choice(NUMBERS)},
        }
        alive = {"time": self.choice(LENGTHS), "probes": self.choice(NUMBERS)}
        retries = {"attempts": self.choice(NUMBERS), "retryOn": self.choice(WORDS)}
        cors = {
            "allowOrigins": [self.compared()],
            "allowMethods": [self.choice(TEXTS)],
            "allowHeaders": [self.choice(TEXTS)],
            "maxAge": self.choice(LENGTHS),
        }
        said = {
            "timeout": self.some(*LENGTHS),
            "retries": self.some({**retries, "perTryTimeout": self.choice(LENGTHS)}),
            "match": self.some([self.condition()]),
            "rewrite": self.some({"uri": self.choice(TEXTS), "authority": self.choice(TEXTS)}),
            "headers": self.some({"request": self.operations(), "response": self.operations()}),
            "corsPolicy": self.some(cors),
            "trafficPolicy": self.some(
                {"connectionPool": limits},
                {"connectionPool": {"tcp": {"tcpKeepalive": alive}}},
            ),
        }
        return {"port": 80, **given(said)}


def given(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value is not None}


def accepted(chance: Chance) -> Iterator[Application]:
    """Those of many Canaries that have no problems."""
    for number in range(MANY):
        spec = {"targetRef": TARGET, "analysis": ANALYSIS, "service": chance.service()}
        if problems({"spec": spec}):
            continue
        route = route_of(parse({"spec": spec}, Analysis()).words)
        yield Application(
            f"shop-{number}",
            80,
            free_port(),
            (POD,),
            (POD,),
            None,
            10,
            matches=(Match((Comparison("x-beta", Way.EXACT, "yes"),)),),
            mirror=5,
            route=route,
        )


def test_a_router_takes_whatever_was_admitted(tmp_path: Path) -> None:
    every = list(accepted(Chance(1)))
    assert len(every) > MANY / 10
    with serving(tmp_path, *every):
        pass  # refusals are looked for when it ends
