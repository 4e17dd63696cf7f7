"""Between releases: what was refused goes, what is new is noticed."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.canary import Phase, Status
from delivery.observation import Observation, Workload
from delivery.rules import idle
from tests.delivery.scenes import (
    IDLE,
    NOW,
    REFUSED,
    decided,
    half,
    releasing,
    seen,
    silent,
    texts,
)

SPLIT = replace(REFUSED, canary_weight=50)
"""A failed promotion: users stay where they are."""
GONE = replace(seen(), target=None)


@pytest.mark.parametrize(
    "primary",
    [
        None,
        half("v2"),
        half("v1", failing="pod x: CrashLoopBackOff"),
        half("v1", waiting="1 of 3"),
        half("v1", ready_pods=0),
    ],
)
def test_after_a_failed_promotion_the_split_stays_until_the_primary_is_back(primary: Any) -> None:
    found = decided(idle.broken_primary_keeps_users, SPLIT, releasing(primary=primary))
    assert found.canary.status == SPLIT


def test_users_return_once_the_primary_serves_the_promoted_revision_again() -> None:
    found = decided(idle.broken_primary_keeps_users, SPLIT, releasing())
    assert texts(found) == [("Normal", "Routing all traffic to primary")]
    assert found.canary.status == replace(SPLIT, canary_weight=0)


@pytest.mark.parametrize("status", [REFUSED, IDLE, replace(IDLE, phase=Phase.SUCCEEDED)])
def test_without_users_on_the_canary_there_is_nothing_to_return(status: Status) -> None:
    assert silent(idle.broken_primary_keeps_users, status, releasing(primary=None))


@pytest.mark.parametrize(("drained", "since"), [(True, NOW), (False, NOW - 30.0), (False, None)])
def test_a_refused_canary_goes_when_its_requests_have_ended(
    drained: bool, since: float | None
) -> None:
    status = replace(REFUSED, phase_since=since)
    found = decided(idle.drained_canary_scales_down, status, releasing(drained=drained))
    assert found.canary.status == replace(status, scale=0)


def test_a_refused_canary_stays_while_requests_are_open() -> None:
    status = replace(REFUSED, phase_since=NOW - 29.0)
    found = decided(idle.drained_canary_scales_down, status, releasing(drained=False))
    assert found.canary.status == status


@pytest.mark.parametrize("drained", [True, False])
def test_a_fix_does_not_wait_for_the_last_stream_of_what_it_mends(drained: bool) -> None:
    look = seen("v3", scale=2, drained=drained)
    assert silent(idle.drained_canary_scales_down, REFUSED, look)


def test_what_is_at_zero_has_nothing_to_drain() -> None:
    assert silent(idle.drained_canary_scales_down, IDLE, seen(drained=False))


BACK = replace(IDLE, observed="v2", promoted="v2", previous="v1")
AGAIN = seen("v1", "v2")


@pytest.mark.parametrize("status", [BACK, replace(BACK, phase=Phase.FAILED, observed="v3")])
def test_an_undo_goes_straight_to_the_primary(status: Status) -> None:
    found = decided(idle.undo_goes_straight_back, status, AGAIN)
    undoing = "Undoing app.shop: back to the revision that was promoted before, no analysis"
    copying = "Copying app.shop template spec to app-primary.shop"
    assert texts(found) == [("Normal", undoing), ("Normal", copying)]
    after = found.canary.status
    assert (after.phase, after.observed, after.canary_weight, after.scale) == (
        Phase.PROMOTING,
        "v1",
        0,
        0,
    )


def test_what_was_promoted_before_is_known_by_its_name_at_admission() -> None:
    look = replace(AGAIN, names={"v1": "now"}, target=announced("now", by="now"))
    found = decided(idle.undo_goes_straight_back, BACK, look)
    assert found.canary.status.observed == "now"


@pytest.mark.parametrize("mark", ["v1", "v2", ""])
def test_what_slipped_past_admission_passes_for_nothing_that_was_promoted(mark: str) -> None:
    look = replace(AGAIN, names={"v1": "now"}, target=announced("now", by=mark))
    assert silent(idle.undo_goes_straight_back, BACK, look)


def announced(revision: str, *, by: str) -> Workload:
    """A target with the mark that admission gave it, or one before it."""
    found = half(revision, 0)
    metadata = {**found.manifest["metadata"], "annotations": {names.ADMITTED: by}}
    return replace(found, manifest={**found.manifest, "metadata": metadata})


@pytest.mark.parametrize("look", [seen("v2", "v2"), seen("v0", "v2"), GONE])
def test_nothing_else_goes_straight_to_the_primary(look: Observation) -> None:
    assert silent(idle.undo_goes_straight_back, BACK, look)
    assert silent(idle.undo_goes_straight_back, replace(BACK, previous=""), look)


@pytest.mark.parametrize("look", [seen(), GONE])
def test_the_revision_that_was_taken_up_is_no_release(look: Observation) -> None:
    found = decided(idle.known_revision_is_no_release, IDLE, look)
    assert (found.canary.status, found.messages) == (IDLE, ())


def test_the_promoted_revision_again_is_no_release() -> None:
    found = decided(idle.known_revision_is_no_release, REFUSED, seen("v1"))
    assert found.canary.status == replace(REFUSED, observed="v1")
    assert not found.messages


def test_a_revision_that_the_primary_has_already_is_the_promoted_one_from_now_on() -> None:
    found = decided(idle.known_revision_is_no_release, IDLE, seen("v9", "v9"))
    assert found.canary.status == replace(IDLE, observed="v9", promoted="v9")


@pytest.mark.parametrize("look", [seen("v2"), replace(seen("v2"), primary=None)])
def test_any_other_revision_is_a_release(look: Observation) -> None:
    assert silent(idle.known_revision_is_no_release, IDLE, look)
    found = decided(idle.new_revision_starts, IDLE, look)
    text = "New revision detected! Scaling up app.shop"
    assert texts(found) == [("Normal", text)]
    status = found.canary.status
    assert (status.phase, status.observed, status.scale) == (Phase.PROGRESSING, "v2", 1)
    assert (status.canary_weight, status.last_check, status.phase_since) == (0, None, NOW)


def test_what_is_not_there_is_no_release() -> None:
    assert silent(idle.new_revision_starts, IDLE, GONE)
