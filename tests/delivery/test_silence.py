"""Time without verdicts: how far a window reaches back, and releases that nobody calls."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Phase, Status
from delivery.checks import window_start
from delivery.guard import Guard, Policy
from delivery.rules import analysis
from tests.delivery.scenes import (
    BAD,
    CHECK,
    JUDGED,
    NOW,
    canary,
    decided,
    releasing,
    silent,
    texts,
)

ON: dict[str, Any] = {"analysis": {"guard": Policy()}}


def guarded(**changes: Any) -> Status:
    return replace(JUDGED, guard=Guard(stepped=NOW - 10.0, **changes))


@pytest.mark.parametrize(
    ("settings", "last", "interval", "seconds"),
    [
        (ON, 300.0, 10.0, 60.0),
        (ON, 300.0, 90.0, 90.0),
        (ON, 30.0, 10.0, 30.0),
        ({}, 300.0, 10.0, 300.0),
        (ON, 500.0, 600.0, 400.0),
    ],
    ids=["let go", "asked for", "growing", "no guard", "revision"],
)
def test_a_window_that_the_guard_is_beside_grows_to_a_minute(
    settings: dict[str, Any], last: float, interval: float, seconds: float
) -> None:
    status = replace(JUDGED, phase_since=NOW - 400.0, last_check=NOW - last)
    metric = replace(CHECK, interval=interval)
    assert window_start(canary(status, **settings), metric, NOW) == NOW - seconds


QUIET = {CHECK.name: replace(BAD[CHECK.name], requests=0, bad=0)}


def no_traffic(action: str, **more: Any) -> dict[str, Any]:
    return {"analysis": {"no_traffic": action, "no_traffic_after": 10.0, **more}}


def test_a_release_that_nobody_calls_fails_where_it_is_asked_for() -> None:
    look = releasing(traffic=QUIET)
    found = decided(analysis.silent_release_ends, JUDGED, look, **no_traffic("fail"))
    text = "Rolling back web.shop no request reached it for 10s"
    assert texts(found)[0] == ("Warning", text)
    assert found.canary.status.phase is Phase.FAILED


def test_a_release_that_nobody_calls_is_promoted_where_it_is_asked_for() -> None:
    look = releasing(traffic=QUIET)
    found = decided(analysis.silent_release_ends, JUDGED, look, **no_traffic("promote"))
    assert texts(found)[0] == ("Warning", "Promoting web.shop no request reached it for 10s")
    assert found.canary.status.phase is Phase.PROMOTING


def test_the_guard_knows_when_the_last_request_came() -> None:
    strict = no_traffic("fail", guard=Policy())
    recent, long_ago = guarded(answered=NOW - 9.0), guarded(answered=NOW - 10.0)
    assert silent(analysis.silent_release_ends, recent, releasing(), **strict)
    assert decided(analysis.silent_release_ends, long_ago, releasing(), **strict)


def test_who_waits_for_nobody_is_not_promoted_past_a_check_that_failed() -> None:
    look, status = releasing(traffic=BAD), guarded(answered=NOW - 10.0)
    strict = no_traffic("promote", guard=Policy(), metrics=(CHECK,))
    assert silent(analysis.silent_release_ends, status, look, **strict)
    assert decided(analysis.silent_release_ends, status, releasing(traffic=QUIET), **strict)


@pytest.mark.parametrize(
    ("status", "traffic", "settings"),
    [
        (JUDGED, QUIET, {}),
        (JUDGED, BAD, no_traffic("fail")),
        (replace(JUDGED, last_check=NOW - 9.0), QUIET, no_traffic("fail")),
        (replace(JUDGED, last_check=None), QUIET, no_traffic("fail")),
    ],
    ids=["hold", "traffic", "early", "not begun"],
)
def test_otherwise_silence_is_awaited(status: Status, traffic: Any, settings: Any) -> None:
    look = releasing(traffic=traffic)
    assert silent(analysis.silent_release_ends, status, look, **settings)
