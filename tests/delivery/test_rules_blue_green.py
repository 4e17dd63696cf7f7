"""A canary that is tried without users, and then gets all of them (reference, 2.4)."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Phase, Status
from delivery.guard import Guard, Policy
from delivery.observation import Traffic
from delivery.rules import analysis, guarding
from tests.delivery.scenes import CHECK, NOW, RELEASING, decided, releasing, silent, texts
from tests.delivery.walks import said, split, walk

BLUE_GREEN: dict[str, Any] = {"analysis": {"iterations": 1, "step_weight": 0}}
TRIED = replace(RELEASING, iterations=1, last_check=NOW - 10.0)
TAKEN = replace(TRIED, iterations=2, canary_weight=100)
GUARDED = {"analysis": {**BLUE_GREEN["analysis"], "guard": Policy(requests=0)}}


def test_the_trace_is_flaggers() -> None:
    assert [split(status) for status, _ in walk(**BLUE_GREEN)] == [
        (Phase.PROGRESSING, 0, 1),
        (Phase.PROGRESSING, 100, 2),
        (Phase.PROMOTING, 100, 2),
        (Phase.FINALISING, 0, 2),
        (Phase.SUCCEEDED, 0, 0),
    ]


def test_it_is_told_in_flaggers_words() -> None:
    assert said(analysis={"iterations": 2, "step_weight": 0}) == [
        "Starting canary analysis for app.shop",
        "Advance web.shop canary iteration 1/2",
        "Advance web.shop canary iteration 2/2",
        "Routing all traffic to canary",
        "Copying app.shop template spec to app-primary.shop",
        "Routing all traffic to primary",
        "Promotion completed! Scaling down app.shop",
    ]


def test_with_weights_too_iterations_are_told_when_the_highest_weight_is_reached() -> None:
    assert said(analysis={"iterations": 4})[1:6] == [
        "Advance web.shop canary weight 20",
        "Advance web.shop canary weight 40",
        "Advance web.shop canary weight 50",
        "Advance web.shop canary iteration 3/4",
        "Copying app.shop template spec to app-primary.shop",
    ]


def test_what_is_sent_nothing_yet_is_not_asked_for_requests() -> None:
    silence = releasing(traffic={})
    for rule in (analysis.missing_verdict_is_awaited, analysis.silent_release_ends):
        limits = {**BLUE_GREEN["analysis"], "no_traffic": "fail", "no_traffic_after": 1.0}
        assert silent(rule, TRIED, silence, analysis=limits)
    taken = decided(analysis.missing_verdict_is_awaited, TAKEN, silence, **BLUE_GREEN)
    assert taken.reason.startswith("Halt advancement no values found")


@pytest.mark.parametrize(("status", "waits"), [(TRIED, False), (TAKEN, True)])
def test_the_guard_looks_at_it_from_the_moment_on_when_it_has_users(
    status: Status, waits: bool
) -> None:
    look = replace(status, guard=Guard(stepped=NOW - 10.0))
    assert silent(guarding.few_requests_are_awaited, look, releasing(), **GUARDED) is not waits
    assert silent(guarding.undetected_regression_is_awaited, look, releasing(), **GUARDED)


def test_a_breach_after_all_users_came_takes_them_back_in_the_same_look() -> None:
    limits = {**BLUE_GREEN["analysis"], "threshold": 1}
    found = decided(
        analysis.breach_counts,
        TAKEN,
        releasing(traffic={CHECK.name: Traffic(100, bad=90)}),
        analysis=limits,
    )
    after = found.canary.status
    assert (after.phase, after.canary_weight, after.iterations) == (Phase.FAILED, 0, 0)
    assert texts(found)[-1] == ("Warning", "Canary failed! Scaling down web.shop")


def test_a_new_revision_tries_again_from_the_first_iteration() -> None:
    look = replace(releasing(), target=replace(releasing().target, revision="v3"))  # type: ignore[type-var]
    after = decided(analysis.new_revision_starts_over, TAKEN, look, **BLUE_GREEN).canary.status
    assert (after.canary_weight, after.iterations, after.scale) == (0, 0, 3)


def test_users_return_in_steps_if_that_is_asked_for() -> None:
    limits = {**BLUE_GREEN["analysis"], "step_weight_promotion": 50}
    weights = [status.canary_weight for status, _ in walk(analysis=limits)]
    assert weights == [0, 100, 100, 50, 0, 0]
