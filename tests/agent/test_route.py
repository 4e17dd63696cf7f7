"""What `spec.service` says of the route, through a real Envoy: each field does what it says."""

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.matching import Comparison, Match, Way
from delivery.route import Route
from delivery.routers.envoy import Application
from tests.agent.echoes import Echo, asked, counted
from tests.agent.pods import Pod
from tests.agent.running_router import application, eventually, said, serving

SLOW = 4.0


def shop(stack: ExitStack, route: Route, primary: Any = None, canary: Any = None) -> Application:
    first = stack.enter_context(Pod(primary or Echo("primary"))).endpoint
    second = (stack.enter_context(Pod(canary)).endpoint,) if canary else ()
    return replace(application(primary=(first,), canary=second), route=route)


def test_a_timeout_ends_the_wait_and_counts_as_a_failure(tmp_path: Path, stack: ExitStack) -> None:
    slow = shop(stack, said(timeout="200ms"), Echo("primary", pause=SLOW))
    with serving(tmp_path, slow) as (router, _):
        began = time.monotonic()
        answer = asked(slow.listener)
        assert (answer.status, answer.text) == (504, "upstream request timeout")
        assert time.monotonic() - began >= 0.15
        eventually(lambda: counted(router)["shop/80/primary"].requests == 1)
        eventually(lambda: counted(router)["shop/80/primary"].failures == 1)


@pytest.mark.parametrize(
    "service",
    [
        {"backendTimeout": "200ms", "retries": {"attempts": 2, "retryOn": "gateway-error"}},
        {"retries": {"attempts": 2, "perTryTimeout": "200ms", "retryOn": "5xx"}},
    ],
)
def test_each_try_has_its_own_time(
    tmp_path: Path, stack: ExitStack, service: dict[str, Any]
) -> None:
    slow = Echo("primary", pause=SLOW)
    one = shop(stack, said(**service), slow)
    with serving(tmp_path, one):
        began = time.monotonic()
        assert asked(one.listener).status == 504
        assert time.monotonic() - began >= 0.5
    assert slow.asked == 3


@pytest.mark.parametrize(
    ("retries", "status", "tries"),
    [
        ({"attempts": 2, "retryOn": "5xx"}, 200, 3),
        ({"attempts": 1, "retryOn": "5xx"}, 500, 2),
        ({"attempts": 0, "retryOn": "5xx"}, 500, 1),
        ({"attempts": 2, "retryOn": "gateway-error"}, 500, 1),
        ({"attempts": 2, "retryOn": "gateway-error, 500"}, 200, 3),
        ({"attempts": 2}, 500, 1),
    ],
)
def test_what_is_said_of_retries_is_tried_again_and_no_more(
    tmp_path: Path, stack: ExitStack, retries: dict[str, Any], status: int, tries: int
) -> None:
    failing = Echo("primary", "500 No", "500 No")
    one = shop(stack, said(retries=retries), failing)
    with serving(tmp_path, one) as (router, _):
        assert asked(one.listener).status == status
        assert failing.asked == tries
        eventually(lambda: counted(router)["shop/80/primary"].bad == 1)


def test_what_a_retry_heals_counts_against_the_canary_all_the_same(
    tmp_path: Path, stack: ExitStack
) -> None:
    route = said(retries={"attempts": 1, "retryOn": "5xx"})
    one = shop(stack, route, canary=Echo("canary", *["503 No", "200 OK"] * 10))
    with serving(tmp_path, replace(one, canary_weight=100)) as (router, _):
        assert {asked(one.listener).status for _ in range(10)} == {200}
        eventually(lambda: counted(router)["shop/80/canary"].bad == 10)


