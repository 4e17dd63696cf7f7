"""The rules of external routers: what is awaited, and what no pod may go before."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import external, intent
from delivery.canary import Phase, Status
from delivery.decision import Apply
from delivery.observation import Routers, Routes
from delivery.rules import external as rules
from delivery.rules import idle, initializing, promotion
from delivery.step import step
from tests.delivery import worlds
from tests.delivery.routed import (
    SHOWN,
    TAKEN,
    UNREAD,
    VIRTUAL,
    at,
    named,
    objects,
    routed,
    user,
    weights,
)
from tests.delivery.scenes import (
    FINALISING,
    IDLE,
    JUDGED,
    NOW,
    PROMOTING,
    REFUSED,
    RELEASING,
    canary,
    half,
    releasing,
    seen,
)


def test_it_is_noted_since_when_the_objects_say_what_is_intended() -> None:
    found = routed(JUDGED)
    shown = at(objects(found), releasing())
    noted = rules.shown_is_noted(found, shown)
    assert noted.status.shown_since == NOW
    assert rules.shown_is_noted(noted, replace(shown, now=NOW + 5)) == noted
    assert rules.shown_is_noted(noted, at(Routes(), releasing())).status.shown_since is None
    plain = canary(replace(JUDGED, shown_since=1.0))
    assert rules.shown_is_noted(plain, shown).status.shown_since is None
    assert rules.shown_is_noted(canary(JUDGED), shown) == canary(JUDGED)


def test_no_step_is_taken_before_the_last_one_is_shown() -> None:
    found = routed(JUDGED)
    waiting = step(found, at(objects(routed(IDLE)), releasing()))
    assert waiting.canary.status.canary_weight == 20
    assert waiting.reason.endswith("not as intended: VirtualService web is being written")
    assert not waiting.messages
    moved = step(found, at(objects(found), releasing(routers=Routers(rejected="no"))))
    assert moved.canary.status.canary_weight == 40
    assert moved.canary.status.shown_since is None


def test_what_keeps_the_objects_from_being_written_is_said_once() -> None:
    look = at(Routes({VIRTUAL: user("else")}), releasing())
    waiting = step(routed(JUDGED), look)
    (said,) = waiting.messages
    assert "has no rule that leads to web: add one" in said.text
    assert not step(waiting.canary, look).messages


@pytest.mark.parametrize("status", [FINALISING, REFUSED])
def test_the_canary_keeps_its_pods_until_its_requests_had_their_time(status: Status) -> None:
    found = routed(status)
    late = at(objects(found), releasing(), now=NOW + 100.0)
    for since, over in ((None, False), (NOW + 86.0, False), (NOW + 85.0, True)):
        kept = routed(replace(status, shown_since=since))
        assert idle.drain_is_over(kept, late) is over
    rule = promotion.last_requests_are_awaited
    if status is REFUSED:
        rule = idle.drained_canary_scales_down
    unshown = rule(found, at(objects(routed(JUDGED)), releasing()))
    assert unshown is not None
    assert unshown.reason.endswith("VirtualService web is being written")
    shown = rule(routed(replace(status, shown_since=NOW + 90.0)), late)
    assert shown is not None


@pytest.mark.parametrize(
    ("status", "look", "scale"),
    [
        pytest.param(JUDGED, {}, 2, id="it had users until now"),
        pytest.param(replace(IDLE, scale=2), {}, 2, id="not shown"),
        pytest.param(replace(IDLE, scale=2, **SHOWN), {}, 0, id="shown long enough"),
        pytest.param(replace(IDLE, scale=2, shown_since=NOW - 14), {}, 2, id="not long enough"),
    ],
)
def test_a_stopped_app_too_keeps_what_has_users(
    status: Status, look: dict[str, Any], scale: int
) -> None:
    found = routed(status, stop=True)
    shown = objects(found) if status.shown_since else Routes()
    decision = step(found, at(shown, releasing(**look)))
    assert decision.canary.status.canary_weight == 0
    assert decision.canary.status.scale == scale


def test_a_canary_with_users_may_shrink_with_its_app() -> None:
    found = routed(replace(JUDGED, scale=3, replicas=1, last_check=NOW))
    decision = step(found, at(objects(found), releasing()))
    assert decision.canary.status.scale == 1


def test_a_new_revision_begins_with_all_pods_of_the_one_before() -> None:
    found = routed(replace(JUDGED, canary_weight=100, scale=3, **SHOWN))
    decision = step(found, at(objects(found), releasing(target=half("v3", 3))))
    assert (decision.canary.status.canary_weight, decision.canary.status.scale) == (0, 3)


def test_a_promotion_takes_no_step_back_that_is_not_shown() -> None:
    steps = {"analysis": {"step_weight_promotion": 25}}
    found = routed(replace(PROMOTING, last_check=NOW - 100.0), **steps)
    look = releasing(primary=half("v2"))
    assert step(found, at(objects(routed(IDLE)), look)).canary.status.canary_weight == 50
    assert step(found, at(objects(found), look)).canary.status.canary_weight == 25


ADOPTING = replace(IDLE, phase=Phase.INITIALIZING, scale=None, apex_moved=NOW - 60.0)
PRIMARY = {"app": "app", "outrider.dev/role": "primary"}
MOVED = {**worlds.service(), "spec": {**worlds.service()["spec"], "selector": PRIMARY}}


def test_the_target_of_an_app_stays_until_its_routes_are_shown() -> None:
    moved: dict[str, Any] = {"apex": MOVED, "target": half("v1", 3)}
    begun = step(routed(replace(ADOPTING, apex_moved=None)), at(Routes(), seen(**moved)))
    assert begun.reason == "web leads to app-primary"
    unshown = step(routed(ADOPTING), at(Routes(), seen(**moved)))
    assert "is being written" in unshown.reason
    found = routed(replace(ADOPTING, shown_since=NOW - 14.0))
    look = at(objects(found), seen(**moved))
    assert step(found, look).reason == "old connections drain"
    assert step(found, replace(look, now=NOW + 1.0)).canary.status.scale == 0
    assert initializing.old_connections_drain(found, replace(look, apex=worlds.service()))


def test_former_objects_are_restored_before_an_app_is_taken_in_hand() -> None:
    fresh = routed(Status())
    look = at(objects(routed(JUDGED)), seen())
    assert step(fresh, look).reason == "what istio routed before is restored"
    plain = canary(Status())
    assert step(plain, look).reason == "what istio routed before is restored"
    unread = at(Routes(missing=UNREAD), seen())
    assert step(fresh, unread).canary.status.message.endswith("not read yet: VirtualService")
    assert step(plain, unread).canary.status.phase is Phase.NEW
    assert step(plain, at(Routes(), seen())).canary.status.phase is Phase.INITIALIZING
    assert step(fresh, at(Routes(), seen())).canary.status.phase is Phase.INITIALIZING


TERMINATING = replace(IDLE, phase=Phase.TERMINATING, scale=3, drained_since=NOW - 10.0)


def test_the_services_of_the_halves_outlast_the_objects_that_name_them() -> None:
    found = routed(replace(TERMINATING, apex_moved=None))
    look = seen(target=half("v1", 3), leaving="off")
    left = at(objects(routed(IDLE), user()), look)
    assert step(found, left).reason == "what was routed is restored"
    assert set(TAKEN) <= set(named(intent.effects(found, left)))
    back = at(Routes({VIRTUAL: user()}), look)
    assert "old connections drain" in step(found, back).reason
    assert step(found, replace(back, now=NOW + 5.0)).canary.status.scale is None
    plain = canary(found.status)
    assert step(plain, left).reason == "what was routed is restored"


def test_while_it_leaves_the_split_stays_until_the_target_is_ready() -> None:
    found = routed(replace(TERMINATING, drained_since=None, canary_weight=20))
    look = at(objects(routed(IDLE)), seen(target=half("v1", 3), leaving="off"))
    every = [one for one in intent.effects(found, look) if isinstance(one, Apply)]
    assert [weights(one) for one in every if external.key(one.manifest) == VIRTUAL] == [[80, 20]]


def test_the_service_leads_to_the_primary_and_users_are_split_all_the_same() -> None:
    found = routed(RELEASING)
    assert not found.embedded
    assert found.analysis.routed
    assert canary(RELEASING).embedded
