"""After a good analysis: the primary takes the revision, users return, the canary goes."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Phase, Status
from delivery.observation import Observation
from delivery.rules import promotion
from tests.delivery.scenes import (
    FINALISING,
    NOW,
    PROMOTING,
    decided,
    half,
    releasing,
    seen,
    silent,
    texts,
)

TAKEN = releasing(primary=half("v2"))
LATE = replace(PROMOTING, phase_since=NOW - 61.0)


def failed(why: str) -> list[tuple[str, str]]:
    return [("Warning", f"Promotion of app.shop failed, primary not ready: {why}")]


@pytest.mark.parametrize("status", [PROMOTING, FINALISING])
def test_an_undo_while_the_primary_is_changed_brings_both_halves_back(status: Status) -> None:
    found = decided(promotion.reverted_revision_goes_back, status, seen("v1", "v2", scale=2))
    text = "Rolling back web.shop the promoted revision was applied again"
    assert texts(found) == [("Warning", text)]
    after = found.canary.status
    assert (after.phase, after.failed) == (Phase.FAILED, "v2")
    assert after.canary_weight == status.canary_weight


@pytest.mark.parametrize("look", [releasing(), seen("v3", scale=2), seen(target=None)])
def test_what_is_no_undo_lets_a_promotion_go_on(look: Observation) -> None:
    assert silent(promotion.reverted_revision_goes_back, PROMOTING, look)


def test_what_was_promoted_before_is_remembered_by_its_name_at_admission() -> None:
    look = replace(TAKEN, names={"admitted": "v1"})
    ended = decided(promotion.release_succeeds, FINALISING, look).canary.status
    assert (ended.promoted, ended.previous) == ("v2", "admitted")
    assert decided(promotion.release_succeeds, FINALISING, TAKEN).canary.status.previous == "v1"


def test_what_was_undone_is_judged_when_it_comes_back() -> None:
    undone = replace(FINALISING, promoted="v3", previous="v2")
    found = decided(promotion.release_succeeds, undone, TAKEN)
    text = "Promotion completed! Canary analysis was skipped for app.shop"
    assert texts(found) == [("Normal", text)]
    assert (found.canary.status.promoted, found.canary.status.previous) == ("v2", "")


def test_without_a_canary_nothing_is_waited_for() -> None:
    status = replace(FINALISING, scale=0)
    assert silent(promotion.last_requests_are_awaited, status, releasing(drained=False))
    slow = {"analysis": {"step_weight_promotion": 10}}
    unweighted = replace(PROMOTING, canary_weight=0, last_check=NOW)
    assert silent(promotion.promotion_interval_is_awaited, unweighted, TAKEN, **slow)


@pytest.mark.parametrize("primary", [None, half("v1")])
def test_the_primary_is_waited_for_until_it_has_the_analysed_revision(primary: Any) -> None:
    found = decided(promotion.missing_primary_is_awaited, PROMOTING, releasing(primary=primary))
    assert found.canary.status == PROMOTING


def test_a_revision_that_nobody_remembers_cannot_be_promoted() -> None:
    look = releasing(revisions={"v1": {}})
    found = decided(promotion.missing_primary_is_awaited, PROMOTING, look)
    lost = "revision v2 is no longer in the target's history"
    fix = "set spec.revisionHistoryLimit of Deployment app to 2 or more, and apply it again"
    assert texts(found) == failed(f"{lost}: {fix}")
    assert found.canary.status.phase is Phase.FAILED


def test_a_primary_with_the_analysed_revision_goes_on() -> None:
    assert silent(promotion.missing_primary_is_awaited, PROMOTING, TAKEN)


def test_users_return_to_a_primary_of_the_size_that_was_wished_meanwhile() -> None:
    rule, status = promotion.growing_primary_is_awaited, replace(PROMOTING, replicas=5)
    found = decided(rule, status, TAKEN)
    assert (found.reason, found.messages) == ("app-v2 is being scaled to 5", ())
    assert silent(rule, status, releasing(primary=half("v2", 5)))
    assert silent(rule, status, releasing(primary=None))


@pytest.mark.parametrize(
    ("status", "trouble", "why"),
    [
        (PROMOTING, {"failing": "pod x: CrashLoopBackOff"}, "pod x: CrashLoopBackOff"),
        (PROMOTING, {"stuck": "over"}, "over"),
        (LATE, {"waiting": "1 of 3"}, "1 of 3"),
        (LATE, {"ready_pods": 0}, "no pod is ready"),
        (LATE, {"stuck": "over", "waiting": "1 of 3"}, "over"),
    ],
)
def test_a_stuck_primary_ends_the_release_and_keeps_users_where_they_are(
    status: Status, trouble: dict[str, Any], why: str
) -> None:
    look = releasing(primary=half("v2", **trouble))
    found = decided(promotion.stuck_primary_keeps_users, status, look)
    assert texts(found) == failed(why)
    after = found.canary.status
    assert (after.phase, after.failed) == (Phase.FAILED, "v2")
    assert (after.canary_weight, after.scale, after.promoted) == (50, 2, "v1")


def test_a_primary_that_is_not_given_the_revision_ends_the_release_at_its_deadline() -> None:
    """The API server, or somebody's policy, may refuse it for ever."""
    look = releasing(primary=half("v1"))
    assert decided(promotion.missing_primary_is_awaited, PROMOTING, look).canary.status == PROMOTING
    found = decided(promotion.missing_primary_is_awaited, LATE, look)
    assert texts(found) == failed("it could not be given revision v2")
    assert (found.canary.status.phase, found.canary.status.canary_weight) == (Phase.FAILED, 50)


