"""An A/B test: whoever matches meets the canary, everybody else the primary (reference, 2.4)."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Analysis, Phase
from delivery.guard import OFF, RANGE, Policy
from delivery.hypotheses import policy
from delivery.matching import Comparison, Match, Way
from delivery.rules import analysis, idle, promotion
from delivery.strategy import Split, next_split, size_ahead, strategy
from tests.delivery.scenes import NOW, RELEASING, decided, half, releasing, seen, silent
from tests.delivery.walks import said, walk

BETA = Match(headers=(Comparison("x-beta", Way.EXACT, "yes"),))
AB: dict[str, Any] = {"analysis": {"iterations": 2, "step_weight": 0, "match": (BETA,)}}
TESTED = replace(RELEASING, iterations=2, matched=True, last_check=NOW - 10.0)


def test_the_trace_is_flaggers() -> None:
    found = [(one.phase, one.iterations, one.matched, one.canary_weight) for one, _ in walk(**AB)]
    assert found == [
        (Phase.PROGRESSING, 1, True, 0),
        (Phase.PROGRESSING, 2, True, 0),
        (Phase.PROMOTING, 2, True, 0),
        (Phase.FINALISING, 2, False, 0),
        (Phase.SUCCEEDED, 0, False, 0),
    ]


def test_it_is_told_in_flaggers_words() -> None:
    assert said(**AB) == [
        "Starting canary analysis for app.shop",
        "Advance web.shop canary iteration 1/2",
        "Advance web.shop canary iteration 2/2",
        "Copying app.shop template spec to app-primary.shop",
        "Routing all traffic to primary",
        "Promotion completed! Scaling down app.shop",
    ]


def test_nobody_knows_how_many_will_match_so_the_canary_is_as_large_as_the_primary() -> None:
    ab = Analysis(iterations=2, match=(BETA,))
    assert strategy(ab) == "ab-testing"
    assert size_ahead(ab, 7, Split()) == 7


def test_a_test_that_was_a_weight_before_keeps_only_who_matches() -> None:
    ab = Analysis(iterations=5, match=(BETA,))
    assert next_split(ab, Split(weight=40, iterations=2)) == Split(0, 3, matched=True)


def test_whoever_matched_returns_when_the_release_is_refused() -> None:
    limits = {**AB["analysis"], "threshold": 1}
    look = replace(releasing(), target=half("v2", 2, failing="pod x: CrashLoopBackOff"))
    after = decided(analysis.broken_canary_rolls_back, TESTED, look, analysis=limits).canary.status
    assert (after.phase, after.matched, after.has_users) == (Phase.FAILED, False, False)


def test_after_a_failed_promotion_they_stay_until_the_primary_is_back() -> None:
    failed = replace(TESTED, phase=Phase.FAILED, failed="v2")
    away = seen("v2", promoted="v2", scale=2)
    assert decided(idle.broken_primary_keeps_users, failed, away).canary.status.matched
    back = decided(idle.broken_primary_keeps_users, failed, seen("v2", scale=2)).canary.status
    assert not back.has_users


def test_they_return_at_once_also_where_weights_would_return_in_steps() -> None:
    status = replace(TESTED, phase=Phase.PROMOTING)
    limits = {**AB["analysis"], "step_weight_promotion": 10}
    after = decided(promotion.traffic_returns, status, releasing(), analysis=limits).canary.status
    assert (after.phase, after.matched) == (Phase.FINALISING, False)


def test_at_the_last_iteration_nothing_is_left_but_promotion() -> None:
    assert silent(analysis.traffic_advances, TESTED, releasing(), **AB)


@pytest.mark.parametrize("mode", ["both", "primary", "range"])
def test_halves_with_different_users_are_not_compared(mode: str) -> None:
    strict = policy(Analysis(iterations=2, match=(BETA,), guard=Policy(mode=mode)))
    assert strict
    assert strict.mode == RANGE
    assert policy(Analysis(iterations=2, match=(BETA,), guard=Policy(mode=OFF))) is None
