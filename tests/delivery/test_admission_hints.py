"""What admission tells of a release: its number, and the command that waits for its end."""

from collections.abc import Mapping
from typing import Any

from delivery import names
from delivery.admission.answer import WARNING_LIMIT
from delivery.hashing import template_hash
from tests.delivery.reviews import Document, admitted, answer, deployment

FIRST, SECOND = (
    template_hash(deployment(image=image)["spec"]["template"]) for image in ("web:1", "web:2")
)
HELD = {
    **{names.SCALE: "0", names.REPLICAS: "3"},
    **{names.ADMITTED: FIRST, names.RELEASE: "0"},
}
NEXT = {**HELD, names.ADMITTED: SECOND, names.RELEASE: "1"}


def held(annotations: Mapping[str, str] = HELD, **spec: Any) -> Document:
    """The stored Deployment while its target is held at 0."""
    mark = {names.ROLE: names.CANARY}
    return deployment(annotations, **{"replicas": 0, "labels": mark, **spec})


WAIT = (
    "kubectl wait canary/web -n shop --for=jsonpath='{.status.outcomes.1}' --timeout=10m"
    " -o jsonpath='{.status.outcomes.1}' | grep promoted"
)


def test_a_new_version_says_how_to_wait() -> None:
    said = answer(held(image="web:2"), held())
    assert said.decision == "release"
    assert said.warnings == (
        "outrider: web is released as a canary; this ends well only if it is promoted:",
        WAIT,
    )


def test_each_new_version_has_the_next_number() -> None:
    """Also one that was there before: what became of it then says nothing of now."""
    second = admitted(held(image="web:2"), held())
    third = admitted(held(image="web:1"), second)
    assert third["metadata"]["annotations"] == {**HELD, names.RELEASE: "2"}


def test_an_app_that_was_held_before_releases_had_numbers_gets_the_first() -> None:
    stored = held({**HELD, names.RELEASE: "x"})
    assert admitted(held(stored["metadata"]["annotations"], image="web:2"), stored) == held(
        NEXT, image="web:2"
    )


def long_hint(length: int) -> tuple[str, ...]:
    marks = {**HELD, names.CANARY_OF: "c" * length}
    return answer(held(marks, image="web:2"), held(marks)).warnings


def test_a_command_is_whole_or_not_said() -> None:
    """Without its end it would end well whatever becomes of the release."""
    longest = next(length for length in range(253, 0, -1) if len(long_hint(length)) == 2)
    assert long_hint(longest)[1].endswith("| grep promoted")
    assert len(long_hint(longest)[1]) == WARNING_LIMIT
    (said,) = long_hint(longest + 1)
    assert said.endswith("its outcome will be in .status.outcomes.1 of its Canary")


def test_the_longest_usual_names_leave_room_for_the_command() -> None:
    assert len(WAIT) - len("web" + "shop") + 63 + 63 <= WARNING_LIMIT


def test_a_canary_of_another_name_is_named() -> None:
    marks = {**HELD, names.CANARY_OF: "web-canary"}
    said = answer(held(marks, image="web:2"), held(marks))
    assert "kubectl wait canary/web-canary -n shop" in said.warnings[1]


def test_an_update_while_adopting_is_said_to_be_held() -> None:
    hold = {names.HOLD: "adopting", names.CANARY_OF: "web"}
    said = answer(deployment(hold, image="web:2"), deployment(hold))
    assert said.warnings == (
        "outrider: web is being adopted, this update is its first release;"
        " this ends well only if it is promoted:",
        WAIT,
    )


def test_an_update_while_leaving_is_said_to_be_judged_by_nobody() -> None:
    leaving = {**HELD, names.LEAVING: "true"}
    said = answer(held(leaving, image="web:2"), held(leaving))
    assert said.warnings == ("outrider: web is being given back: nobody judges this update",)
