"""The guard's rules, each by itself: it rolls back, holds, warns, and says what is missing."""

from dataclasses import replace
from math import log
from typing import Any

import pytest

from delivery import serving
from delivery.canary import Metric, Phase, Status
from delivery.evidence import Counts, Evidence, begun
from delivery.guard import Guard, Policy
from delivery.rules import analysis, guarding
from delivery.stats import Counters
from tests.delivery.scenes import (
    BAD,
    CHECK,
    IDLE,
    JUDGED,
    NOW,
    PROMOTING,
    canary,
    decided,
    half,
    releasing,
    seen,
    silent,
    stepped,
    texts,
)

ON: dict[str, Any] = {"analysis": {"guard": Policy()}}
LIMIT = Metric("request-duration", 10.0, maximum=500.0)
TIMED: dict[str, Any] = {"analysis": {"guard": Policy(), "metrics": (CHECK, LIMIT)}}
OFF: dict[str, Any] = {"analysis": {"guard": Policy(mode="off")}}
HIGH = log(1e6)
BUSY = Guard(stepped=NOW - 10.0, step_requests=50, requests=50, fresh=NOW - 60.0, warmed=NOW - 45.0)


def policy(**changes: Any) -> dict[str, Any]:
    return {"analysis": {"guard": Policy(**changes)}}


def against(relative: float = HIGH, absolute: float = HIGH, **changes: Any) -> Evidence:
    counted = {"canary": Counts(41, 12), "primary": Counts(1000, 4)}
    peaks = {"relative_peak": relative, "absolute_peak": absolute}
    return replace(begun(0.01), **{**counted, **peaks, **changes})


def guarded(name: str = CHECK.name, found: Evidence | None = None, **changes: Any) -> Status:
    evidence = {name: found} if found else {}
    return replace(JUDGED, guard=replace(BUSY, evidence=evidence, **changes))


def test_what_is_worse_and_out_of_range_is_rolled_back_and_users_are_told_what_they_met() -> None:
    found = decided(guarding.refuted_release_rolls_back, guarded(found=against()), seen(), **ON)
    text = "Rolling back web.shop 12 of 41 canary requests failed (29 %) against 0.4 % on primary"
    assert texts(found)[0] == ("Warning", text)
    status = found.canary.status
    assert (status.phase, status.canary_weight, status.failed) == (Phase.FAILED, 0, "v2")


def test_what_is_slow_is_told_with_its_limit() -> None:
    status = guarded(LIMIT.name, against(canary=Counts(40, 40)))
    found = decided(guarding.refuted_release_rolls_back, status, seen(), **TIMED)
    said = "40 of 40 canary requests took longer than 500ms (100 %) against 0.4 % on primary"
    assert texts(found)[0] == ("Warning", f"Rolling back web.shop {said}")


def test_a_release_without_primary_traffic_is_held_to_its_range() -> None:
    status = guarded(found=against(0.0, primary=Counts()))
    found = decided(guarding.refuted_release_rolls_back, status, seen(), **ON)
    assert texts(found)[0][1].endswith("(29 %) against no primary traffic to compare with")


@pytest.mark.parametrize(
    ("status", "settings"),
    [
        (guarded(), ON),
        (guarded(found=against(0.0)), ON),
        (guarded(found=against(absolute=0.0)), ON),
        (guarded(found=against(log(150.0), log(150.0))), TIMED),
        (guarded(found=against()), OFF),
        (guarded(found=against()), {}),
        (guarded(found=against(absolute=0.0)), policy(mode="range", on_worse="rollback")),
    ],
    ids=["none", "not worse", "in range", "of two", "off", "unasked", "range only"],
)
def test_anything_less_is_no_reason(status: Status, settings: dict[str, Any]) -> None:
    assert silent(guarding.refuted_release_rolls_back, status, seen(), **settings)


def test_worse_within_the_range_is_enough_where_it_is_asked_for() -> None:
    status = guarded(found=against(absolute=0.0))
    strict = policy(on_worse="rollback")
    found = decided(guarding.refuted_release_rolls_back, status, seen(), **strict)
    assert found.canary.status.phase is Phase.FAILED


def test_worse_within_the_range_holds() -> None:
    status = guarded(found=against(absolute=0.0))
    found = decided(guarding.worse_release_holds, status, releasing(), **ON)
    ((kind, text),) = texts(found)
    assert kind == "Warning"
    assert text.startswith(
        "Halt web.shop advancement request-success-rate worse than primary, within its range: 12 of"
    )
    assert found.canary.status.canary_weight == JUDGED.canary_weight


def test_worse_within_the_range_warns_once_where_it_is_asked_for() -> None:
    status = guarded(found=against(absolute=0.0))
    found = decided(guarding.worse_release_holds, status, releasing(), **policy(on_worse="warn"))
    assert [kind for kind, _ in texts(found)] == ["Warning"]
    told = found.canary.status
    assert silent(guarding.worse_release_holds, told, releasing(), **policy(on_worse="warn"))


@pytest.mark.parametrize(
    ("found", "settings"),
    [(against(0.0), ON), (None, ON), (against(), {}), (against(), policy(mode="primary"))],
)
def test_nothing_else_is_held_for_being_worse(
    found: Evidence | None, settings: dict[str, Any]
) -> None:
    assert silent(guarding.worse_release_holds, guarded(found=found), releasing(), **settings)


def test_durations_of_cold_pods_are_awaited() -> None:
    found = decided(guarding.cold_canary_is_awaited, guarded(warmed=0.0), releasing(), **TIMED)
    assert found.reason == "web.shop waits for its new pods to be warm: at most 15s"