def test_headers_are_added_set_and_removed_on_both_ways(tmp_path: Path, stack: ExitStack) -> None:
    route = said(
        headers={
            "request": {
                "add": {"x-add": "100%"},
                "set": {"x-set": "ours", "x-forwarded-proto": "https"},
                "remove": ["x-gone"],
            },
            "response": {
                "add": {"x-more": "a"},
                "set": {"server": "hidden"},
                "remove": ["x-version"],
            },
        }
    )
    one = shop(stack, route)
    with serving(tmp_path, one):
        for brought in ({}, {"x_forwarded_proto": "http"}):
            answer = asked(one.listener, x_add="1", x_set="theirs", x_gone="1", **brought)
            wanted = ["x-add: 1", "x-add: 100%", "x-set: ours", "x-forwarded-proto: https"]
            found = [each.lower() for each in answer.got if each.lower().startswith("x-")]
            assert sorted(found) == sorted(wanted)
            assert (answer.headers["x-more"], answer.headers["server"]) == ("a", "hidden")
            assert "x-version" not in answer.headers


REWRITTEN: list[tuple[dict[str, Any], str, str]] = [
    ({"rewrite": {"uri": "/"}}, "/a/b?c=d", "/a/b?c=d"),
    ({"rewrite": {"uri": "/v1"}}, "/a?c=d", "/v1/a?c=d"),
    ({"rewrite": {"uri": "/v1", "type": "ReplaceFullPath"}}, "/a/b?c=d", "/v1?c=d"),
    ({"match": [{"uri": {"prefix": "/shop"}}], "rewrite": {"uri": "/"}}, "/shop/a", "/a"),
    ({"match": [{"uri": {"prefix": "/shop"}}], "rewrite": {"uri": "/"}}, "/shop", "/"),
    ({"match": [{"uri": {"prefix": "/shop/"}}], "rewrite": {"uri": "/"}}, "/shop/a/", "/a/"),
    ({"match": [{"uri": {"prefix": "/s.p"}}], "rewrite": {"uri": "/x"}}, "/s.p/a", "/x/a"),
    (
        {
            "match": [{"uri": {"prefix": "/SHOP"}, "ignoreUriCase": True}],
            "rewrite": {"uri": "/x", "type": "ReplacePrefixMatch"},
        },
        "/Shop/a",
        "/x/a",
    ),
    ({"match": [{"uri": {"exact": "/a"}}], "rewrite": {"uri": "/b"}}, "/a?c=d", "/b?c=d"),
    ({"match": [{"uri": {"regex": "/[ab]+"}}], "rewrite": {"uri": r"/\1"}}, "/ab", r"/\1"),
    ({"match": [{"uri": {"suffix": ".png"}}], "rewrite": {"uri": "/p"}}, "/a.png?b", "/p?b"),
]


def test_the_app_sees_the_path_that_was_rewritten(tmp_path: Path, stack: ExitStack) -> None:
    shops = [
        replace(shop(stack, said(**service)), name=f"shop-{number}")
        for number, (service, _, _) in enumerate(REWRITTEN)
    ]
    with serving(tmp_path, *shops):
        for one, (_, path, got) in zip(shops, REWRITTEN, strict=True):
            answer = asked(one.listener, path)
            assert answer.path == got
            assert [each for each in answer.got if "original" in each] == []


@pytest.mark.parametrize(
    "service",
    [
        {"rewrite": {"authority": "other.example"}},
        {"headers": {"request": {"set": {"Host": "other.example"}}}},
    ],
)
def test_the_app_sees_the_host_that_was_rewritten(
    tmp_path: Path, stack: ExitStack, service: dict[str, Any]
) -> None:
    one = shop(stack, said(**service))
    with serving(tmp_path, one):
        assert "host: other.example" in map(str.lower, asked(one.listener).got)


CORS = {
    "allowOrigin": ["https://old.example"],
    "allowOrigins": [{"exact": "https://shop.example"}, {"regex": r"https://.*\.shop\.example"}],
    "allowMethods": ["GET", "PUT"],
    "allowHeaders": ["x-token"],
    "exposeHeaders": ["x-total"],
    "maxAge": "24h",
    "allowCredentials": True,
}