@pytest.mark.parametrize(
    ("status", "primary"),
    [
        (PROMOTING, half("v2", waiting="1 of 3")),
        (LATE, half("v2")),
        (LATE, None),
        (replace(LATE, phase_since=None), half("v2", waiting="1 of 3")),
    ],
)
def test_a_primary_that_may_still_be_ready_is_not_given_up(status: Status, primary: Any) -> None:
    look = releasing(primary=primary)
    assert silent(promotion.stuck_primary_keeps_users, status, look)


def test_an_unready_primary_is_awaited() -> None:
    look = releasing(primary=half("v2", waiting="1 of 3"))
    found = decided(promotion.unready_primary_is_awaited, PROMOTING, look)
    assert texts(found) == [("Warning", "app-v2.shop not ready: 1 of 3")]
    assert silent(promotion.unready_primary_is_awaited, PROMOTING, TAKEN)
    assert silent(promotion.unready_primary_is_awaited, PROMOTING, releasing(primary=None))


@pytest.mark.parametrize(
    ("step", "last_check", "silence"),
    [(0, NOW, True), (20, NOW, False), (20, NOW - 10.0, True), (20, None, True)],
)
def test_only_a_return_in_steps_has_a_pace(
    step: int, last_check: float | None, silence: bool
) -> None:
    status = replace(PROMOTING, last_check=last_check)
    rule, pace = promotion.promotion_interval_is_awaited, {"step_weight_promotion": step}
    assert silent(rule, status, TAKEN, analysis=pace) is silence


def test_users_return_in_steps() -> None:
    pace = {"step_weight_promotion": 30}
    found = decided(promotion.traffic_returns, PROMOTING, TAKEN, analysis=pace)
    assert texts(found) == [("Normal", "Advance web.shop primary weight 80")]
    status = found.canary.status
    assert (status.phase, status.canary_weight) == (Phase.PROMOTING, 20)
    assert status.last_check == NOW


@pytest.mark.parametrize(("weight", "step"), [(50, 0), (20, 30), (0, 0)])
def test_the_last_step_enters_finalising(weight: int, step: int) -> None:
    status, pace = replace(PROMOTING, canary_weight=weight), {"step_weight_promotion": step}
    found = decided(promotion.traffic_returns, status, TAKEN, analysis=pace)
    assert texts(found) == [("Normal", "Routing all traffic to primary")]
    after = found.canary.status
    assert (after.phase, after.canary_weight, after.scale) == (Phase.FINALISING, 0, 2)


@pytest.mark.parametrize(
    ("drained", "ago", "silence"), [(True, 1.0, True), (False, 1.0, False), (False, 30.0, True)]
)
def test_the_last_requests_of_the_canary_are_awaited(
    drained: bool, ago: float, silence: bool
) -> None:
    status = replace(FINALISING, phase_since=NOW - ago)
    look = releasing(drained=drained)
    assert silent(promotion.last_requests_are_awaited, status, look) is silence


@pytest.mark.parametrize(
    ("skip", "text"),
    [
        (False, "Promotion completed! Scaling down app.shop"),
        (True, "Promotion completed! Canary analysis was skipped for app.shop"),
    ],
)
def test_a_release_succeeds_in_flaggers_words(skip: bool, text: str) -> None:
    status = replace(FINALISING, failed="v0", failed_checks=1)
    found = decided(promotion.release_succeeds, status, TAKEN, skip_analysis=skip)
    assert texts(found) == [("Normal", text)]
    after = found.canary.status
    assert (after.phase, after.promoted, after.failed) == (Phase.SUCCEEDED, "v2", "")
    assert (after.scale, after.canary_weight, after.failed_checks) == (0, 0, 0)
