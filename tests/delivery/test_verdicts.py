"""Verdicts on what backends answered, in Flagger's order and words (reference, 7.1)."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from delivery.canary import Analysis, Canary, Metric
from delivery.checks import FAILED, NO_TRAFFIC, PASSED
from delivery.observation import Measurement, Observation, Traffic
from delivery.verdicts import PENDING, verdicts

RATE = Metric("request-success-rate", 60.0, minimum=99.0)
DURATION = Metric("request-duration", 60.0, maximum=500.0)
INLINE = Metric("errors", 60.0, maximum=1.0, query="errors")
TEMPLATED = Metric("lag", 60.0, minimum=0.5, maximum=1234.5, template="lag")
HALT = "Halt web.shop advancement "


def canary(*metrics: Metric, server: str = "http://prometheus:9090") -> Canary:
    return Canary("web", "shop", "app", Analysis(metrics=metrics), metrics_server=server)


def outcomes(found: Canary, answers: dict[tuple[int, str], Any], **traffic: Traffic) -> list[str]:
    given = {
        key: answer if isinstance(answer, Measurement) else Measurement(answer)
        for key, answer in answers.items()
    }
    seen = Observation(0.0, measurements=given, traffic=traffic)
    return [f"{one.metric}: {one.outcome}" for one in verdicts(found, seen)]


@pytest.mark.parametrize(
    ("metric", "way", "value", "text"),
    [
        (RATE, "built-in", 98.691, "success rate 98.69% < 99%"),
        (
            replace(RATE, minimum=None, maximum=50.5),
            "built-in",
            60.0,
            "success rate 60.00% > 50.5%",
        ),
        (DURATION, "built-in", 1515.7, "request duration 1.515s > 500ms"),
        (DURATION, "built-in", inf, "request-duration inf > 500"),
        (replace(DURATION, minimum=5.0), "built-in", 3.0, "request duration 3ms < 5ms"),
        (INLINE, "inline", 1.234, "errors 1.23 > 1"),
        (TEMPLATED, "template", 0.25, "lag 0.25 < 0.5"),
        (TEMPLATED, "template", 2e6, "lag 2000000.00 > 1234.5"),
        (replace(DURATION, query="x"), "inline", 500.9, "request-duration 500.90 > 500"),
    ],
)
def test_a_value_out_of_its_range_fails_in_flaggers_words(
    metric: Metric, way: str, value: float, text: str
) -> None:
    found = canary(metric, server="" if way == "inline" else "http://prometheus:9090")
    seen = Observation(0.0, measurements={(0, way): Measurement(value)})
    verdict = verdicts(found, seen)[-1]
    assert (verdict.outcome, verdict.value, verdict.reason) == (FAILED, value, HALT + text)


@pytest.mark.parametrize(
    ("metric", "way", "value"),
    [
        (RATE, "built-in", 99.0),
        (DURATION, "built-in", 500.9),
        (INLINE, "inline", 1.0),
        (TEMPLATED, "template", 0.5),
        (replace(INLINE, maximum=None), "inline", inf),
    ],
)
def test_the_bounds_pass(metric: Metric, way: str, value: float) -> None:
    assert outcomes(canary(metric), {(0, way): value}) == [f"{metric.name}: {PASSED}"]


def test_names_and_inline_queries_come_before_templates() -> None:
    found = canary(TEMPLATED, replace(RATE, query="x", template="y"), INLINE)
    answers = {key: 100.0 for key in [(0, "template"), (1, "inline"), (2, "inline")]}
    assert outcomes(found, {**answers, (1, "built-in"): 1.0}) == [
        f"request-success-rate: {FAILED}",
        f"request-success-rate: {PASSED}",
        f"errors: {FAILED}",
        f"lag: {PASSED}",
        f"request-success-rate: {PENDING}",
    ]


def test_without_a_prometheus_the_routers_figures_count() -> None:
    found = canary(RATE, TEMPLATED, server="")
    counted = {RATE.name: Traffic(100)}
    assert outcomes(found, {(0, "built-in"): 1.0, (1, "template"): 1.0}, **counted) == [
        f"request-success-rate: {PASSED}",
        f"lag: {PASSED}",
    ]


@pytest.mark.parametrize(("early", "outcome"), [(False, FAILED), (True, NO_TRAFFIC)])
def test_no_value_fails_unless_it_is_too_early_for_one(early: bool, outcome: str) -> None:
    seen = Observation(0.0, measurements={(0, "inline"): Measurement(None, "why", early)})
    (verdict,) = verdicts(canary(INLINE), seen)
    assert (verdict.outcome, verdict.value, verdict.reason) == (outcome, None, "why")


def test_what_is_still_being_asked_is_neither_passed_nor_failed() -> None:
    (verdict,) = verdicts(canary(INLINE), Observation(0.0))
    assert (verdict.outcome, verdict.reason) == (PENDING, "metric errors is being asked")


def test_a_name_of_ours_is_its_users_own_where_he_asks_a_backend() -> None:
    found = canary(Metric("error-rate", 60.0, maximum=1.0, template="errors"), server="")
    assert outcomes(found, {(0, "template"): 0.5}) == [f"error-rate: {PASSED}"]
