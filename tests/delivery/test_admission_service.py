import json
from typing import Any

import pytest

from delivery import names
from tests.delivery.reviews import AGENT, Document, admitted, answer, service

ROUTERS = {"app.kubernetes.io/name": "outrider-router"}
ROUTE = json.dumps({"selector": ROUTERS, "targetPorts": {"80": 20001}})
BACK = json.dumps({"selector": {"app": "web", "outrider.dev/role": "primary"}})


def origin(selector: dict[str, str] | None = None, port: int | str = 8080) -> str:
    said: dict[str, Any] = {"selector": selector or {"app": "web"}, "targetPorts": {"80": port}}
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


BOTH = json.dumps({"selector": ROUTERS, "targetPorts": {"80": 20001, "81": 20002}})
TWO, SWAPPED = (origin().replace('"80":8080', f'"80":{one},"81":9090') for one in (8080, 9090))

MARKS = {names.ROUTE: ROUTE, names.ORIGIN: origin()}


def routed(marks: dict[str, str] | None = None) -> Document:
    return service(MARKS if marks is None else marks, ROUTERS, {80: 20001})


def wish(said: str) -> dict[str, str]:
    return {names.ROUTE: ROUTE, names.ORIGIN: said, names.WISHED: "7"}


UPDATES: list[tuple[str, str, Document, Document, Document]] = [
    ("the agent routes", AGENT, service(), service({names.ROUTE: ROUTE}), routed()),
    ("a re-apply changes nothing", "jane", routed(), service(MARKS), routed()),
    ("a replace changes nothing", "jane", routed(), service(), routed()),
    (
        "a client-side apply merges selectors",
        "jane",
        routed(),
        service(MARKS, {"app": "web", **ROUTERS}),
        routed(),
    ),
    (
        "another selector is kept for later",
        "jane",
        routed(),
        service(MARKS, {"app": "web2", **ROUTERS}),
        routed(wish(origin({"app": "web2"}))),
    ),
    (
        "another targetPort is kept for later",
        "jane",
        routed(),
        service(MARKS, ports={80: "http"}),
        routed(wish(origin(port="http"))),
    ),
    (
        "a port that is not routed is the user's",
        "jane",
        routed(),
        service(MARKS, ROUTERS, {80: 20001, 81: 9090}),
        service(MARKS, ROUTERS, {80: 20001, 81: 9090}),
    ),
    (
        "a port that got a routed one's number by hand has its own target",
        "jane",
        service({names.ROUTE: BOTH, names.ORIGIN: TWO}, ROUTERS, {80: 20001, 81: 20002}),
        service({names.ROUTE: BOTH, names.ORIGIN: TWO}, ROUTERS, {80: 20002}),
        service(
            {names.ROUTE: BOTH, names.ORIGIN: SWAPPED, names.WISHED: "7"}, ROUTERS, {80: 20001}
        ),
    ),
    (
        "a target that was written while nobody was asked is a wish",
        "jane",
        service(MARKS, ROUTERS, {80: 9090}),
        service(MARKS, ROUTERS, {80: 9090}),
        routed(wish(origin(port=9090))),
    ),
    (
        "a wiring that only stands there is no wish",
        "jane",
        service(MARKS, {"old": "route"}, {80: 20000}),
        service(MARKS, {"old": "route"}, {80: 20000}),
        routed(),
    ),
    (
        "the agent ends the route",
        AGENT,
        routed(),
        service({names.ORIGIN: origin()}, ROUTERS, {80: 20001}),
        service(),
    ),
    (
        "the agent ends the route and its origin at once",
        AGENT,
        routed(),
        service({}, ROUTERS, {80: 20001}),
        service(),
    ),
    (
        "the agent ends the route of a port that was numbered anew by hand",
        AGENT,
        service(MARKS, ROUTERS, {8080: 20001}),
        service({names.ORIGIN: origin().replace("80", "8080", 1)}, ROUTERS, {8080: 20001}),
        service(ports={8080: 8080}),
    ),
    (
        "the agent points back at the primary",
        AGENT,
        routed(),
        service({**MARKS, names.ROUTE: BACK}, ROUTERS, {80: 20001}),
        service(
            {**MARKS, names.ROUTE: BACK},
            {"app": "web", "outrider.dev/role": "primary"},
            {80: 8080},
        ),
    ),
    (
        "only ports are routed",
        AGENT,
        service(),
        service({names.ROUTE: '{"targetPorts":{"80":20001}}'}),
        service(
            {names.ROUTE: '{"targetPorts":{"80":20001}}', names.ORIGIN: origin()},
            ports={80: 20001},
        ),
    ),
    (
        "an ordinary Service is left alone",
        "jane",
        service(),
        service(selector={"app": "web2"}),
        service(selector={"app": "web2"}),
    ),
    (
        "an unreadable route is left alone",
        "jane",
        service({names.ROUTE: "{"}),
        service({}, {"app": "web2"}),
        service({names.ROUTE: "{"}, {"app": "web2"}),
    ),
    (
        "an unreadable origin is replaced by a wish",
        "jane",
        routed({names.ROUTE: ROUTE, names.ORIGIN: "?"}),
        service(),
        routed(wish(origin())),
    ),
]


@pytest.mark.parametrize(("what", "user", "stored", "asked", "expected"), UPDATES)
def test_an_update(
    what: str, user: str, stored: Document, asked: Document, expected: Document
) -> None:
    assert admitted(asked, stored, user=user) == expected, what


@pytest.mark.parametrize(("what", "user", "stored", "asked", "expected"), UPDATES)
def test_a_second_look_changes_nothing(
    what: str, user: str, stored: Document, asked: Document, expected: Document
) -> None:
    assert answer(expected, stored, user=user).operations == (), what


def test_a_user_creates_without_our_annotations() -> None:
    assert admitted(service({names.ROUTE: ROUTE, names.ORIGIN: origin()})) == service()


def test_what_the_agent_creates_is_left_alone() -> None:
    assert answer(service({names.ROUTE: ROUTE}), user=AGENT).operations == ()


@pytest.mark.parametrize(
    "route",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"selector":[]}',
        '{"selector":{"a":1}}',
        '{"targetPorts":[]}',
        '{"targetPorts":{"http":1}}',
        '{"targetPorts":{"80":true}}',
        '{"targetPorts":{"80":[]}}',
    ],
)
def test_a_route_that_cannot_be_read_is_complained_of(route: str) -> None:
    said = answer(service({names.ROUTE: route}), service(), user=AGENT)
    assert (said.operations, said.decision) == ((), "unreadable")
    assert "outrider.dev/route cannot be read" in said.warnings[0]


@pytest.mark.parametrize(
    ("user", "asked", "decision", "hints"),
    [
        ("jane", routed(), "unchanged", 0),
        ("jane", service(), "kept", 0),
        ("jane", service(selector={"app": "web2"}), "wish", 1),
        (AGENT, routed(), "agent", 0),
    ],
)
def test_the_decision_in_a_word(user: str, asked: Document, decision: str, hints: int) -> None:
    said = answer(asked, routed(), user=user)
    assert (said.decision, len(said.warnings)) == (decision, hints)


@pytest.mark.parametrize("spec", [None, {}, {"ports": "odd"}, {"ports": [1, {"port": 80}]}])
def test_an_odd_service_gets_what_can_be_set(spec: Any) -> None:
    found = admitted({**routed(), "spec": spec}, routed())
    assert (found["spec"] or {}).get("selector") in (None, ROUTERS)
    assert found["metadata"]["annotations"][names.ROUTE] == ROUTE
