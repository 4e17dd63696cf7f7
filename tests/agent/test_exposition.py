"""What a scrape of the agent sees."""

import threading
from dataclasses import replace
from math import exp
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agent.exposition import Exposition, project_version
from delivery.canary import Analysis, Canary, Metric, Phase, Status, Verdict
from delivery.checks import CHECKS
from delivery.evidence import Counts, begun, grown
from delivery.guard import Guard, Policy

SHOP = Canary("shop-canary", "web", "shop")
OF_SHOP = {"name": "shop", "namespace": "web"}


class Scraped:
    """An exposition and the registry it is scraped through."""

    def __init__(self, *canaries: Canary) -> None:
        self.registry = CollectorRegistry()
        self.fed = Exposition(self.registry, version="1.2.3")
        self.fed.update(canaries)

    def value(self, series: str, /, **labels: str) -> float | None:
        return self.registry.get_sample_value(series, labels)

    def text(self) -> str:
        return generate_latest(self.registry).decode()


def in_phase(phase: Phase, **status: Any) -> Canary:
    return replace(SHOP, status=Status(phase=phase, **status))


def test_what_runs_is_told() -> None:
    scraped = Scraped()
    assert scraped.value("flagger_info", version="1.2.3", mesh_provider="envoy") == 1.0
    assert scraped.value("outrider_info", version="1.2.3") == 1.0


def test_the_version_is_that_of_the_project() -> None:
    registry = CollectorRegistry()
    Exposition(registry)
    assert registry.get_sample_value("outrider_info", {"version": project_version()}) == 1.0


@pytest.mark.parametrize(
    ("phase", "status"),
    [(phase, {Phase.PROGRESSING: 0.0, Phase.FAILED: 2.0}.get(phase, 1.0)) for phase in Phase],
)
def test_a_status_is_0_progressing_2_failed_1_else(phase: Phase, status: float) -> None:
    assert Scraped(in_phase(phase)).value("flagger_canary_status", **OF_SHOP) == status


def test_weights_of_both_halves_sum_to_100() -> None:
    scraped = Scraped(in_phase(Phase.PROGRESSING, canary_weight=30))
    weight = "flagger_canary_weight"
    assert scraped.value(weight, workload="shop", namespace="web") == 30.0
    assert scraped.value(weight, workload="shop-primary", namespace="web") == 70.0


def test_an_ab_test_shows_all_of_the_canary_as_with_flagger() -> None:
    scraped = Scraped(in_phase(Phase.PROGRESSING, matched=True))
    weight = "flagger_canary_weight"
    assert scraped.value(weight, workload="shop", namespace="web") == 100.0
    assert scraped.value(weight, workload="shop-primary", namespace="web") == 0.0


@pytest.mark.parametrize("name", sorted(each for each in CHECKS if "duration" in each))
def test_each_duration_is_told_in_seconds(name: str) -> None:
    scraped = Scraped(in_phase(Phase.PROGRESSING, verdicts=(Verdict(name, "passed", 250.0),)))
    assert scraped.value("flagger_canary_metric_analysis", **OF_SHOP, metric=name) == 0.25


def test_what_a_user_asks_under_such_a_name_is_told_as_it_was_answered() -> None:
    name = "request-duration-p99"
    found = in_phase(Phase.PROGRESSING, verdicts=(Verdict(name, "passed", 250.0),))
    own = replace(found, analysis=Analysis(metrics=(Metric(name, query="slowest"),)))
    told = Scraped(own).value("flagger_canary_metric_analysis", **OF_SHOP, metric=name)
    assert told == 250.0


def test_the_last_value_of_each_check_is_told_durations_in_seconds() -> None:
    verdicts = (
        Verdict("request-success-rate", "passed", 98.5),
        Verdict("request-duration", "passed", 250.0),
        Verdict("load", "no traffic"),
    )
    scraped = Scraped(in_phase(Phase.PROGRESSING, verdicts=verdicts))
    name = "flagger_canary_metric_analysis"
    assert scraped.value(name, **OF_SHOP, metric="request-success-rate") == 98.5
    assert scraped.value(name, **OF_SHOP, metric="request-duration") == 0.25
    assert scraped.value(name, **OF_SHOP, metric="load") is None


