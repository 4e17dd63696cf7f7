"""What became of each release: one answer for each number, and never that of another."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.canary import Phase, Status
from delivery.observation import Observation, Workload
from delivery.outcomes import KEPT, recorded
from tests.delivery.scenes import FINALISING, IDLE, JUDGED, NOW, PROMOTING, REFUSED, RELEASING

FRESH = replace(IDLE, phase=Phase.INITIALIZING)
SUCCEEDED = replace(IDLE, phase=Phase.SUCCEEDED, observed="v2", promoted="v2")
REVERTED = replace(REFUSED, observed="v1")
LEAVING = replace(RELEASING, phase=Phase.TERMINATING)
SPLIT = replace(REFUSED, canary_weight=50)


def look(revision: str, number: str | None, mark: str = "", **names_now: str) -> Observation:
    """A target whose template came by admission, unless another one did."""
    marks = {names.ADMITTED: mark or revision, names.RELEASE: number}
    annotations = {key: text for key, text in marks.items() if text is not None}
    found = Workload({"metadata": {"annotations": annotations}}, revision, 0)
    return Observation(NOW, target=found, names=names_now)


def taken(status: Status, seen: Observation, **before: Any) -> Status:
    """What is recorded when this status follows one that differed in so much."""
    return recorded(replace(status, **before), status, seen)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (FRESH, ""),
        (IDLE, "promoted"),
        (RELEASING, ""),
        (JUDGED, ""),
        (PROMOTING, ""),
        (FINALISING, ""),
        (SUCCEEDED, "promoted"),
        (REFUSED, "refused"),
        (SPLIT, "refused"),
        (REVERTED, "promoted"),
        (LEAVING, "refused"),
        (replace(LEAVING, promoted="v2"), "promoted"),
        (replace(LEAVING, phase=Phase.TERMINATED), "refused"),
    ],
)
def test_the_outcome_follows_from_where_the_release_stands(status: Status, expected: str) -> None:
    found = taken(status, look(status.observed, "7"))
    assert found == replace(status, release=7, outcomes={"7": expected} if expected else {})


@pytest.mark.parametrize(
    "seen",
    [
        Observation(NOW),
        look("v3", "8"),
        look("v1", None),
        look("v1", "x"),
        look("v1", "8", "v0"),
    ],
    ids=["no target", "not taken up", "no number", "unreadable", "slipped"],
)
def test_without_a_new_number_the_last_one_stays(seen: Observation) -> None:
    assert taken(IDLE, seen) == IDLE
    before = replace(SUCCEEDED, observed="v1", promoted="v1", release=7)
    assert taken(before, seen) == replace(before, outcomes={"7": "promoted"})


@pytest.mark.parametrize("known", [{"7": "promoted"}, {"6": "promoted"}])
def test_what_slipped_past_admission_has_no_number(known: Mapping[str, str]) -> None:
    """Nor does it change what became of the release before it."""
    status = replace(RELEASING, observed="v3", release=7, outcomes=known)
    found = taken(status, look("v3", "7", "v2", v2="v3"), observed="v2")
    assert (found.release, found.outcomes) == (None, {"7": "superseded", **known})
    assert recorded(found, found, look("v3", "7", "v2")) == found


def test_after_what_slipped_the_numbers_go_on() -> None:
    status = replace(RELEASING, observed="v4", outcomes={"7": "promoted"})
    found = taken(status, look("v4", "9"), observed="v3")
    assert (found.release, found.outcomes) == (9, {"7": "promoted", "8": "superseded"})


def test_a_release_that_another_replaced_is_superseded() -> None:
    status = replace(RELEASING, observed="v3", release=7, outcomes={"6": "promoted"})
    found = taken(status, look("v3", "8"), observed="v2")
    assert found.outcomes == {"6": "promoted", "7": "superseded"}


def test_a_release_that_was_never_seen_is_superseded() -> None:
    status = replace(RELEASING, observed="v3", release=6, outcomes={"6": "refused"})
    found = taken(status, look("v3", "9"), observed="v2")
    assert found.outcomes == {"6": "refused", "7": "superseded", "8": "superseded"}


def test_what_is_applied_and_taken_back_in_one_moment_is_answered_too() -> None:
    status = replace(IDLE, release=1, outcomes={"1": "promoted"})
    found = taken(status, look("v1", "3"))
    assert found.outcomes == {"1": "promoted", "2": "superseded", "3": "promoted"}


@pytest.mark.parametrize("phase", [Phase.TERMINATING, Phase.TERMINATED])
def test_what_came_while_an_app_is_given_back_is_not_promoted_by_anybody(phase: Phase) -> None:
    status = replace(IDLE, phase=phase, release=1, outcomes={"1": "promoted"})
    found = taken(status, look("v3", "3"))
    assert found.outcomes == {"1": "promoted", "2": "superseded", "3": "refused"}
    assert found.release == 1
    assert recorded(found, found, look("v3", "3")) == found
    assert taken(replace(status, release=None), look("v3", "3")).outcomes == {"1": "promoted"}


def test_a_release_that_begins_anew_has_no_outcome_yet() -> None:
    status = replace(RELEASING, release=7, outcomes={"6": "promoted", "7": "refused"})
    assert taken(status, look("v2", "7")).outcomes == {"6": "promoted"}


def test_a_deployment_that_counts_anew_has_no_outcomes_of_the_one_before() -> None:
    status = replace(RELEASING, release=9, outcomes={"1": "refused", "2": "promoted"})
    assert taken(status, look("v2", "1"), observed="v1").outcomes == {}


def test_a_number_is_read_also_when_the_hash_has_become_another() -> None:
    """The API server was replaced between the apply and our look."""
    status = replace(RELEASING, observed="w2", release=1, outcomes={"1": "promoted"})
    assert taken(status, look("w2", "2", "v2", v2="w2"), observed="w1").release == 2


def test_only_the_last_are_remembered() -> None:
    status = replace(IDLE, release=0, outcomes={"0": "promoted"})
    numbers = [int(number) for number in taken(status, look("v1", str(10 * KEPT))).outcomes]
    assert numbers == list(range(9 * KEPT + 1, 10 * KEPT + 1))
