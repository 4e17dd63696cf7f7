"""`status.lastDecision`: the reason, what it stood on, and what would change it."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import schema
from delivery.api.explained import explained
from delivery.canary import Metric, Phase, Status, Verdict
from delivery.evidence import Counts, begun, grown
from delivery.guard import Guard, Policy
from tests.delivery.scenes import ANALYSIS, CHECK

GUARDED = replace(ANALYSIS, guard=Policy())
FOUND = grown(begun(0.01), Counts(100, 2), Counts(900, 4))
JUDGED = Status(
    phase=Phase.PROGRESSING,
    canary_weight=10,
    message="a step takes 10 s at least",
    verdicts=(Verdict(CHECK.name, "passed", 98.123456789, 100),),
    guard=Guard(evidence={CHECK.name: FOUND}),
)


def shown(status: Status = JUDGED, **changes: Any) -> Any:
    return explained(status, replace(GUARDED, **changes)).get("lastDecision")


def test_a_decision_shows_all_that_it_stood_on() -> None:
    found = shown()
    assert (found["phase"], found["weight"]) == ("Progressing", 10)
    assert found["reason"] == "a step takes 10 s at least"
    (metric,) = found["metrics"]
    assert metric["evidence"].pop("worseThanPrimary") > 1.0
    assert metric["evidence"].pop("outOfRange") == 1.0
    assert metric == {
        "name": CHECK.name,
        "outcome": "passed",
        "value": 98.1235,
        "range": ">= 99",
        "samples": 100,
        "canary": {"requests": 100, "bad": 2},
        "primary": {"requests": 900, "bad": 4},
        "evidence": {"needed": 100.0},
        "wouldChange": "5 more bad canary requests in a row would roll it back",
    }


def test_as_many_bad_requests_as_it_says_do_change_it() -> None:
    said = int(shown()["metrics"][0]["wouldChange"].split()[0])
    for bad, enough in ((said, True), (said - 1, False)):
        more = grown(FOUND, Counts(bad, bad), Counts(9 * bad))
        status = replace(JUDGED, guard=Guard(evidence={CHECK.name: more}))
        assert (shown(status)["metrics"][0]["wouldChange"].startswith("0 more")) == enough


def test_nothing_can_be_said_before_the_first_decision() -> None:
    assert shown(Status()) is None


@pytest.mark.parametrize(
    ("status", "analysis"),
    [
        (JUDGED, {"guard": None}),
        (JUDGED, {"guard": Policy(mode="off")}),
        (replace(JUDGED, guard=Guard()), {}),
    ],
    ids=["none", "off", "no evidence"],
)
def test_without_a_guard_only_the_check_is_shown(status: Status, analysis: dict[str, Any]) -> None:
    (metric,) = shown(status, **analysis)["metrics"]
    assert set(metric) == {"name", "outcome", "value", "range", "samples"}


def test_evidence_is_shown_before_the_first_check() -> None:
    (metric,) = shown(replace(JUDGED, verdicts=()))["metrics"]
    assert set(metric) == {"name", "range", "canary", "primary", "evidence", "wouldChange"}


def test_what_has_neither_is_not_listed() -> None:
    other = Metric("other", minimum=1.0, maximum=2.0)
    assert len(shown(metrics=(CHECK, other))["metrics"]) == 1
    told = replace(JUDGED, verdicts=(Verdict("other", "no traffic"),), guard=Guard())
    (metric,) = shown(told, metrics=(CHECK, other))["metrics"]
    assert metric == {"name": "other", "outcome": "no traffic", "range": ">= 1 and <= 2"}


def test_a_range_may_have_one_end() -> None:
    told = replace(JUDGED, verdicts=(Verdict("lag", "passed", 1.0),), guard=Guard())
    (metric,) = shown(told, metrics=(Metric("lag", maximum=2.0),))["metrics"]
    assert metric["range"] == "<= 2"


@pytest.mark.parametrize("status", [{"phase": Phase.FAILED}, {"canary_weight": 0}])
def test_what_has_ended_is_not_changed_any_more(status: dict[str, Any]) -> None:
    assert "wouldChange" not in shown(replace(JUDGED, **status))["metrics"][0]


def test_some_evidence_is_beyond_any_number_of_bad_requests() -> None:
    far = grown(begun(0.01), Counts(10_000_000, 0), Counts(10_000_000, 900_000))
    status = replace(JUDGED, guard=Guard(evidence={CHECK.name: far}))
    said = "not even 1000 bad canary requests in a row would roll it back"
    assert shown(status)["metrics"][0]["wouldChange"] == said


def test_it_is_written_with_the_status_and_kept_by_who_knows_no_analysis() -> None:
    body = schema.status_body(JUDGED, {}, analysis=GUARDED)
    assert body["lastDecision"] == shown()
    assert schema.status_body(JUDGED, body)["lastDecision"] == shown()
