"""A release under judgement, each rule by itself."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Metric, Phase
from delivery.guard import started_over
from delivery.observation import Observation, Routers, Traffic
from delivery.rules import analysis
from tests.delivery.scenes import (
    BAD,
    CHECK,
    JUDGED,
    NOW,
    RELEASING,
    canary,
    decided,
    half,
    releasing,
    seen,
    silent,
    texts,
)

GONE = replace(releasing(), target=None)
FEW = {CHECK.name: Traffic(20, bad=1)}
FAILED_TEXT = ("Warning", "Canary failed! Scaling down web.shop")


def canary_half(**changes: Any) -> Observation:
    return releasing(target=half("v2", 2, **changes))


def test_the_promoted_revision_applied_again_rolls_back() -> None:
    found = decided(analysis.reverted_revision_rolls_back, JUDGED, seen("v1", scale=2))
    text = "Rolling back web.shop the promoted revision was applied again"
    assert texts(found) == [("Warning", text), FAILED_TEXT]
    status = found.canary.status
    assert (status.phase, status.canary_weight, status.failed) == (Phase.FAILED, 0, "v2")


@pytest.mark.parametrize("look", [releasing(), seen("v3", scale=2), GONE])
def test_any_other_revision_is_no_revert(look: Observation) -> None:
    assert silent(analysis.reverted_revision_rolls_back, JUDGED, look)


def test_a_new_revision_starts_over_with_nothing_left_of_the_one_before() -> None:
    before = replace(JUDGED, failed_checks=1, iterations=2)
    found = decided(analysis.new_revision_starts_over, before, seen("v3", scale=2))
    text = "New revision detected! Restarting analysis for app.shop"
    assert texts(found) == [("Normal", text)]
    expected = replace(
        RELEASING,
        observed="v3",
        provider="envoy",
        scale=1,
        last_check=None,
        phase_since=NOW,
        message=text,
        guard=started_over(True, NOW),
        began=NOW,
    )
    assert found.canary.status == expected


@pytest.mark.parametrize("look", [releasing(), GONE])
def test_the_revision_under_analysis_is_not_new(look: Observation) -> None:
    assert silent(analysis.new_revision_starts_over, JUDGED, look)


@pytest.mark.parametrize("trouble", ["failing", "stuck"])
@pytest.mark.parametrize("status", [RELEASING, JUDGED])
def test_a_canary_that_cannot_run_rolls_back_at_once(trouble: str, status: Any) -> None:
    look = canary_half(**{trouble: "pod x: CrashLoopBackOff"})
    found = decided(analysis.broken_canary_rolls_back, status, look)
    said = "canary deployment app.shop not ready: pod x: CrashLoopBackOff"
    assert texts(found) == [("Warning", said), FAILED_TEXT]
    assert found.canary.status.failed == "v2"


def test_a_canary_that_is_not_ready_in_time_rolls_back() -> None:
    late = replace(RELEASING, phase_since=NOW - 61.0)
    found = decided(analysis.broken_canary_rolls_back, late, canary_half(waiting="waiting"))
    said = "canary deployment app.shop not ready: waiting; 60s are over"
    assert texts(found)[0] == ("Warning", said)


def test_readiness_lost_after_a_step_has_the_deadline_too() -> None:
    stepped = replace(JUDGED, phase_since=NOW - 500, last_check=NOW - 61)
    found = decided(analysis.broken_canary_rolls_back, stepped, canary_half(waiting="waiting"))
    assert found.canary.status.phase is Phase.FAILED
    recent = replace(stepped, last_check=NOW - 59)
    assert silent(analysis.broken_canary_rolls_back, recent, canary_half(waiting="waiting"))


@pytest.mark.parametrize(
    ("since", "last_check", "look"),
    [
        (NOW - 60.0, None, canary_half(waiting="waiting")),
        (NOW - 61.0, NOW - 1.0, canary_half(waiting="waiting")),
        (NOW - 61.0, None, releasing()),
        (None, None, canary_half(waiting="waiting")),
        (NOW - 61.0, None, GONE),
    ],
)
def test_a_canary_that_may_still_be_ready_is_waited_for(
    since: float | None, last_check: float | None, look: Observation
) -> None:
    status = replace(RELEASING, phase_since=since, last_check=last_check)
    assert silent(analysis.broken_canary_rolls_back, status, look)


def test_the_first_breach_counts_and_is_told_in_flaggers_words() -> None:
    found = decided(analysis.breach_counts, JUDGED, releasing(traffic=BAD))
    text = "Halt web.shop advancement success rate 50.00% < 99%"
    assert texts(found) == [("Warning", text)]
    status = found.canary.status
    assert (status.phase, status.failed_checks) == (Phase.PROGRESSING, 1)
    assert (status.canary_weight, status.last_check) == (20, NOW)
    assert [verdict.outcome for verdict in status.verdicts] == ["failed"]


@pytest.mark.parametrize(("threshold", "counted"), [(2, 1), (1, 0), (0, 0)])
def test_the_breach_that_reaches_the_threshold_rolls_back_in_the_same_look(
    threshold: int, counted: int
) -> None:
    status = replace(JUDGED, failed_checks=counted)
    look, limit = releasing(traffic=BAD), {"threshold": threshold}
    found = decided(analysis.breach_counts, status, look, analysis=limit)
    assert texts(found) == [
        ("Warning", "Halt web.shop advancement success rate 50.00% < 99%"),
        ("Warning", f"Rolling back web.shop failed checks threshold reached {counted + 1}"),
        FAILED_TEXT,
    ]
    after = found.canary.status
    assert (after.phase, after.canary_weight, after.failed_checks) == (Phase.FAILED, 0, 0)
    assert after.verdicts


def test_a_breach_counts_also_while_the_canary_is_half_ready_or_routers_refuse() -> None:
    look = canary_half(waiting="1 of 2")
    look = replace(look, traffic=BAD, routers=Routers(2, frozenset(), "no"))
    assert decided(analysis.breach_counts, JUDGED, look).canary.status.failed_checks == 1


@pytest.mark.parametrize(
    ("status", "look", "changes"),
    [
        (JUDGED, releasing(), {}),
        (JUDGED, releasing(traffic=FEW), {}),
        (JUDGED, releasing(traffic={}), {}),
        (JUDGED, releasing(traffic=BAD), {"skip_analysis": True}),
        (RELEASING, releasing(traffic=BAD), {}),
        (replace(JUDGED, last_check=NOW - 9.9), releasing(traffic=BAD), {}),
    ],
)
def test_no_breach_counts_before_it_is_due_and_certain(
    status: Any, look: Observation, changes: dict[str, Any]
) -> None:
    assert silent(analysis.breach_counts, status, look, **changes)


def test_an_unready_canary_is_awaited() -> None:
    found = decided(analysis.unready_canary_is_awaited, RELEASING, canary_half(waiting="0 of 2"))
    assert texts(found) == [("Warning", "canary deployment app.shop not ready: 0 of 2")]
    again = canary_half(waiting="1 of 2")
    found = decided(analysis.unready_canary_is_awaited, found.canary.status, again)
    assert (texts(found), found.reason[-6:]) == ([], "1 of 2")


def test_a_canary_that_is_being_scaled_is_not_complained_about() -> None:
    found = decided(analysis.unready_canary_is_awaited, RELEASING, seen("v2", scale=0))
    assert (texts(found), found.reason) == ([], "app is being scaled to 2")


@pytest.mark.parametrize("look", [releasing(), GONE])
def test_a_ready_canary_goes_on(look: Observation) -> None:
    assert silent(analysis.unready_canary_is_awaited, RELEASING, look)


def test_a_skipped_analysis_promotes() -> None:
    found = decided(analysis.skipped_analysis_promotes, RELEASING, releasing(), skip_analysis=True)
    assert texts(found) == [
        ("Normal", "Copying app.shop template spec to app-primary.shop"),
    ]
    assert found.canary.status.phase is Phase.PROMOTING
    assert silent(analysis.skipped_analysis_promotes, RELEASING, releasing())


def test_routers_that_refuse_their_configuration_halt() -> None:
    look = releasing(routers=Routers(2, frozenset(), "router-1: bad"))
    found = decided(analysis.rejected_configuration_halts, JUDGED, look)
    assert found.reason.startswith("routers rejected their configuration, undo the last change")
    assert found.reason.endswith(": router-1: bad")
    assert silent(analysis.rejected_configuration_halts, JUDGED, releasing())


def test_the_first_step_is_taken_in_the_same_breath_as_the_start() -> None:
    found = decided(analysis.analysis_starts, RELEASING, releasing())
    assert texts(found) == [
        ("Normal", "Starting canary analysis for app.shop"),
        ("Normal", "Advance web.shop canary weight 20"),
    ]
    assert (found.canary.status.canary_weight, found.canary.status.last_check) == (20, NOW)
    assert silent(analysis.analysis_starts, JUDGED, releasing())


@pytest.mark.parametrize(
    ("interval", "ago", "due"), [(10.0, 9.9, False), (10.0, 10.0, True), (1.0, 1.0, True)]
)
def test_intervals_are_honoured_below_ten_seconds_too(
    interval: float, ago: float, due: bool
) -> None:
    status = replace(JUDGED, last_check=NOW - ago)
    rule, pace = analysis.interval_is_awaited, {"interval": interval}
    assert silent(rule, status, releasing(), analysis=pace) is due


@pytest.mark.parametrize(
    ("traffic", "reason"),
    [
        ({}, "Halt advancement no values found for envoy metric request-success-rate"),
        (FEW, "request-success-rate no verdict yet: success rate 95.00% < 99%"),
    ],
)
def test_without_a_verdict_the_weight_stays(traffic: dict[str, Traffic], reason: str) -> None:
    found = decided(analysis.missing_verdict_is_awaited, JUDGED, releasing(traffic=traffic))
    assert found.reason.startswith(reason)
    status = found.canary.status
    assert (status.canary_weight, status.failed_checks) == (20, 0)
    assert status.last_check == JUDGED.last_check
    assert status.verdicts


ASKED = Metric("lag", 10.0, maximum=1.0, template="lag")
SLOW = {"metrics": (ASKED, CHECK)}


def test_a_backend_that_has_not_answered_holds_the_release_and_is_no_news() -> None:
    found = decided(
        analysis.missing_verdict_is_awaited, JUDGED, releasing(), analysis={"metrics": (ASKED,)}
    )
    assert (found.reason, found.messages) == ("metric lag is being asked", ())
    assert found.canary.status == JUDGED


def test_a_backend_that_has_not_answered_delays_no_breach_of_another_check() -> None:
    found = decided(analysis.breach_counts, JUDGED, releasing(traffic=BAD), analysis=SLOW)
    assert found.canary.status.failed_checks == 1


def test_with_all_verdicts_passed_nothing_is_awaited() -> None:
    assert silent(analysis.missing_verdict_is_awaited, JUDGED, releasing())


@pytest.mark.parametrize(
    ("primary", "reason"),
    [
        (None, "app-primary.shop not ready: it is missing"),
        (half("v1", waiting="2 of 3"), "app-primary.shop not ready: 2 of 3"),
        (half("v1", ready_pods=0), "app-primary.shop not ready: no pod is ready"),
    ],
)
def test_an_unready_primary_holds_a_good_canary(primary: Any, reason: str) -> None:
    found = decided(analysis.unready_primary_holds, JUDGED, releasing(primary=primary))
    assert texts(found) == [("Warning", reason)]


def test_a_ready_primary_lets_the_canary_advance() -> None:
    assert silent(analysis.unready_primary_holds, JUDGED, releasing())


@pytest.mark.parametrize(("weight", "after"), [(20, 40), (40, 50)])
def test_the_weight_advances_after_a_good_interval(weight: int, after: int) -> None:
    status = replace(JUDGED, canary_weight=weight)
    found = decided(analysis.traffic_advances, status, releasing())
    assert texts(found) == [("Normal", f"Advance web.shop canary weight {after}")]
    assert found.canary.status.canary_weight == after
    assert found.canary.status.last_check == NOW
    assert [verdict.outcome for verdict in found.canary.status.verdicts] == ["passed"]


def test_at_the_highest_weight_the_release_is_promoted() -> None:
    status = replace(JUDGED, canary_weight=50)
    assert silent(analysis.traffic_advances, status, releasing())
    found = decided(analysis.last_split_promotes, status, releasing())
    copying = "Copying app.shop template spec to app-primary.shop"
    assert texts(found) == [("Normal", copying)]
    after = found.canary.status
    assert (after.phase, after.canary_weight) == (Phase.PROMOTING, 50)
    assert (after.phase_since, after.last_check) == (NOW, NOW)


def test_a_metric_that_is_not_built_is_not_judged_as_if_it_were() -> None:
    foreign = {"metrics": (Metric("my-own-metric", maximum=1.0),)}
    found = analysis.measured(canary(JUDGED, analysis=foreign), releasing())
    assert found.status.verdicts == ()
