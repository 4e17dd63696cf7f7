"""The machine as a whole: Flagger's golden traces (reference, appendix A), and what it adds."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Condition, Phase, Status
from delivery.observation import Observation, Traffic
from delivery.step import RULES, step
from tests.delivery import worlds
from tests.delivery.scenes import (
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
    stepped,
    texts,
)
from tests.delivery.turns import ANALYSIS, Agent
from tests.delivery.worlds import merged

Trace = list[tuple[str, int]]

ADOPTED = {
    Phase.INITIALIZING,
    Phase.INITIALIZED,
    Phase.PROGRESSING,
    Phase.PROMOTING,
    Phase.FINALISING,
    Phase.SUCCEEDED,
    Phase.FAILED,
}


def trace(image: str, *, skip: bool = False, **analysis: Any) -> Trace:
    """Phase and weight of a release of `image`, each as often as it changed."""
    agent = Agent()
    agent.canary = replace(agent.canary, skip_analysis=skip)
    agent.canary = replace(agent.canary, analysis=replace(ANALYSIS, **analysis))
    agent.run(15).world.apply(image)
    found: Trace = []
    for _ in range(90):
        agent.run(1)
        status = agent.canary.status
        row = (str(status.phase), status.canary_weight)
        found += [row] if row != (found[-1] if found else None) else []
    return found


def test_golden_one_step_and_back_in_two() -> None:
    assert trace("good:2", step_weight=100, max_weight=100, step_weight_promotion=50) == [
        ("Progressing", 0),
        ("Progressing", 100),
        ("Promoting", 100),
        ("Promoting", 50),
        ("Finalising", 0),
        ("Succeeded", 0),
    ]


def test_golden_weights_from_a_list() -> None:
    assert trace("good:2", step_weights=(1, 2, 10, 80))[:6] == [
        ("Progressing", 0),
        ("Progressing", 1),
        ("Progressing", 2),
        ("Progressing", 10),
        ("Progressing", 80),
        ("Promoting", 80),
    ]


def test_a_failing_check_rolls_back_from_the_weight_that_it_was_seen_at() -> None:
    assert trace("bad:2", step_weight=10, max_weight=20) == [
        ("Progressing", 0),
        ("Progressing", 10),
        ("Failed", 0),
    ]


def test_weights_never_overshoot_as_flaggers_do() -> None:
    assert max(weight for _, weight in trace("good:2", step_weight=20, max_weight=50)) == 50


def test_golden_skipped_analysis_but_the_primarys_rollout_is_awaited() -> None:
    assert trace("good:2", skip=True) == [
        ("Progressing", 0),
        ("Promoting", 0),
        ("Finalising", 0),
        ("Succeeded", 0),
    ]


def test_a_canary_that_never_runs_gets_no_request() -> None:
    assert trace("crashing:2") == [("Progressing", 0), ("Failed", 0)]


def test_a_whole_release_says_what_flagger_says() -> None:
    agent = Agent()
    agent.run(15).said.clear()
    agent.world.apply("good:2")
    assert agent.run(40).said == [
        "New revision detected! Scaling up web.shop",
        "canary deployment web.shop not ready: waiting for rollout to finish: "
        "0 of 1 (readyThreshold 100%) updated replicas are available",
        "Starting canary analysis for web.shop",
        "Advance web.shop canary weight 20",
        "Advance web.shop canary weight 40",
        "Advance web.shop canary weight 50",
        "Copying web.shop template spec to web-primary.shop",
        "web-primary.shop not ready: waiting for rollout to finish: "
        "3 old replicas are pending termination",
        "Routing all traffic to primary",
        "Promotion completed! Scaling down web.shop",
    ]


def test_every_phase_has_its_rules() -> None:
    assert set(RULES) == set(Phase)


@pytest.mark.parametrize("phase", sorted(ADOPTED))
def test_a_wish_for_replicas_is_taken_in_every_phase(phase: Phase) -> None:
    found = stepped(replace(JUDGED, phase=phase), releasing(wish=7))
    assert found.canary.status.replicas == 7


@pytest.mark.parametrize("wish", [None, 0, 3])
def test_no_new_wish_changes_nothing(wish: int | None) -> None:
    assert stepped(IDLE, seen(wish=wish)).canary.status.replicas == 3


def test_a_wish_before_adoption_is_left_to_it() -> None:
    assert stepped(Status(), replace(seen(wish=7), refusals=("no",))).canary.status.replicas is None


def test_a_port_that_is_added_to_the_apex_gets_a_listener() -> None:
    ports = [*worlds.service()["spec"]["ports"], {"name": "http-admin", "port": 81}]
    apex = merged(worlds.service(), {"spec": {"ports": ports}})
    found = stepped(JUDGED, releasing(apex=apex)).canary.status.ports
    assert found["80"] == 20001
    assert set(found) == {"80", "81"}
    assert found["81"] != 20001


@pytest.mark.parametrize("look", [seen(), seen(apex=None)])
def test_known_ports_keep_their_listeners(look: Any) -> None:
    assert stepped(IDLE, look).canary.status.ports == {"80": 20001}


def test_conditions_and_the_time_follow_every_change() -> None:
    found = stepped(IDLE, seen("v2")).canary.status
    message = "New revision detected, progressing canary analysis."
    condition = Condition("Promoted", "Unknown", "Progressing", message, NOW, NOW)
    assert found.conditions == (condition,)
    assert found.last_transition == NOW


def test_a_look_that_changes_nothing_writes_nothing() -> None:
    rest = stepped(IDLE, seen()).canary
    again = step(rest, replace(seen(), now=NOW + 50.0))
    assert (again.canary, again.messages) == (rest, ())


def test_a_canary_that_uses_unbuilt_fields_says_so_until_it_does_not() -> None:
    halted = stepped(IDLE, seen(), unbuilt=("spec.analysis.mirror",)).canary
    assert [one.type for one in halted.status.conditions] == ["Promoted", "Supported"]
    healed = step(replace(halted, unbuilt=()), seen()).canary
    assert [one.type for one in healed.status.conditions] == ["Promoted"]


UNBUILT = ("spec.analysis.mirror",)


@pytest.mark.parametrize(
    ("status", "look"),
    [(Status(), seen()), (IDLE, seen("v2")), (JUDGED, releasing())],
    ids=["new", "idle", "under way"],
)
def test_unbuilt_fields_let_nothing_begin_and_no_weight_grow(
    status: Status, look: Observation
) -> None:
    found = stepped(status, look, unbuilt=UNBUILT)
    assert found.reason == "halted by spec.analysis.mirror (not built yet; remove it)"
    after = found.canary.status
    assert (after.phase, after.canary_weight) == (status.phase, status.canary_weight)


def test_unbuilt_fields_keep_no_bad_canary_on_users() -> None:
    bad = {"request-success-rate": Traffic(100, 100)}
    seen_bad = replace(releasing(traffic=bad), now=NOW + 100.0)
    found = stepped(replace(JUDGED, failed_checks=9), seen_bad, unbuilt=UNBUILT)
    assert (found.canary.status.phase, found.canary.status.canary_weight) == (Phase.FAILED, 0)


def test_a_release_without_requests_neither_fails_nor_advances() -> None:
    found = stepped(JUDGED, replace(releasing(traffic={}), now=NOW + 86_400.0))
    assert found.canary.status.phase is Phase.PROGRESSING
    assert found.canary.status.canary_weight == 20


def test_a_fix_after_a_failed_promotion_starts_when_the_primary_is_back() -> None:
    split = replace(REFUSED, canary_weight=50)
    held = stepped(split, seen("v3", "v2", scale=2)).canary
    assert (held.status.phase, held.status.canary_weight) == (Phase.FAILED, 50)
    back = step(held, seen("v3", scale=2)).canary
    fixed = step(back, seen("v3", scale=2))
    assert texts(fixed)[0] == ("Normal", "New revision detected! Scaling up app.shop")


def test_a_failed_release_does_not_forget_a_revision_that_it_could_not_start() -> None:
    unready = half("v1", waiting="1 of 3")
    found = stepped(REFUSED, seen("v3", scale=2, primary=unready))
    assert found.canary.status.observed == "v3"
    assert found.canary.status.phase is Phase.PROGRESSING


def test_what_is_promoted_is_the_analysed_revision_not_the_newest() -> None:
    found = stepped(PROMOTING, seen("v3", "v2", scale=2)).canary.status
    assert (found.phase, found.observed) == (Phase.FINALISING, "v2")


def test_a_change_of_the_canary_in_mid_release_resets_no_traffic() -> None:
    found = step(canary(JUDGED, analysis={"max_weight": 90, "step_weight": 19}), releasing())
    assert found.canary.status.canary_weight == 39


def test_a_status_that_flagger_wrote_is_adopted_anew() -> None:
    flaggers = Status(phase=Phase.SUCCEEDED)
    found = stepped(flaggers, seen("v1", "v1")).canary.status
    assert (found.phase, found.promoted) == (Phase.INITIALIZING, "v1")


def test_the_canary_grows_ahead_of_its_next_step_and_is_waited_for() -> None:
    first = stepped(replace(RELEASING, scale=1), releasing(target=half("v2", 1))).canary
    assert (first.status.canary_weight, first.status.scale) == (20, 2)
    later = NOW + 10.0
    growing = half("v2", 2, ready_pods=1, waiting="1 of 2")
    found = step(first, replace(releasing(target=growing), now=later))
    assert found.canary.status.canary_weight == 20
    assert found.reason == "canary deployment app.shop not ready: 1 of 2"
    assert step(first, replace(releasing(), now=later)).canary.status.canary_weight == 40


def test_while_the_interval_runs_a_canary_that_grows_is_no_news() -> None:
    status = replace(JUDGED, last_check=NOW - 1.0)
    found = stepped(status, releasing(target=half("v2", 2, ready_pods=1, waiting="1 of 2")))
    assert (found.reason, found.messages) == ("the interval has not passed", ())


@pytest.mark.parametrize(("wish", "size"), [(30, 15), (1, 1), (None, 2)])
def test_the_canary_follows_a_wish_in_mid_release(wish: int | None, size: int) -> None:
    status = replace(JUDGED, last_check=NOW - 1.0)
    assert stepped(status, releasing(wish=wish)).canary.status.scale == size
