"""One measured value against its range, in Flagger's words (reference, 7.1)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary import Canary, Metric, Verdict
from delivery.checks import (
    FAILED,
    NO_TRAFFIC,
    PASSED,
    UNDECIDED,
    go_duration,
    is_accident,
    judged,
    upper_tail,
)
from delivery.observation import Traffic

CANARY = Canary("web", "shop", "app")
HALT = "Halt web.shop advancement "


def rate(traffic: Traffic, minimum: float | None = 99.0, maximum: float | None = None) -> Verdict:
    return judged(CANARY, Metric("request-success-rate", 60.0, minimum, maximum), traffic)


def duration(
    traffic: Traffic, maximum: float | None = 500.0, minimum: float | None = None
) -> Verdict:
    return judged(CANARY, Metric("request-duration", 60.0, minimum, maximum), traffic)


def timed(p99: float, slow: int = 1000) -> Traffic:
    return Traffic(1000, p99=p99, slow={500.0: slow})


@pytest.mark.parametrize(
    ("bad", "minimum", "maximum", "reason"),
    [
        (13, 99.0, None, "success rate 98.70% < 99%"),
        (500, 99.5, None, "success rate 50.00% < 99.5%"),
        (0, None, 50.0, "success rate 100.00% > 50%"),
    ],
)
def test_a_success_rate_out_of_its_range_fails_in_flaggers_words(
    bad: int, minimum: float | None, maximum: float | None, reason: str
) -> None:
    verdict = rate(Traffic(1000, bad), minimum, maximum)
    assert (verdict.outcome, verdict.reason) == (FAILED, HALT + reason)
    assert verdict.samples == 1000


@pytest.mark.parametrize(("bad", "outcome"), [(10, PASSED), (11, FAILED), (0, PASSED)])
def test_the_bounds_of_a_success_rate_pass(bad: int, outcome: str) -> None:
    assert rate(Traffic(1000, bad)).outcome == outcome


@pytest.mark.parametrize(
    ("p99", "minimum", "maximum", "reason"),
    [
        (1515.0, None, 500.0, "request duration 1.515s > 500ms"),
        (501.0, None, 500.0, "request duration 501ms > 500ms"),
        (3.0, 5.0, None, "request duration 3ms < 5ms"),
    ],
)
def test_a_duration_out_of_its_range_fails_in_flaggers_words(
    p99: float, minimum: float | None, maximum: float | None, reason: str
) -> None:
    verdict = duration(timed(p99), maximum, minimum)
    assert (verdict.outcome, verdict.reason) == (FAILED, HALT + reason)


@pytest.mark.parametrize(("p99", "outcome"), [(500.0, PASSED), (500.9, PASSED), (501.0, FAILED)])
def test_durations_are_compared_in_whole_milliseconds(p99: float, outcome: str) -> None:
    assert duration(timed(p99)).outcome == outcome


def test_a_range_without_bounds_passes() -> None:
    assert rate(Traffic(1, 1), None).outcome == PASSED
    assert duration(timed(9e9), None).outcome == PASSED


@pytest.mark.parametrize("name", ["request-success-rate", "request-duration"])
def test_no_traffic_is_neither_failed_nor_passed(name: str) -> None:
    verdict = judged(CANARY, Metric(name), Traffic())
    assert (verdict.outcome, verdict.value) == (NO_TRAFFIC, None)
    assert verdict.reason == (
        f"Halt advancement no values found for envoy metric {name} "
        "probably app.shop is not receiving traffic"
    )


def test_requests_of_which_none_was_timed_have_no_duration() -> None:
    assert duration(Traffic(50, bad=50)).outcome == NO_TRAFFIC


def test_a_breach_in_a_small_sample_counts_only_when_chance_cannot_explain_it() -> None:
    verdict = rate(Traffic(50, 1))
    chance = "success rate 98.00% < 99% of 50 requests may be chance"
    assert verdict.outcome == UNDECIDED
    assert verdict.reason == f"request-success-rate no verdict yet: {chance}"
    assert rate(Traffic(50, 4)).outcome == FAILED
    assert rate(Traffic(100, 2)).outcome == FAILED


def test_a_limit_without_an_edge_of_its_own_is_judged_by_the_next_and_says_so() -> None:
    found = Traffic(1000, p99=1590.0, slow={1515.0: 20}, edges={1515.0: 1600.0})
    said = HALT + "request duration 1.59s > 1.515s (counted from 1.6s on)"
    assert duration(found, maximum=1515.0).reason == said
    assert duration(replace(found, edges={1515.0: 1515.0}), 1515.0).reason == said[:57]


def test_one_slow_request_of_a_few_is_no_verdict_yet() -> None:
    assert duration(Traffic(20, p99=900.0, slow={500.0: 1})).outcome == UNDECIDED
    assert duration(Traffic(20, p99=900.0, slow={500.0: 4})).outcome == FAILED
    assert duration(Traffic(20, p99=900.0)).outcome == FAILED


@pytest.mark.parametrize(
    ("requests", "bad", "allowed", "accident"),
    [
        (1, 1, 0.0, False),
        (1, 1, 0.01, False),
        (2, 1, 0.01, True),
        (99, 2, 0.01, True),
        (99, 5, 0.01, False),
        (100, 1, 0.01, False),
        (19, 1, 0.05, True),
        (20, 1, 0.05, False),
    ],
)
def test_from_one_allowed_bad_request_on_nothing_is_an_accident(
    requests: int, bad: int, allowed: float, accident: bool
) -> None:
    assert is_accident(requests, bad, allowed) is accident


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.0, 1.0))
def test_the_binomial_tail_falls_from_one_to_nothing(trials: int, hits: int, p: float) -> None:
    assert upper_tail(trials, 0, p) == 1.0
    tail = upper_tail(trials, min(hits, trials), p)
    assert -1e-9 <= tail <= 1.0 + 1e-9
    assert tail <= upper_tail(trials, max(0, min(hits, trials) - 1), p) + 1e-9


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0s"),
        (0.9, "0s"),
        (1, "1ms"),
        (500, "500ms"),
        (1000, "1s"),
        (1500, "1.5s"),
        (1515, "1.515s"),
        (60_000, "1m0s"),
        (61_010, "1m1.01s"),
        (3_600_000, "1h0m0s"),
        (5_430_000, "1h30m30s"),
    ],
)
def test_durations_are_printed_as_go_prints_them(milliseconds: float, text: str) -> None:
    assert go_duration(milliseconds) == text
