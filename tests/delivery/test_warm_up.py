"""A ready canary warms up before a check or a request, and fails at once all the same."""

from dataclasses import replace

import pytest

from delivery.api.explained import explained
from delivery.canary import Phase, Status
from delivery.observation import Observation
from delivery.rules import warming
from delivery.schema import defaults_from, effective, problems, status_body, status_of, unbuilt
from tests.delivery.scenes import (
    ANALYSIS,
    JUDGED,
    NOW,
    RELEASING,
    canary,
    decided,
    half,
    releasing,
    seen,
    silent,
    stepped,
    texts,
)
from tests.delivery.test_max_duration import STEPS
from tests.delivery.test_schema import judged, manifest

DELAY = {"analysis": {"delay": 90.0}}
TEXT = "web.shop warms up for 1m30s: its first step comes at 1970-01-01T00:18:10Z"
WARMING = replace(RELEASING, ready=NOW - 30.0, message="said before")


def at(ago: float) -> Status:
    return replace(RELEASING, ready=NOW - ago)


def canary_half(**changes: object) -> Observation:
    return releasing(target=half("v2", 1, **changes))


def test_it_begins_when_the_canary_is_ready_and_is_said_once() -> None:
    found = decided(warming.delay_is_awaited, RELEASING, releasing(), **DELAY)
    assert texts(found) == [("Normal", TEXT)]
    assert (found.canary.status.ready, found.canary.status.message) == (NOW, TEXT)
    again = decided(warming.delay_is_awaited, found.canary.status, releasing(), **DELAY)
    assert (again.canary.status, again.messages) == (found.canary.status, ())


@pytest.mark.parametrize(
    ("ago", "weight"), [(0.0, 0), (30.0, 0), (89.9, 0), (90.0, 20), (100.0, 20)]
)
def test_the_first_weight_comes_when_it_is_over(ago: float, weight: int) -> None:
    assert stepped(at(ago), seen("v2", scale=1), **DELAY).canary.status.canary_weight == weight


def test_another_delay_in_mid_warm_up_counts_from_the_same_moment() -> None:
    found = decided(warming.delay_is_awaited, at(30.0), releasing(), analysis={"delay": 31.0})
    assert found.canary.status.message.endswith("1970-01-01T00:16:41Z")
    assert silent(warming.delay_is_awaited, at(30.0), releasing(), analysis={"delay": 30.0})


def test_there_is_none_without_a_word_later_or_where_nothing_is_analysed() -> None:
    rule = warming.delay_is_awaited
    assert silent(rule, RELEASING, releasing())
    assert silent(rule, JUDGED, releasing(), **DELAY)
    assert silent(rule, RELEASING, releasing(), skip_analysis=True, **DELAY)


def test_a_canary_that_cannot_run_fails_at_once() -> None:
    found = stepped(at(10.0), canary_half(failing="pod x: CrashLoopBackOff"), **DELAY)
    assert found.canary.status.phase is Phase.FAILED


@pytest.mark.parametrize(
    ("ago", "phase"), [(50.0, Phase.PROGRESSING), (145.0, Phase.PROGRESSING), (151.0, Phase.FAILED)]
)
def test_readiness_that_is_lost_has_its_whole_deadline_behind_the_warm_up(
    ago: float, phase: Phase
) -> None:
    status = replace(at(ago), phase_since=NOW - 500.0)
    found = stepped(status, canary_half(waiting="1 of 2 ready", ready_pods=0), **DELAY)
    assert found.canary.status.phase is phase


def test_a_new_revision_warms_up_anew() -> None:
    found = stepped(at(30.0), releasing(target=half("v3", 1)), **DELAY)
    assert (found.canary.status.observed, found.canary.status.ready) == ("v3", None)


def test_the_status_keeps_its_beginning_and_says_what_comes_next() -> None:
    status = decided(warming.delay_is_awaited, RELEASING, releasing(), **DELAY).canary.status
    assert status_of(status_body(status, {})).ready == NOW
    analysis = canary(status, **DELAY).analysis
    shown = explained(status, analysis)["lastDecision"]
    assert shown["next"] == {"what": "first step", "time": "1970-01-01T00:18:10Z"}
    for other in (WARMING, replace(status, ready=None)):
        assert "next" not in explained(other, analysis)["lastDecision"]


def test_it_is_said_in_the_analysis_or_in_the_defaults() -> None:
    assert judged(delay="1h2m").delay == 3720.0
    assert judged().delay == 0.0
    said, none = defaults_from({}, {"outrider.dev/delay": "1.5s"})
    assert (said.delay, none, effective(said)["delay"]) == (1.5, (), "1s500ms")
    assert "delay" not in effective(ANALYSIS)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"delay": "1h"}, ()),
        ({"delay": "0s", "maxDuration": "1s"}, ()),
        ({"delay": "59s", "maxDuration": "1m"}, ()),
        (
            {"delay": "soon"},
            ('spec.analysis.delay: "soon" is not a duration; write for example 30s or 1m30s',),
        ),
        (
            {"delay": "60s", "maxDuration": "1m"},
            (
                'spec.analysis.delay: "60s" is not below maxDuration "1m", so no release could be '
                "promoted; shorten it",
            ),
        ),
    ],
)
def test_a_warm_up_ends(said: dict[str, str], expected: tuple[str, ...]) -> None:
    written = manifest(analysis=STEPS | said)
    assert (problems(written), unbuilt(written)) == (expected, ())


def test_a_bad_limit_is_said_once() -> None:
    (said,) = problems(manifest(analysis=STEPS | {"delay": "1s", "maxDuration": "1mm"}))
    assert said.startswith("spec.analysis.maxDuration: ")