def test_canaries_are_counted_by_namespace_and_an_empty_one_is_told() -> None:
    scraped = Scraped(SHOP, replace(SHOP, target="cart"))
    assert scraped.value("flagger_canary_total", namespace="web") == 2.0
    scraped.fed.update([])
    assert scraped.value("flagger_canary_total", namespace="web") == 0.0


def test_a_turn_is_told_by_its_length() -> None:
    scraped = Scraped(SHOP)
    for seconds in (0.005, 0.02, 30.0):
        scraped.fed.turned(SHOP, SHOP, seconds)
    name = "flagger_canary_duration_seconds"
    below = {le: scraped.value(f"{name}_bucket", **OF_SHOP, le=le) for le in ("0.005", "0.025")}
    assert below == {"0.005": 1.0, "0.025": 2.0}
    assert scraped.value(f"{name}_bucket", **OF_SHOP, le="10") == 2.0
    assert scraped.value(f"{name}_count", **OF_SHOP) == 3.0
    assert scraped.value(f"{name}_sum", **OF_SHOP) == pytest.approx(30.025)


def test_a_turn_shows_its_weight_at_once() -> None:
    scraped = Scraped(SHOP)
    scraped.fed.turned(SHOP, in_phase(Phase.PROGRESSING, canary_weight=10), 0.1)
    assert scraped.value("flagger_canary_weight", workload="shop", namespace="web") == 10.0


@pytest.mark.parametrize(
    ("phase", "skip", "name", "status"),
    [
        (Phase.SUCCEEDED, False, "successes", "completed"),
        (Phase.SUCCEEDED, True, "successes", "skipped"),
        (Phase.FAILED, False, "failures", "completed"),
        (Phase.FAILED, True, "failures", "completed"),
    ],
)
def test_the_end_of_a_release_is_counted_once(
    phase: Phase, skip: bool, name: str, status: str
) -> None:
    before = replace(in_phase(Phase.PROGRESSING), skip_analysis=skip)
    after = replace(before, status=Status(phase=phase))
    scraped = Scraped(before)
    scraped.fed.turned(before, after, 0.1)
    scraped.fed.turned(after, after, 0.1)
    labels = {**OF_SHOP, "deployment_strategy": "canary", "analysis_status": status}
    assert scraped.value(f"flagger_canary_{name}_total", **labels) == 1.0


def test_entering_another_phase_ends_no_release() -> None:
    scraped = Scraped(SHOP)
    scraped.fed.turned(SHOP, in_phase(Phase.INITIALIZED), 0.1)
    assert "flagger_canary_successes_total{" not in scraped.text()
    assert "flagger_canary_failures_total{" not in scraped.text()


def test_what_is_withdrawn_while_it_waits_is_no_release() -> None:
    scraped = Scraped()
    failures = {**OF_SHOP, "deployment_strategy": "canary", "analysis_status": "completed"}
    waits, refused = in_phase(Phase.WAITING, failed="v2"), in_phase(Phase.FAILED, failed="v2")
    scraped.fed.turned(waits, refused, 0.1)
    assert scraped.value("flagger_canary_failures_total", **failures) is None
    scraped.fed.turned(in_phase(Phase.WAITING), refused, 0.1)
    assert scraped.value("flagger_canary_failures_total", **failures) == 1.0


def test_series_of_a_deleted_canary_disappear() -> None:
    cart = replace(SHOP, name="cart", target="cart")
    verdicts = (Verdict("request-duration", "passed", 250.0),)
    scraped = Scraped(SHOP, cart)
    scraped.fed.turned(SHOP, in_phase(Phase.FAILED, verdicts=verdicts), 0.1)
    scraped.fed.turned(cart, cart, 0.1)
    scraped.fed.update([cart])
    assert '"shop' not in scraped.text()
    assert 'name="cart"' in scraped.text()


