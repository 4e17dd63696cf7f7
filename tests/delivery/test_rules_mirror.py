"""A canary that is tried on copies of requests before it answers anybody (reference, 2.3)."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import serving
from delivery.canary import Analysis, Mirror, Phase
from delivery.guard import Guard, Policy
from delivery.observation import Traffic
from delivery.rules import analysis, guarding
from delivery.strategy import Split, next_split, size_ahead
from tests.delivery.scenes import CHECK, NOW, RELEASING, canary, decided, releasing, silent
from tests.delivery.walks import said, walk

MIRRORED = replace(RELEASING, mirror_weight=100, last_check=NOW - 10.0)
GROWING: dict[str, Any] = {"analysis": {"mirror": Mirror(10, 40, 80)}}
WHOLE: dict[str, Any] = {"analysis": {"mirror": Mirror()}}
NAMES = [
    "Starting canary analysis for app.shop",
    "Copying app.shop template spec to app-primary.shop",
    "Routing all traffic to primary",
    "Promotion completed! Scaling down app.shop",
]


def mirrors(**changes: Any) -> list[tuple[int, int]]:
    return [(one.mirror_weight, one.canary_weight) for one, _ in walk(**changes)]


def test_one_step_of_copies_comes_before_the_first_weight() -> None:
    assert mirrors(**WHOLE)[:4] == [(100, 0), (0, 20), (0, 40), (0, 50)]


def test_copies_grow_before_users_come() -> None:
    assert mirrors(**GROWING)[:5] == [(10, 0), (50, 0), (80, 0), (0, 20), (0, 40)]
    assert [text for text in said(**GROWING) if text not in NAMES] == [
        "Advance web.shop mirror weight 10",
        "Advance web.shop mirror weight 50",
        "Advance web.shop mirror weight 80",
        "Advance web.shop canary weight 20",
        "Advance web.shop canary weight 40",
        "Advance web.shop canary weight 50",
    ]


def test_without_a_step_the_last_one_follows_the_first() -> None:
    assert mirrors(analysis={"mirror": Mirror(10, 0, 60)})[:3] == [(10, 0), (60, 0), (0, 20)]


def test_blue_green_on_copies_is_told_in_flaggers_words() -> None:
    tried = {"iterations": 3, "step_weight": 0, "mirror": Mirror(50, 50, 100)}
    assert mirrors(analysis=tried) == [
        *((50, 0), (100, 0), (100, 0)),
        *((0, 100), (0, 100), (0, 0), (0, 0)),
    ]
    assert [text for text in said(analysis=tried) if text not in NAMES] == [
        "Advance web.shop canary iteration 1/3",
        "Advance web.shop canary iteration 2/3",
        "Advance web.shop canary iteration 3/3",
        "Stop traffic mirroring and route all traffic to canary",
    ]


def test_copies_want_pods_as_users_do() -> None:
    assert size_ahead(Analysis(step_weight=10, mirror=Mirror()), 10, Split()) == 10
    assert size_ahead(Analysis(step_weight=10, mirror=Mirror()), 10, Split(mirror=100)) == 10
    assert size_ahead(Analysis(step_weight=10, mirror=Mirror()), 10, Split(10)) == 3


def test_with_iterations_too_a_check_on_copies_is_one_that_passed() -> None:
    both = Analysis(step_weight=50, max_weight=50, iterations=2, mirror=Mirror())
    assert next_split(both, Split()) == Split(mirror=100)
    assert next_split(both, Split(mirror=100)) == Split(50, 1)
    assert next_split(both, Split(50, 1)) is None


def test_what_copies_show_is_judged_and_rolls_back() -> None:
    look = releasing(traffic={CHECK.name: Traffic(100, bad=90)})
    limits = {**WHOLE["analysis"], "threshold": 1}
    after = decided(analysis.breach_counts, MIRRORED, look, analysis=limits).canary.status
    assert (after.phase, after.mirror_weight, after.canary_weight) == (Phase.FAILED, 0, 0)


def test_copies_are_awaited_as_requests_are() -> None:
    silence = releasing(traffic={})
    found = decided(analysis.missing_verdict_is_awaited, MIRRORED, silence, **WHOLE)
    assert found.reason.startswith("Halt advancement no values found")
    status = replace(MIRRORED, guard=Guard(stepped=NOW - 10.0, warmed=1.0))
    limits = {"analysis": {**WHOLE["analysis"], "guard": Policy()}}
    assert not silent(guarding.few_requests_are_awaited, status, silence, **limits)


@pytest.mark.parametrize("phase", [Phase.PROGRESSING])
def test_promotion_ends_them(phase: Phase) -> None:
    status = replace(MIRRORED, phase=phase)
    after = decided(
        analysis.skipped_analysis_promotes, status, releasing(), skip_analysis=True, **WHOLE
    )
    assert (after.canary.status.phase, after.canary.status.mirror_weight) == (Phase.PROMOTING, 0)


def test_the_canary_is_judged_by_its_copies_too() -> None:
    assert serving.clusters(canary(MIRRORED), "canary") == (
        "app/web/80/canary",
        "app/web/80/mirror",
    )
    assert serving.clusters(canary(MIRRORED), "primary") == ("app/web/80/primary",)
