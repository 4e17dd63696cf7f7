"""What an API server would not keep of a router's object, and what becomes of a release then."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from delivery import external
from delivery.canary import Phase
from delivery.decision import Apply
from delivery.dropped import Answer, fields, is_kept, is_refusal, why
from delivery.observation import Observation, Routes
from delivery.routers.interface import Object
from delivery.rules.external import unkept_routes_halt, unkept_split_rolls_back
from delivery.step import step
from tests.delivery.routed import VIRTUAL, at, objects, routed, written
from tests.delivery.scenes import IDLE, JUDGED, releasing, seen

Spec = Mapping[str, Any]
UNDECLARED = (
    "PATCH /apis/x: 500 failed to create typed patch object (test/shop; Kind=HTTPRoute): errors:\n"
    "  .spec.rules[0].filters[0].requestMirror.percent: field not declared in schema\n"
    "  .spec.rules[1].timeouts: field not declared in schema"
)


def route(spec: Spec, kind: str = "HTTPRoute") -> Object:
    return {"kind": kind, "metadata": {"name": "shop", "namespace": "test"}, "spec": spec}


def answered(asked: Spec, got: Spec, kind: str = "HTTPRoute") -> Answer:
    return Answer(route(asked, kind), route(got, kind))


@pytest.mark.parametrize(
    ("asked", "got", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2, "more": 3}, []),
        ({"a": None}, {}, []),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{}]}}, ["spec.a.b[0].c"]),
        ({"a": [1, 2]}, {"a": [1]}, ["spec.a"]),
        ({"a": [1]}, {"a": "1"}, ["spec.a"]),
        ({"a": 1, "b": [1, {"c": 2}]}, {"b": [1, {}]}, ["spec.a", "spec.b[1].c"]),
    ],
)
def test_a_field_is_lost_that_was_asked_for_and_is_not_there(
    asked: Spec, got: Spec, expected: list[str]
) -> None:
    answer = answered(asked, got)
    assert fields(answer) == expected
    assert is_kept(answer) is not bool(expected)
    assert bool(why(answer)) is bool(expected)


@pytest.mark.parametrize(
    ("kind", "lost", "fix"),
    [
        ("HTTPRoute", {"percent": 5}, "upgrade the Gateway API's CRDs to 1.3 or later"),
        ("HTTPRoute", {"percent": 5, "cors": {}}, "upgrade the Gateway API's CRDs to 1.5 or later"),
        ("HTTPRoute", {"x": 5}, "upgrade the Gateway API's CRDs to a version that has it"),
        ("VirtualService", {"percent": 5}, "upgrade Istio's CRDs to a version that has it"),
    ],
)
def test_its_user_is_told_the_object_the_field_and_the_fix(kind: str, lost: Spec, fix: str) -> None:
    said = why(answered({"rules": [lost]}, {"rules": [{}]}, kind))
    others = " and 1 more" if len(lost) > 1 else ""
    assert said.startswith(f"{kind} shop.test would lose spec.rules[0].{next(iter(lost))}{others}")
    assert fix in said


def test_what_an_apply_is_refused_for_is_told_as_what_a_replacement_would_lose() -> None:
    answer = Answer(route({}), refused=UNDECLARED)
    assert fields(answer)[1] == "spec.rules[1].timeouts"
    assert "would lose spec.rules[0].filters[0].requestMirror.percent and 1 more" in why(answer)
    assert "1.3 or later" in why(answer)


def test_what_the_api_server_calls_wrong_is_told_in_its_own_words() -> None:
    answer = Answer(route({}), refused='422 filters[0].type: Unsupported value: "CORS"')
    assert not is_kept(answer)
    assert why(answer).endswith(
        'is not taken by the API server: 422 filters[0].type: Unsupported value: "CORS"'
    )


@pytest.mark.parametrize(
    ("status", "text", "refusal"),
    [(422, "no", True), (500, UNDECLARED, True), (500, "no", False), (409, "changed", False)],
)
def test_other_errors_are_no_word_about_the_object(status: int, text: str, refusal: bool) -> None:
    assert is_refusal(status, text) is refusal


def refusing(*, due: bool = False) -> Observation:
    """A look at a release whose split the API server would not keep."""
    (wanted,) = (
        one.manifest
        for one in external.differing(routed(JUDGED), at(objects(routed(IDLE)), releasing()))
    )
    answer = Answer(wanted, refused="422 no", due=due)
    return at(replace(objects(routed(IDLE)), answers={VIRTUAL: answer}), releasing())


def test_what_would_not_be_kept_is_not_written_again_until_it_is_due() -> None:
    found = routed(JUDGED)
    assert written(found, refusing()) == []
    (again,) = written(found, refusing(due=True))
    assert isinstance(again, Apply)
    for look in (refusing(), refusing(due=True)):
        assert external.unshown(found, look).endswith("not taken by the API server: 422 no")


def test_another_wish_is_written_whatever_became_of_the_last_one() -> None:
    other = routed(replace(JUDGED, canary_weight=40))
    assert len(written(other, refusing())) == 1
    assert external.dropped(other, refusing()) == ""


def test_what_was_kept_and_changed_by_hand_since_is_written_again() -> None:
    look = refusing()
    (answer,) = look.routes.answers.values()
    kept = replace(look.routes, answers={VIRTUAL: Answer(answer.asked, answer.asked)})
    assert len(written(routed(JUDGED), replace(look, routes=kept))) == 1


def test_a_split_that_would_not_be_kept_ends_the_release_at_once() -> None:
    decision = step(routed(JUDGED), refusing())
    status = decision.canary.status
    assert (status.phase, status.canary_weight, status.failed) == (Phase.FAILED, 0, "v2")
    assert "VirtualService web.shop is not taken by the API server" in status.message


@pytest.mark.parametrize(
    "look", [at(Routes(), releasing()), at(Routes(missing={"istio": "no CRDs"}), releasing())]
)
def test_what_nobody_has_asked_for_is_lost_to_nobody(look: Observation) -> None:
    assert unkept_split_rolls_back(routed(JUDGED), look) is None
    assert unkept_routes_halt(routed(JUDGED), look) is None


def test_who_leaves_is_not_halted_and_an_app_without_such_a_router_neither() -> None:
    assert unkept_routes_halt(routed(JUDGED), replace(refusing(), leaving="no label")) is None
    assert unkept_routes_halt(replace(routed(JUDGED), external=False), refusing()) is None
    assert unkept_routes_halt(routed(replace(JUDGED, apex_moved=None)), refusing()) is None


def test_no_release_begins_on_routes_that_cannot_be_as_intended() -> None:
    idle = routed(IDLE)
    wanted = next(external.differing(idle, at(Routes(), seen()))).manifest
    answer = Answer(wanted, refused="422 no")
    routes = Routes(answers={external.key(wanted): answer})
    waiting = step(idle, at(routes, releasing()))
    assert waiting.canary.status.phase is Phase.INITIALIZED
    assert "cannot be as intended: DestinationRule app-primary.shop" in waiting.reason


@pytest.mark.parametrize(
    ("kind", "routers"), [("HTTPRoute", True), ("DestinationRule", True), ("Service", False)]
)
def test_only_objects_of_routers_are_tried(kind: str, routers: bool) -> None:
    assert external.is_routers({"kind": kind}) is routers