def test_counts_of_a_canary_that_stays_are_kept() -> None:
    scraped = Scraped(SHOP)
    scraped.fed.ended(SHOP, Phase.SUCCEEDED)
    scraped.fed.update([SHOP])
    labels = {**OF_SHOP, "deployment_strategy": "canary", "analysis_status": "completed"}
    assert scraped.value("flagger_canary_successes_total", **labels) == 1.0


def test_two_canaries_of_one_target_make_no_series_twice() -> None:
    lines = Scraped(SHOP, replace(SHOP, name="other")).text().splitlines()
    assert len(lines) == len(set(lines))


def test_deployments_left_alone_are_told_with_each_reason() -> None:
    scraped = Scraped()
    scraped.fed.refuse({"db": ("it has a volume claim", "it is headless")})
    labels = {"deployment": "db", "reason": "it is headless"}
    assert scraped.value("outrider_refusals", **labels) == 1.0
    scraped.fed.refuse({})
    assert scraped.value("outrider_refusals", **labels) is None


def test_failures_around_are_counted_from_zero() -> None:
    scraped = Scraped()
    assert scraped.value("outrider_scrape_errors_total") == 0.0
    assert scraped.value("outrider_router_rejections_total") == 0.0
    scraped.fed.scrape_failed("10.0.0.1:19090")
    scraped.fed.reject("outrider-router-1")
    assert scraped.value("outrider_scrape_errors_total") == 1.0
    assert scraped.value("outrider_router_rejections_total") == 1.0


@pytest.mark.parametrize("held", [True, False])
def test_the_leader_says_so(held: bool) -> None:
    scraped = Scraped()
    scraped.fed.lead(held)
    assert scraped.value("outrider_leader") == float(held)


def test_scrapes_and_turns_do_not_disturb_each_other() -> None:
    scraped = Scraped(SHOP)
    turns = [threading.Thread(target=scraped.fed.turned, args=(SHOP, SHOP, 0.1)) for _ in range(50)]
    for turn in turns:
        turn.start()
        scraped.text()
    for turn in turns:
        turn.join()
    assert scraped.value("flagger_canary_duration_seconds_count", **OF_SHOP) == 50.0


def test_updates_that_slipped_past_admission_are_counted() -> None:
    scraped = Scraped()
    assert scraped.value("outrider_slipped_updates_total") == 0.0
    scraped.fed.slip()
    assert scraped.value("outrider_slipped_updates_total") == 1.0


def test_questions_to_metric_backends_are_timed_and_counted() -> None:
    scraped = Scraped()
    scraped.fed.queried("prometheus", 0.02, False)
    scraped.fed.queried("prometheus", 5.0, True)
    name = "outrider_metric_query"
    assert scraped.value(f"{name}_duration_seconds_count", provider="prometheus") == 2.0
    assert scraped.value(f"{name}_duration_seconds_sum", provider="prometheus") == 5.02
    assert scraped.value(f"{name}_errors_total", provider="prometheus") == 1.0


def test_the_guard_shows_its_evidence_and_what_would_be_enough() -> None:
    success = Metric("request-success-rate", minimum=99.0)
    found = grown(begun(0.01), Counts(20, 2), Counts(180))
    status = Status(guard=Guard(evidence={success.name: found}))
    guarded = replace(SHOP, analysis=Analysis(metrics=(success,), guard=Policy()), status=status)
    scraped = Scraped(guarded)
    labels = {**OF_SHOP, "metric": success.name}
    for against, peak in (("primary", found.relative_peak), ("range", found.absolute_peak)):
        evidence = scraped.value("outrider_guard_evidence", **labels, against=against)
        assert evidence == pytest.approx(exp(peak))
    assert scraped.value("outrider_guard_evidence_needed", **OF_SHOP) == 100.0


def test_a_check_shows_what_it_measured_in_its_own_unit() -> None:
    verdicts = (Verdict("request-duration", "passed", 250.0, 10), Verdict("mine", "no traffic"))
    scraped = Scraped(in_phase(Phase.PROGRESSING, verdicts=verdicts))
    labels = {**OF_SHOP, "metric": "request-duration"}
    assert scraped.value("outrider_check_value", **labels) == 250.0
    assert scraped.value("outrider_check_value", **OF_SHOP, metric="mine") is None
