"""Errors of one pod are told as such: the version may be as good as its others."""

from dataclasses import replace

import pytest

from delivery import names, serving
from delivery.culprit import told
from delivery.rules import guarding
from delivery.stats import Counters
from tests.delivery.scenes import JUDGED, canary, decided, half, seen, texts
from tests.delivery.test_rules_guarding import ON, against, guarded

PODS = {"10.0.0.1": "web-a", "10.0.0.2": "web-b", "fd00::3": "web-c"}
A, B, C = "10.0.0.1_8080", "10.0.0.2_8080", "[fd00__3]_8080"
FALLBACK = "10.96.0.1_80"
WEB = canary(JUDGED)
SERIES, _ = serving.clusters(WEB, names.CANARY)


def said(*routers: dict[str, int], pods: dict[str, str] = PODS) -> str:
    counted = {
        f"router/{number}": {SERIES: Counters(errors_at=tuple(errors.items()))}
        for number, errors in enumerate(routers)
    }
    return told(WEB, seen(target=half("v2", pods=pods), counted=counted))


@pytest.mark.parametrize(
    ("routers", "expected"),
    [
        ([{A: 12, B: 0}], "; 12 of 12 errors came from one of its 3 pods, web-a"),
        ([{A: 5, B: 1}, {A: 4}], "; 9 of 10 errors came from one of its 3 pods, web-a"),
        ([{C: 1}], "; 1 of 1 errors came from one of its 3 pods, web-c"),
        ([{A: 8, B: 2}], ""),
        ([{A: 4, B: 4}], ""),
        ([{A: 0}], ""),
        ([{FALLBACK: 9, A: 1}], "; 1 of 1 errors came from one of its 3 pods, web-a"),
        ([{FALLBACK: 9}], ""),
        ([], ""),
    ],
)
def test_more_than_four_fifths_of_the_errors_are_one_pods(
    routers: list[dict[str, int]], expected: str
) -> None:
    assert said(*routers) == expected


def test_of_a_single_pod_and_of_none_nothing_is_told() -> None:
    assert said({A: 9}, pods={"10.0.0.1": "web-a"}) == ""
    assert told(WEB, seen(target=None)) == ""
    assert told(WEB, replace(seen(target=half("v2", pods=PODS)), counted={"a/0": {}})) == ""


def test_it_is_told_behind_what_users_met_but_not_of_durations() -> None:
    counted = {"router/0": {SERIES: Counters(errors_at=((A, 12),))}}
    look = seen(target=half("v2", pods=PODS), counted=counted)
    found = decided(guarding.refuted_release_rolls_back, guarded(found=against()), look, **ON)
    assert texts(found)[0][1].endswith(
        "against 0.4 % on primary; 12 of 12 errors came from one of its 3 pods, web-a"
    )
