"""Giving an app back: what users have stays, until what they shall have serves."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.canary import Phase, Status
from delivery.observation import Observation
from delivery.rules import leaving
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.scenes import (
    FINALISING,
    IDLE,
    JUDGED,
    NOW,
    PROMOTING,
    REFUSED,
    decided,
    half,
    releasing,
    seen,
    silent,
    stepped,
    texts,
)
from tests.delivery.worlds import merged

CLONE = replace(
    half("v1"),
    manifest=merged(
        half("v1").manifest, {"metadata": {"labels": {names.MANAGED_BY: names.OUTRIDER}}}
    ),
)
WHY = "the namespace is not labelled"
LEAVING = replace(IDLE, phase=Phase.TERMINATING, scale=3, phase_since=NOW)
AWAY = merged(worlds.service(), {"metadata": {"annotations": {names.ROUTE: json.dumps({})}}})
MOVED = replace(LEAVING, apex_moved=None, drained_since=NOW - 5.0)
CLEARING = replace(MOVED, scale=None, drained_since=NOW - 30.0)
SPLIT = replace(LEAVING, observed="v2", canary_weight=50)
"""A leave that began after a failed promotion."""


def serving(**changes: Any) -> Observation:
    """The target at its full size again."""
    return seen(**{"scale": 3, **changes})


def marked(change: Document) -> Observation:
    """The target alone, with something of ours on it."""
    target = half("v1", held=None)
    return seen(
        target=replace(target, manifest=merged(target.manifest, change)), primary=None, services={}
    )


CLEAN = marked({})


@pytest.mark.parametrize("status", [IDLE, JUDGED, PROMOTING, FINALISING, REFUSED])
def test_from_any_phase_the_target_is_scaled_to_what_its_user_wants(status: Status) -> None:
    found = decided(leaving.leaving_begins, status, releasing(leaving=WHY))
    after = found.canary.status
    assert texts(found) == [("Normal", "Terminating canary web.shop")]
    assert (after.phase, after.phase_since, after.scale) == (Phase.TERMINATING, NOW, 3)
    assert (after.observed, after.drained_since) == ("v2", None)


@pytest.mark.parametrize(
    ("status", "target", "weight", "promoted"),
    [
        (JUDGED, "v2", 0, "v1"),
        (PROMOTING, "v2", 50, "v2"),
        (PROMOTING, "v3", 0, "v2"),
        (FINALISING, "v2", 0, "v2"),
        (REFUSED, "v2", 0, "v1"),
        (replace(REFUSED, canary_weight=50), "v2", 50, "v1"),
    ],
)
def test_users_keep_the_canary_only_while_a_promotion_changes_the_primary(
    status: Status, target: str, weight: int, promoted: str
) -> None:
    look = seen(target, scale=2, leaving=WHY)
    after = decided(leaving.leaving_begins, status, look).canary.status
    assert (after.canary_weight, after.promoted) == (weight, promoted)


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.TERMINATING, Phase.TERMINATED])
def test_what_is_not_managed_or_on_its_way_out_does_not_begin_to_leave(phase: Phase) -> None:
    assert silent(leaving.leaving_begins, replace(IDLE, phase=phase), seen(leaving=WHY))


def test_without_a_word_nothing_leaves() -> None:
    assert silent(leaving.leaving_begins, IDLE, seen())


def test_a_target_that_is_not_there_leaves_what_was_observed() -> None:
    found = decided(leaving.leaving_begins, IDLE, replace(seen(leaving=WHY), target=None))
    assert found.canary.status.observed == "v1"


def test_an_app_that_was_never_touched_is_left_alone() -> None:
    look = replace(seen(leaving=WHY, primary=None), target=half("v1", held=None))
    found = decided(leaving.untouched_app_is_left_alone, Status(), look)
    assert found.reason == f"app is left alone: {WHY}"
    assert found.canary.status.phase is Phase.NEW


def test_a_canary_that_we_wrote_too_early_goes() -> None:
    look = replace(seen(leaving=WHY, primary=None), target=half("v1", held=None))
    found = decided(leaving.untouched_app_is_left_alone, Status(), look, generated=True)
    assert found.canary.status.phase is Phase.TERMINATED


def test_a_pair_that_flagger_made_and_nobody_took_over_is_left_alone() -> None:
    look = seen(leaving=WHY, target=half("v1", held=None))
    found = decided(leaving.untouched_app_is_left_alone, Status(), look)
    assert found.canary.status.phase is Phase.NEW


@pytest.mark.parametrize(
    "look",
    [
        seen(primary=None),
        seen(leaving=WHY, primary=None),
        seen(leaving=WHY, target=half("v1", held=None), primary=CLONE),
        seen(leaving=WHY, target=None, primary=CLONE),
    ],
    ids=["it stays", "it is held", "it has a primary", "its primary alone is left"],
)
def test_an_app_that_stays_or_carries_our_marks_is_taken_up(look: Observation) -> None:
    assert silent(leaving.untouched_app_is_left_alone, Status(), look)


def test_after_a_failed_promotion_users_stay_until_the_primary_is_back() -> None:
    held = decided(leaving.failed_promotion_keeps_users, SPLIT, releasing(promoted="v2"))
    assert held.canary.status == SPLIT
    back = decided(leaving.failed_promotion_keeps_users, SPLIT, releasing())
    assert back.canary.status == replace(SPLIT, canary_weight=0)


@pytest.mark.parametrize("status", [LEAVING, replace(SPLIT, promoted="v2")])
def test_users_of_what_passed_need_not_return_first(status: Status) -> None:
    assert silent(leaving.failed_promotion_keeps_users, status, releasing())


def test_a_refused_revision_is_put_back_before_anything_else() -> None:
    found = decided(leaving.target_is_awaited, replace(LEAVING, observed="v2"), releasing())
    assert found.reason == "app is put back to the promoted revision"


@pytest.mark.parametrize("revision", ["v1", "v3"])
def test_what_was_promoted_or_came_since_is_not_refused(revision: str) -> None:
    status = replace(LEAVING, observed="v2")
    assert silent(leaving.target_is_awaited, status, serving(target=half(revision)))


@pytest.mark.parametrize("status", [replace(LEAVING, replicas=5), replace(MOVED, replicas=5)])
def test_a_wish_that_comes_on_the_way_is_heard(status: Status) -> None:
    found = decided(leaving.target_is_awaited, status, serving())
    assert found.canary.status == replace(status, scale=5)


@pytest.mark.parametrize("replicas", [None, 0])
def test_without_a_wish_one_pod_is_wanted(replicas: int | None) -> None:
    status = replace(LEAVING, replicas=replicas, scale=1)
    assert silent(leaving.target_is_awaited, status, seen(scale=1))


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (half("v1", 2), "app is scaled up"),
        (half("v1", failing="pod x: ErrImageNeverPull"), "pod x: ErrImageNeverPull"),
        (half("v1", stuck="deadline"), "deadline"),
        (half("v1", waiting="2 of 3"), "2 of 3"),
        (half("v1", ready_pods=2), "2 of 3 pods are ready"),
    ],
)
def test_the_whole_target_is_awaited(target: Any, why: str) -> None:
    found = decided(leaving.target_is_awaited, LEAVING, serving(target=target))
    assert found.reason.endswith(why)
    assert found.canary.status.phase is Phase.TERMINATING


@pytest.mark.parametrize(
    ("status", "look"),
    [
        (LEAVING, serving()),
        (LEAVING, replace(serving(), target=None)),
        (MOVED, serving(target=half("v1", ready_pods=0))),
        (CLEARING, seen()),
    ],
    ids=["serves", "is gone", "has users already", "is free"],
)
def test_a_target_that_serves_is_not_awaited(status: Status, look: Observation) -> None:
    assert silent(leaving.target_is_awaited, status, look)


def test_the_way_home_is_decided_before_it_is_taken() -> None:
    found = decided(leaving.apex_goes_home, LEAVING, serving(apex=AWAY))
    assert found.canary.status == replace(LEAVING, apex_moved=None, drained_since=NOW)


def test_the_time_to_settle_counts_from_the_service_that_has_moved() -> None:
    found = decided(leaving.apex_goes_home, MOVED, serving(apex=AWAY))
    assert found.canary.status.drained_since == NOW


def test_old_connections_drain_before_the_clone_goes() -> None:
    just = replace(MOVED, drained_since=NOW - 4.0)
    found = decided(leaving.apex_goes_home, just, serving())
    assert found.reason == "web has moved back; old connections drain"


@pytest.mark.parametrize("apex", [worlds.service(), None])
def test_the_clone_goes_when_the_service_has_settled_or_is_gone(apex: Document | None) -> None:
    assert silent(leaving.apex_goes_home, MOVED, serving(apex=apex))
    found = decided(leaving.clone_may_go, MOVED, serving(apex=apex))
    assert found.canary.status == replace(MOVED, scale=None, drained_since=NOW)


def test_what_has_gone_goes_once() -> None:
    assert silent(leaving.apex_goes_home, CLEARING, serving())
    assert silent(leaving.clone_may_go, CLEARING, serving())


ROLE = {"template": {"metadata": {"labels": {names.ROLE: names.CANARY}}}}
OURS = {names.MANAGED_BY: names.OUTRIDER, names.APP: "app"}


@pytest.mark.parametrize(
    "look",
    [
        serving(),
        marked({"metadata": {"annotations": {names.SCALE: "3"}}}),
        marked({"metadata": {"annotations": {names.ADMITTED: "v1"}}}),
        marked({"spec": ROLE}),
        replace(CLEAN, services={"app-canary": {"metadata": {"labels": OURS}}}),
    ],
    ids=["primary", "held", "mark", "role", "service"],
)
def test_an_app_is_not_given_back_while_anything_of_ours_is_there(look: Observation) -> None:
    found = decided(leaving.nothing_of_ours_is_left, CLEARING, look)
    assert found.reason == "what is ours is removed"


def test_an_app_is_not_given_back_while_old_connections_may_be_open() -> None:
    just = replace(CLEARING, drained_since=NOW - 29.0)
    found = decided(leaving.nothing_of_ours_is_left, just, CLEAN)
    assert found.reason == "old connections to the routers are closed"


@pytest.mark.parametrize("look", [CLEAN, replace(CLEAN, target=None)])
def test_an_app_of_which_nothing_is_ours_is_given_back(look: Observation) -> None:
    found = decided(leaving.nothing_of_ours_is_left, CLEARING, look)
    assert texts(found) == [("Normal", "Terminated canary web.shop")]
    assert found.canary.status.phase is Phase.TERMINATED


def test_who_has_left_stays_out_until_opted_in_again() -> None:
    gone = replace(CLEARING, phase=Phase.TERMINATED)
    out = decided(leaving.return_begins_anew, gone, seen(leaving=WHY))
    assert out.canary.status == gone
    assert decided(leaving.return_begins_anew, gone, seen()).canary.status == Status()


def test_with_its_deployment_an_app_ends_in_any_phase() -> None:
    found = decided(leaving.deleted_target_ends_it, JUDGED, replace(seen(), target=None))
    text = "deployment app.shop get query error: not found"
    assert found.canary.status == Status(message=text)
    assert texts(found) == [("Warning", text)]


def test_what_is_there_or_was_never_taken_up_does_not_end() -> None:
    assert silent(leaving.deleted_target_ends_it, JUDGED, seen())
    assert silent(leaving.deleted_target_ends_it, Status(), replace(seen(), target=None))


@pytest.mark.parametrize("status", [LEAVING, MOVED, CLEARING])
def test_who_comes_back_on_the_way_out_leaves_first(status: Status) -> None:
    assert stepped(status, seen()).canary.status.phase is Phase.TERMINATING


@pytest.mark.parametrize(
    ("status", "phase"), [(JUDGED, Phase.TERMINATING), (CLEARING, Phase.TERMINATED)]
)
def test_a_suspended_canary_leaves_all_the_same(status: Status, phase: Phase) -> None:
    found = stepped(status, replace(CLEAN, leaving=WHY), suspend=True)
    assert found.canary.status.phase is phase