@pytest.mark.parametrize(
    ("warmed", "settings"), [(NOW, TIMED), (0.0, ON), (0.0, {})], ids=["warm", "untimed", "off"]
)
def test_nothing_else_waits_for_warmth(warmed: float, settings: dict[str, Any]) -> None:
    status = guarded(warmed=warmed)
    assert silent(guarding.cold_canary_is_awaited, status, releasing(), **settings)


@pytest.mark.parametrize(
    ("requests", "seconds", "text"),
    [
        (8, 40.0, "web.shop has too few requests for this step: 8 of 20, 1m0s more at 0.2 req"),
        (0, 40.0, "web.shop has too few requests for this step: 0 of 20, and none comes"),
        (5, 0.0, "web.shop has too few requests for this step: 5 of 20, and none comes"),
        (20, 9.0, "a step takes 10 s at least"),
    ],
)
def test_a_step_takes_time_and_requests(requests: int, seconds: float, text: str) -> None:
    status = guarded(step_requests=requests, stepped=NOW - seconds)
    found = decided(guarding.few_requests_are_awaited, status, releasing(), **ON)
    assert found.reason.startswith(text)
    assert found.canary.status.canary_weight == JUDGED.canary_weight


@pytest.mark.parametrize("settings", [ON, OFF, {}])
def test_a_step_that_had_both_goes_on(settings: dict[str, Any]) -> None:
    status = guarded(step_requests=20)
    assert silent(guarding.few_requests_are_awaited, status, releasing(), **settings)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [(ON, 855), (TIMED, 921), (policy(requests=60), 60), (policy(alpha=0.001), 1073)],
)
def test_promotion_waits_until_a_regression_would_have_been_seen(
    settings: dict[str, Any], wanted: int
) -> None:
    missing = guarded(requests=wanted - 1)
    found = decided(guarding.undetected_regression_is_awaited, missing, releasing(), **settings)
    said = f"web.shop has too few requests for promotion: {wanted - 1} of {wanted}, 1s more at 5 "
    assert found.reason.startswith(said)
    enough = guarded(requests=wanted)
    assert silent(guarding.undetected_regression_is_awaited, enough, releasing(), **settings)


def test_without_a_guard_no_requests_are_counted() -> None:
    assert silent(guarding.undetected_regression_is_awaited, guarded(requests=0), releasing())


@pytest.mark.parametrize(("share", "text"), [(1.0, "100 %"), (0.29268, "29 %"), (0.004, "0.4 %")])
def test_shares_are_told_in_two_digits(share: float, text: str) -> None:
    assert guarding.percent(share) == text


def series(status: Status) -> dict[str, dict[str, Counters]]:
    canary_series, _ = serving.clusters(canary(status), "canary")
    return {"a/0": {canary_series: Counters(9, 1)}}


def test_what_was_counted_is_taken_before_anything_is_decided() -> None:
    status = guarded(covered={"a/0": {}})
    look = releasing(counted=series(status))
    found = guarding.counts_are_taken(canary(status, **ON), look).status.guard
    assert found.evidence[CHECK.name].canary == Counts(9, 1)
    assert found.requests == 59


@pytest.mark.parametrize(
    ("status", "settings", "look"),
    [
        (guarded(), {}, releasing()),
        (guarded(), OFF, releasing()),
        (guarded(), {**ON, "skip_analysis": True}, releasing()),
        (guarded(), ON, replace(releasing(), target=None)),
        (replace(IDLE, guard=BUSY), ON, seen()),
    ],
    ids=["unasked", "off", "skipped", "no target", "idle"],
)
def test_otherwise_nothing_is_taken(status: Status, settings: dict[str, Any], look: Any) -> None:
    before = canary(status, **settings)
    assert guarding.counts_are_taken(before, look) == before


def test_a_guard_that_ended_keeps_its_evidence_and_no_counters() -> None:
    ended = replace(PROMOTING, guard=replace(BUSY, covered={"a": {}}))
    found = guarding.counts_are_taken(canary(ended, **ON), releasing()).status.guard
    assert found == replace(BUSY, covered={})


def test_with_a_guard_the_checks_only_hold() -> None:
    status = guarded(step_requests=50)
    assert silent(analysis.breach_counts, status, releasing(traffic=BAD), **ON)
    found = stepped(status, releasing(traffic=BAD), **ON)
    assert found.canary.status.phase is Phase.PROGRESSING
    assert found.canary.status.failed_checks == 0
    assert found.reason.startswith("web.shop request-success-rate out of range: Halt web.shop")


def test_the_next_step_begins_with_no_requests_of_its_own() -> None:
    found = stepped(guarded(), releasing(), **ON).canary.status
    assert (found.canary_weight, found.guard.stepped) == (40, NOW)
    assert (found.guard.step_requests, found.guard.requests) == (0, 50)


def test_counting_is_no_transition() -> None:
    """While the interval is awaited nothing else changes."""
    begun = guarded(covered={"a/0": {}}, stepped=NOW - 1.0)
    awaiting = replace(begun, last_check=NOW - 1.0, last_transition=5.0)
    awaiting = stepped(awaiting, releasing(), **ON).canary.status
    quiet = replace(awaiting, last_transition=7.0)
    counting = stepped(quiet, releasing(counted=series(quiet)), **ON).canary.status
    assert counting.guard != quiet.guard
    assert counting.last_transition == 7.0
    assert replace(counting, guard=quiet.guard) == quiet


def test_pods_are_cold_after_they_were_replaced() -> None:
    status = guarded(covered={"a/0": {}})
    look = releasing(target=half("v2", 2, fresh=NOW - 1.0))
    assert not guarding.counts_are_taken(canary(status, **ON), look).status.guard.warmed
