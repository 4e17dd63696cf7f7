"""Which decisions raise an alert, and how long it is kept: each end raises just one."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.alert import ERROR, INFO, SEVERITIES, WARN, Alert, Route
from delivery.canary import Phase, Status
from delivery.decision import Decision
from delivery.names import ABORT
from delivery.observation import Observation
from delivery.rules import alerting
from tests.delivery.scenes import (
    BAD,
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
    stepped,
)
from tests.delivery.test_by_hand import asks

ALL = Route("all", "slack")
ROUTES = {"analysis": {"alerts": (ALL,)}}
ADOPTED = replace(IDLE, phase=Phase.INITIALIZING, apex_moved=1.0, drained_since=1.0)
CRASHING = releasing(target=half("v2", 2, failing="pod x: CrashLoopBackOff"))
STUCK = releasing(target=half("v2", 2, stuck='deployment "app" exceeded its progress deadline'))
LATE = replace(JUDGED, phase_since=NOW - 100.0, last_check=NOW - 61.0)
UNREADY = releasing(target=half("v2", 2, waiting="1 of 2"), traffic={})
LOST = releasing(primary=half("v2", failing="pod y: OOMKilled"))
FAILING = replace(JUDGED, failed_checks=1)


def raised(status: Status, look: Observation, **changes: Any) -> tuple[str, str, bool, str]:
    """The one alert of a decision."""
    routed = {**ROUTES, **changes}
    routed["analysis"] = {**ROUTES["analysis"], **changes.get("analysis", {})}
    (found,) = stepped(status, look, **routed).canary.status.alerts
    assert found.at == NOW
    return found.severity, found.text, found.detailed, found.phase


LIMIT = {"analysis": {"max_duration": 5.0}}
ENDS: list[tuple[Status, Observation, dict[str, Any], str, str]] = [
    (FAILING, releasing(traffic=BAD), {}, ERROR, "Failed checks threshold reached 2"),
    (JUDGED, CRASHING, {}, ERROR, "Canary deployment not ready: pod x: CrashLoopBackOff"),
    (
        JUDGED,
        STUCK,
        {},
        ERROR,
        'Progress deadline exceeded deployment "app" exceeded its progress deadline',
    ),
    (LATE, UNREADY, {}, ERROR, "Progress deadline exceeded 1 of 2; 60s are over"),
    (
        PROMOTING,
        LOST,
        {},
        ERROR,
        "Promotion failed, primary not ready: pod y: OOMKilled",
    ),
    (JUDGED, releasing(), LIMIT, ERROR, "Not promoted within maxDuration 5s"),
    (JUDGED, releasing(), asks(ABORT), WARN, "Aborted by hand, asked by jane"),
    (PROMOTING, releasing(), asks(ABORT), WARN, "Aborted by hand, asked by jane"),
    (JUDGED, seen("v1", scale=2), {}, WARN, "The promoted revision was applied again"),
    (PROMOTING, seen("v1", scale=2), {}, WARN, "The promoted revision was applied again"),
    (
        JUDGED,
        releasing(),
        {"stop": True},
        WARN,
        "Stopping web.shop, its release begins anew after outrider.dev/stop",
    ),
]


@pytest.mark.parametrize(("status", "look", "changes", "severity", "text"), ENDS)
def test_a_release_that_is_not_promoted_says_why(
    status: Status, look: Observation, changes: dict[str, Any], severity: str, text: str
) -> None:
    assert raised(status, look, **changes) == (severity, text, False, "Failed")


@pytest.mark.parametrize("skip", [False, True])
def test_a_promotion_says_whether_it_was_judged(skip: bool) -> None:
    how = "was skipped" if skip else "completed successfully"
    text = f"Canary analysis {how}, promotion finished."
    look = releasing(primary=half("v2"))
    found = raised(FINALISING, look, skip_analysis=skip)
    assert found == (INFO, text, False, "Succeeded")


def test_an_app_that_leaves_in_mid_release_says_so() -> None:
    found = raised(JUDGED, releasing(leaving="unlabelled"))
    assert found == (WARN, "Terminating canary web.shop", False, "Terminating")


def test_an_app_that_is_deleted_in_mid_release_says_so() -> None:
    found = raised(JUDGED, seen(target=None))
    assert found[:2] == (WARN, "Deployment app.shop get query error: not found")


def test_what_begins_is_told_with_what_applies() -> None:
    text = "New revision detected, progressing canary analysis."
    assert raised(IDLE, seen("v2")) == (INFO, text, True, "Progressing")


@pytest.mark.parametrize("status", [IDLE, REFUSED, RELEASING, JUDGED])
def test_where_nothing_ends_nothing_is_told(status: Status) -> None:
    look = seen() if status is IDLE else releasing(drained=False)
    assert stepped(status, look, **ROUTES).canary.status.alerts == ()


def test_what_nobody_wants_to_hear_is_not_kept() -> None:
    look = seen("v2")
    assert stepped(IDLE, look).canary.status.alerts == ()
    deaf = {"analysis": {"alerts": (Route("bad", "slack", ERROR),)}}
    assert stepped(IDLE, look, **deaf).canary.status.alerts == ()


@pytest.mark.parametrize(
    ("severity", "heard"),
    [(INFO, SEVERITIES), (WARN, (WARN, ERROR)), (ERROR, (ERROR,))],
)
def test_who_wants_to_hear_what(severity: str, heard: tuple[str, ...]) -> None:
    route = Route("some", "slack", severity)
    assert tuple(one for one in SEVERITIES if route.wants(Alert(one, "x"))) == heard


def test_an_alert_stays_until_it_was_told_whatever_happens_meanwhile() -> None:
    first = Alert(INFO, "begun", at=1.0)
    status = replace(JUDGED, alerts=(first,))
    kept = stepped(status, seen(target=None), **ROUTES).canary.status
    assert kept.phase is Phase.NEW
    assert [one.text for one in kept.alerts][:1] == ["begun"]
    told = stepped(status, releasing(told=frozenset({1.0})), **ROUTES).canary.status
    assert told.alerts == ()


def test_of_too_many_the_oldest_are_lost() -> None:
    many = tuple(Alert(INFO, str(one), at=float(one)) for one in range(alerting.MOST))
    before = canary(replace(JUDGED, alerts=many), **ROUTES)
    decision = Decision(before, "", alert=Alert(ERROR, "new"))
    after = alerting.alerted(before, decision, releasing()).canary.status.alerts
    assert (len(after), after[0].text, after[-1].text) == (alerting.MOST, "1", "new")