def test_browsers_of_other_origins_are_told_what_they_may_do(
    tmp_path: Path, stack: ExitStack
) -> None:
    echo = Echo("primary")
    one = shop(stack, said(corsPolicy=CORS), echo)
    wish = {"access_control_request_method": "PUT"}
    with serving(tmp_path, one):
        for origin in ("https://old.example", "https://a.shop.example"):
            told = asked(one.listener, method="OPTIONS", origin=origin, **wish)
            found = {
                name.removeprefix("access-control-"): value
                for name, value in told.headers.items()
                if name.startswith("access-control-")
            }
            assert (told.status, found) == (
                200,
                {
                    "allow-origin": origin,
                    "allow-methods": "GET,PUT",
                    "allow-headers": "x-token",
                    "allow-credentials": "true",
                    "max-age": "86400",
                    "expose-headers": "x-total",
                },
            )
        assert echo.asked == 0
        answer = asked(one.listener, origin="https://shop.example")
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-expose-headers"] == "x-total"
        other = asked(one.listener, origin="https://evil.example")
        assert (other.status, other.headers["access-control-allow-origin"]) == (200, None)


@pytest.mark.parametrize("every", [{"allowOrigin": ["*"]}, {"allowOrigins": [{}]}])
def test_all_origins_may_be_meant(tmp_path: Path, stack: ExitStack, every: dict[str, Any]) -> None:
    one = shop(stack, said(corsPolicy=every))
    with serving(tmp_path, one):
        answer = asked(one.listener, origin="https://any.example")
        assert answer.headers["access-control-allow-origin"] in ("*", "https://any.example")


MATCHED = [
    {"uri": {"prefix": "/api"}, "method": {"exact": "GET"}, "withoutHeaders": {"x-old": {}}},
    {"authority": {"suffix": ".test"}, "headers": {"x-beta": {"exact": "yes"}}},
    {"queryParams": {"beta": {}}, "withoutHeaders": {"x-old": {"exact": "yes"}}},
    {"uri": {"exact": "/port"}, "port": 81},
]


def test_what_matches_is_divided_and_treated_and_all_else_goes_to_the_primary_as_it_is(
    tmp_path: Path, stack: ExitStack
) -> None:
    route = said(match=MATCHED, headers={"request": {"set": {"x-treated": "yes"}}})
    one = replace(shop(stack, route, canary=Echo("canary")), canary_weight=100)
    cases = [
        ("/api/a", {}, "canary"),
        ("/api", {"method": "POST"}, "primary"),
        ("/api", {"x_old": "1"}, "primary"),
        ("/", {}, "primary"),
        ("/", {"x_beta": "yes"}, "primary"),
        ("/", {"x_beta": "yes", "host": "a.test"}, "canary"),
        ("/?beta", {}, "canary"),
        ("/?beta", {"x_old": "no"}, "canary"),
        ("/?beta", {"x_old": "yes"}, "primary"),
        ("/port", {}, "primary"),
    ]
    with serving(tmp_path, one) as (router, _):
        for path, more, who in cases:
            answer = asked(one.listener, path, **more)
            treated = "x-treated: yes" in map(str.lower, answer.got)
            assert (answer.status, answer.who, treated) == (200, who, who == "canary"), path
        eventually(lambda: counted(router)["shop/80/canary"].requests == 4)
        assert counted(router)["shop/80/unmatched"].requests == 6
        assert "shop/80/primary" not in counted(router)


def test_an_ab_test_is_among_those_that_the_route_is_about(
    tmp_path: Path, stack: ExitStack
) -> None:
    beta = Match((Comparison("x-beta", Way.EXACT, "yes"),))
    route = said(match=[{"uri": {"prefix": "/api"}}])
    one = replace(shop(stack, route, canary=Echo("canary")), matches=(beta,))
    with serving(tmp_path, one):
        found = [
            asked(one.listener, path, **more).who
            for path in ("/api", "/")
            for more in ({"x_beta": "yes"}, {})
        ]
        assert found == ["canary", "primary", "primary", "primary"]


def test_what_is_not_meant_is_served_by_the_canary_when_it_alone_has_pods(
    tmp_path: Path, stack: ExitStack
) -> None:
    route = said(match=[{"uri": {"prefix": "/api"}}])
    one = replace(shop(stack, route, canary=Echo("canary")), canary_weight=100, primary=())
    with serving(tmp_path, one):
        assert asked(one.listener, "/else").who == "canary"
