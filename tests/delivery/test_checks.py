"""One measured value against its range, in Flagger's words (reference, 7.1)."""

from dataclasses import replace

import pytest

from delivery.canary import Canary, Metric, Verdict
from delivery.checks import (
    BUILT_IN,
    FAILED,
    NO_TRAFFIC,
    PASSED,
    UNDECIDED,
    go_duration,
    judged,
    quantile,
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
    return Traffic(1000, duration=p99, slow={500.0: slow})


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
    found = Traffic(1000, duration=1590.0, slow={1515.0: 20}, edges={1515.0: 1600.0})
    said = HALT + "request duration 1.59s > 1.515s (counted from 1.6s on)"
    assert duration(found, maximum=1515.0).reason == said
    assert duration(replace(found, edges={1515.0: 1515.0}), 1515.0).reason == said[:57]


def test_one_slow_request_of_a_few_is_no_verdict_yet() -> None:
    assert duration(Traffic(20, duration=900.0, slow={500.0: 1})).outcome == UNDECIDED
    assert duration(Traffic(20, duration=900.0, slow={500.0: 4})).outcome == FAILED
    assert duration(Traffic(20, duration=900.0)).outcome == FAILED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("error-rate", "2.50"),
        ("request-rate", "20.00"),
        ("requests-total", "1200.00"),
        ("request-duration-p50", "80.50"),
        ("request-duration-p99", "80.50"),
    ],
)
def test_other_builtins_fail_in_flaggers_words_for_metrics(name: str, value: str) -> None:
    traffic = Traffic(1200, 30, 80.5, {1.0: 900}, seconds=60.0)
    high = judged(CANARY, Metric(name, 60.0, maximum=1.0), traffic)
    low = judged(CANARY, Metric(name, 60.0, minimum=3000.0), traffic)
    assert (high.outcome, high.reason) == (FAILED, f"{HALT}{name} {value} > 1")
    assert (low.outcome, low.reason) == (FAILED, f"{HALT}{name} {value} < 3000")
    assert high.value == low.value == float(value)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_builtin_passes_within_its_range_and_says_when_there_is_nothing(name: str) -> None:
    inside = Metric(name, 10.0, 0.0, 1e9)
    traffic = Traffic(1000, 10, 80.0, seconds=10.0)
    assert judged(CANARY, inside, traffic).outcome == PASSED
    assert judged(CANARY, inside, Traffic(seconds=10.0)).outcome == NO_TRAFFIC


def other(
    name: str, traffic: Traffic, *, low: float | None = None, high: float | None = None
) -> Verdict:
    return judged(CANARY, Metric(name, 60.0, low, high), traffic)


def test_a_few_errors_are_no_verdict_on_an_error_rate_either() -> None:
    verdict = other("error-rate", Traffic(50, 1), high=1.0)
    said = "error-rate 2.00 > 1 of 50 requests may be chance"
    assert verdict.reason == f"error-rate no verdict yet: {said}"
    assert other("error-rate", Traffic(50, 4), high=1.0).outcome == FAILED
    assert other("error-rate", Traffic(50, 0), low=1.0).outcome == FAILED


@pytest.mark.parametrize(
    ("name", "requests", "slow", "outcome"),
    [
        ("request-duration-p95", 10, 1, UNDECIDED),
        ("request-duration-p95", 10, 4, FAILED),
        ("request-duration-p95", 20, 2, FAILED),
        ("request-duration-p90", 9, 2, UNDECIDED),
        ("request-duration-p90", 10, 2, FAILED),
        ("request-duration-p50", 1, 1, UNDECIDED),
        ("request-duration-p50", 2, 2, FAILED),
    ],
)
def test_each_quantile_has_a_sample_of_its_own_to_be_judged_by(
    name: str, requests: int, slow: int, outcome: str
) -> None:
    traffic = Traffic(requests, duration=600.0, slow={500.0: slow})
    assert other(name, traffic, high=500.0).outcome == outcome


def test_too_few_requests_are_no_verdict_before_the_window_is_full() -> None:
    early = Traffic(30, seconds=20.0)
    verdict = other("requests-total", early, low=100.0)
    said = "requests-total 30.00 < 100 in 20 of 60 seconds"
    assert verdict.reason == f"requests-total no verdict yet: {said}"
    assert other("requests-total", early, high=20.0).outcome == FAILED
    assert other("request-rate", early, low=2.0).outcome == UNDECIDED
    assert other("request-rate", early, high=1.0).outcome == UNDECIDED
    assert other("request-rate", replace(early, seconds=58.6), low=2.0).outcome == FAILED


def test_a_window_that_became_longer_is_measured_by_its_interval() -> None:
    assert other("requests-total", Traffic(240, seconds=120.0), high=200.0).value == 120.0
    assert other("request-rate", Traffic(240, seconds=120.0), high=200.0).value == 2.0


def test_a_rate_takes_time() -> None:
    assert other("request-rate", Traffic(3), high=1.0).outcome == NO_TRAFFIC
    assert judged(CANARY, Metric("requests-total", 1.0), Traffic(3)).value == 3.0


def test_a_metric_of_durations_says_which_and_others_are_about_none() -> None:
    found = {name: quantile(name) for name in (*BUILT_IN, "my-own")}
    shares = {"": 0.99, "-p50": 0.5, "-p90": 0.9, "-p95": 0.95, "-p99": 0.99}
    assert {name for name, share in found.items() if share is None} == {
        *("request-success-rate", "error-rate", "request-rate", "requests-total", "my-own")
    }
    assert all(found[f"request-duration{name}"] == share for name, share in shares.items())


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
