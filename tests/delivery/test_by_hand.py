"""Annotations on a Canary: who asked, what is done, and that each is done just once."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery import schema
from delivery.admission import Answer, mutated
from delivery.by_hand import consumption, wishes_of
from delivery.canary import Phase, Status, Wish
from delivery.decision import Consume
from delivery.names import ABORT, APPROVE, ASKED_BY, BY_HAND, PAUSE, PROMOTE, RETRY
from delivery.rules import by_hand
from tests.delivery.reviews import AGENT, Document, admitted, request
from tests.delivery.scenes import (
    FINALISING,
    IDLE,
    JUDGED,
    PROMOTING,
    REFUSED,
    RELEASING,
    canary,
    decided,
    releasing,
    seen,
    silent,
    stepped,
    texts,
)

JANE = Wish(PROMOTE, "true", "jane", "7")
UNKNOWN = "an unknown user (admission did not see it)"
ABORTED = "Rolling back web.shop aborted by hand, asked by jane"
FAILED = "Canary failed! Scaling down web.shop"
COPYING = "Copying app.shop template spec to app-primary.shop"


def stored(**annotations: str) -> Document:
    """A Canary at resourceVersion 7."""
    found = schema.generated("web", "shop")
    said = {f"outrider.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    annotations = {**found["metadata"]["annotations"], **said}
    metadata = {**found["metadata"], "annotations": annotations, "resourceVersion": "7"}
    return {**found, "metadata": metadata}


def after(asked: Document, before: Document | None = None, *, user: str = "jane") -> Any:
    """The annotations with which it is stored."""
    return admitted(asked, before, user=user)["metadata"]["annotations"]


def mark(value: str | None, user: str = "jane", at: str = "7") -> dict[str, str | None]:
    return {"value": value, "user": user, "at": at}


def asked_by(annotations: Document) -> Any:
    return json.loads(annotations[ASKED_BY])


def test_admission_writes_down_who_asked() -> None:
    found = after(stored(promote="true"), stored())
    assert asked_by(found) == {PROMOTE: mark("true")}
    assert wishes_of(found) == (JANE,)


def test_a_second_look_changes_nothing() -> None:
    once = stored(promote="true", asked_by=after(stored(promote="true"), stored())[ASKED_BY])
    assert mutated(request(once, stored())) == Answer("unchanged")


def test_nobody_asks_in_anothers_name() -> None:
    forged = json.dumps({PROMOTE: mark("true", user="boss")})
    assert asked_by(after(stored(promote="true", asked_by=forged), stored())) == {
        PROMOTE: mark("true")
    }
    assert ASKED_BY not in after(stored(asked_by=forged), stored())
    assert ASKED_BY not in after(stored(asked_by=forged))


def test_another_wish_leaves_the_first_one_to_who_asked_for_it() -> None:
    first = json.dumps({PAUSE: mark("true", at="5")})
    before = stored(pause="true", asked_by=first)
    found = after(stored(pause="true", abort="true", asked_by=first), before, user="joe")
    assert asked_by(found) == {PAUSE: mark("true", at="5"), ABORT: mark("true", user="joe")}
    # Who replaces the whole object does not take the mark away.
    assert asked_by(after(stored(pause="true"), before)) == {PAUSE: mark("true", at="5")}


def test_who_takes_a_pause_off_is_written_down_too() -> None:
    before = stored(pause="true", asked_by=json.dumps({PAUSE: mark("true", at="5")}))
    assert asked_by(after(stored(), before, user="joe")) == {PAUSE: mark(None, user="joe")}


def test_what_the_agent_takes_off_is_off() -> None:
    before = stored(promote="true", asked_by=json.dumps({PROMOTE: mark("true")}))
    assert mutated(request(stored(), before, user=AGENT)) == Answer("agent")


@pytest.mark.parametrize("said", [{}, {"other": "x"}])
def test_a_canary_of_which_nobody_asks_anything_is_left_alone(said: dict[str, str]) -> None:
    assert mutated(request(stored(**said), stored())) == Answer("unchanged")


@pytest.mark.parametrize(
    "odd", ["", "no json", "[1]", json.dumps({PROMOTE: mark("false")}), json.dumps({PROMOTE: 1})]
)
def test_a_mark_that_does_not_fit_names_nobody(odd: str) -> None:
    assert wishes_of({PROMOTE: "true", ASKED_BY: odd}) == (Wish(PROMOTE, "true"),)


def test_a_canary_brings_its_wishes_safest_first() -> None:
    found = stored(**{key.partition("/")[2]: "true" for key in BY_HAND})
    wishes = schema.parse(found, schema.DEFAULTS).wishes
    assert [one.annotation for one in wishes] == [ABORT, PAUSE, RETRY, APPROVE, PROMOTE]


def asks(annotation: str, value: str | None = "true", asker: str = "jane") -> dict[str, Any]:
    return {"wishes": (Wish(annotation, value, asker, "7"),)}


def test_a_promotion_by_hand_ends_the_analysis() -> None:
    found = stepped(JUDGED, releasing(traffic={}), **asks(PROMOTE))
    assert texts(found) == [
        ("Normal", "Promoting web.shop by hand, asked by jane"),
        ("Normal", COPYING),
    ]
    status = found.canary.status
    assert (status.phase, status.answered) == (Phase.PROMOTING, {PROMOTE: "true@7"})


def test_a_wish_that_admission_did_not_see_counts_all_the_same() -> None:
    found = stepped(JUDGED, releasing(), wishes=(Wish(PROMOTE, "true"),))
    assert texts(found)[0][1] == f"Promoting web.shop by hand, asked by {UNKNOWN}"


def test_a_revision_that_is_not_taken_up_yet_is_first() -> None:
    found = stepped(JUDGED, seen("v3", scale=2), **asks(PROMOTE))
    assert (found.canary.status.observed, found.canary.status.answered) == ("v3", {})
    again = stepped(found.canary.status, seen("v3", scale=1), **asks(PROMOTE))
    assert (again.canary.status.phase, again.canary.status.observed) == (Phase.PROMOTING, "v3")


@pytest.mark.parametrize("status", [RELEASING, JUDGED])
def test_an_abort_takes_users_off_at_once(status: Status) -> None:
    found = stepped(status, releasing(), **asks(ABORT))
    assert texts(found) == [("Warning", ABORTED), ("Warning", FAILED)]
    after = found.canary.status
    assert (after.phase, after.canary_weight, after.failed) == (Phase.FAILED, 0, "v2")


@pytest.mark.parametrize("status", [PROMOTING, FINALISING])
def test_an_aborted_promotion_keeps_users_until_the_primary_is_back(status: Status) -> None:
    found = stepped(status, releasing(promoted="v2"), **asks(ABORT))
    assert texts(found) == [("Warning", ABORTED)]
    after = found.canary.status
    assert (after.phase, after.canary_weight) == (Phase.FAILED, status.canary_weight)
    assert (after.failed, after.promoted) == ("v2", "v1")


def test_what_was_refused_is_tried_again() -> None:
    found = stepped(REFUSED, releasing(), **asks(RETRY))
    assert texts(found) == [("Normal", "Retrying web.shop by hand, asked by jane")]
    again = stepped(found.canary.status, releasing()).canary.status
    assert (again.phase, again.observed, again.failed) == (Phase.PROGRESSING, "v2", "")


def test_after_a_failed_promotion_a_retry_waits_for_the_primary() -> None:
    keeping = replace(REFUSED, canary_weight=50)
    look = releasing(promoted="v2")
    found = stepped(stepped(keeping, look, **asks(RETRY)).canary.status, look)
    assert (found.canary.status.phase, found.canary.status.canary_weight) == (Phase.FAILED, 50)


NO_RELEASE = "no release of web.shop is under way"
NOT_REFUSED = "app does not hold a refused revision"
SUSPENDED = "spec.suspend holds it"


@pytest.mark.parametrize(
    ("status", "annotation", "changes", "why"),
    [
        (IDLE, PROMOTE, {}, NO_RELEASE),
        (IDLE, ABORT, {}, NO_RELEASE),
        (IDLE, RETRY, {}, NO_RELEASE),
        (REFUSED, PROMOTE, {}, NO_RELEASE),
        (PROMOTING, PROMOTE, {}, "web.shop is Promoting"),
        (JUDGED, RETRY, {}, "web.shop is Progressing"),
        (JUDGED, APPROVE, {}, "web.shop waits for no approval"),
        (PROMOTING, APPROVE, {}, "web.shop is Promoting"),
        (replace(REFUSED, failed="v0"), RETRY, {}, NOT_REFUSED),
        (replace(REFUSED, observed="v0", failed="v0"), RETRY, {}, NOT_REFUSED),
        (REFUSED, RETRY, {"suspend": True}, SUSPENDED),
        (JUDGED, PROMOTE, {"suspend": True}, SUSPENDED),
        (Status(), PROMOTE, {}, "web.shop is not adopted yet"),
    ],
)
def test_what_cannot_be_done_is_answered(
    status: Status, annotation: str, changes: dict[str, Any], why: str
) -> None:
    found = stepped(status, releasing(), **asks(annotation), **changes)
    text = f"{annotation} is not acted on, asked by jane: {why}"
    assert texts(found) == [("Warning", text)]
    assert found.canary.status.answered == {annotation: "true@7"}
    assert found.canary.status.phase is status.phase


@pytest.mark.parametrize("annotation", BY_HAND)
@pytest.mark.parametrize("value", ["yes", ""])
def test_unknown_words_are_answered(annotation: str, value: str) -> None:
    found = stepped(JUDGED, releasing(), **asks(annotation, value))
    why = f'"{value}" is unknown; use "true"'
    assert texts(found) == [("Warning", f"{annotation} is not acted on, asked by jane: {why}")]


def test_without_its_deployment_nothing_is_said_yet() -> None:
    assert silent(by_hand.wish_is_answered, JUDGED, seen(target=None), **asks(ABORT))


def test_what_was_answered_is_taken_off_and_not_done_again() -> None:
    first = stepped(JUDGED, releasing(), **asks(PROMOTE)).canary
    assert list(consumption(first)) == [Consume({PROMOTE: None, ASKED_BY: None})]
    # The agent died before it took the annotation off.
    status = replace(first.status, phase=Phase.PROGRESSING, observed="v2")
    again = stepped(status, releasing(), **asks(PROMOTE))
    assert again.canary.status.phase is Phase.PROGRESSING
    assert list(consumption(again.canary)) == [Consume({PROMOTE: None, ASKED_BY: None})]


def test_the_same_words_said_later_are_another_wish() -> None:
    status = replace(JUDGED, answered={PROMOTE: "true@7"})
    later = (Wish(PROMOTE, "true", "jane", "9"),)
    assert stepped(status, releasing(), wishes=later).canary.status.phase is Phase.PROMOTING
    gone = stepped(status, releasing())
    assert gone.canary.status.answered == {}
    unseen = stepped(gone.canary.status, releasing(), wishes=(Wish(PROMOTE, "true"),))
    assert unseen.canary.status.phase is Phase.PROMOTING


def test_what_was_not_answered_yet_stays() -> None:
    both = (Wish(ABORT, "true", "jane", "7"), Wish(PROMOTE, "true", "joe", "8"))
    first = stepped(JUDGED, releasing(), wishes=both).canary
    left = json.dumps({PROMOTE: {"value": "true", "user": "joe", "at": "8"}})
    (found,) = consumption(first)
    assert found.annotations[ABORT] is None
    assert json.loads(found.annotations[ASKED_BY] or "") == json.loads(left)
    second = stepped(first.status, releasing(), wishes=both)
    assert texts(second)[0][1].endswith(f"asked by joe: {NO_RELEASE}")


PAUSED = "Pausing web.shop until outrider.dev/pause is taken off, asked by jane"


@pytest.mark.parametrize("status", [IDLE, RELEASING, JUDGED, PROMOTING, REFUSED])
def test_a_pause_stands_until_it_is_taken_off(status: Status) -> None:
    first = stepped(status, releasing(), **asks(PAUSE))
    assert texts(first) == [("Normal", PAUSED)]
    assert list(consumption(first.canary)) == []
    still = replace(status, paused="jane")
    ended = stepped(still, releasing(), **asks(PAUSE, None, "joe"))
    assert texts(ended) == [("Normal", "web.shop is paused no more, asked by joe")]
    assert list(consumption(ended.canary)) == [Consume({ASKED_BY: None})]
    assert stepped(still, releasing(), **asks(PAUSE, "false")).canary.status.paused == ""
    assert texts(stepped(still, releasing()))[0][1].endswith(f"asked by {UNKNOWN}")


def test_what_is_not_ours_is_not_paused() -> None:
    status = replace(IDLE, phase=Phase.TERMINATED)
    assert silent(by_hand.pause_is_taken, status, seen(), **asks(PAUSE))


@pytest.mark.parametrize("status", [replace(RELEASING, last_check=None), JUDGED])
@pytest.mark.parametrize("changes", [{}, {"skip_analysis": True}])
def test_a_paused_release_keeps_its_weight(status: Status, changes: dict[str, Any]) -> None:
    paused = replace(status, paused="jane")
    look = seen("v2", scale=2 if status.canary_weight else 1)
    found = stepped(paused, look, **asks(PAUSE), **changes)
    after = found.canary.status
    assert (after.phase, after.canary_weight) == (Phase.PROGRESSING, status.canary_weight)
    assert after.message == "web.shop is paused by jane"


def test_a_paused_release_is_judged_all_the_same() -> None:
    paused = replace(JUDGED, paused="jane")
    assert stepped(paused, releasing(), **asks(PAUSE)).canary.status.verdicts
    bad = {"request-success-rate": replace(releasing().traffic["request-success-rate"], bad=500)}
    failing = replace(paused, failed_checks=1)
    found = stepped(failing, releasing(traffic=bad), **asks(PAUSE))
    assert found.canary.status.phase is Phase.FAILED


def test_rules_of_by_hand_are_silent_when_nobody_asks() -> None:
    assert silent(by_hand.wish_is_answered, JUDGED, releasing())
    assert silent(by_hand.pause_is_taken, JUDGED, releasing())
    assert silent(by_hand.paused_release_holds, JUDGED, releasing())
    asked = asks(PROMOTE, None)
    assert silent(by_hand.wish_is_answered, JUDGED, releasing(), **asked)
    assert list(consumption(canary(JUDGED, **asked))) == [Consume({ASKED_BY: None})]
    assert decided(by_hand.wish_is_answered, JUDGED, releasing(), **asks(ABORT)).messages
