"""The guard and queries of the user's own: neither stands in the other's way."""

from typing import Any

from delivery.canary import Metric, Phase
from delivery.guard import Policy
from delivery.hypotheses import hypotheses
from delivery.observation import Measurement
from delivery.rules import analysis
from tests.delivery.scenes import CHECK, JUDGED, canary, decided, releasing, stepped, texts
from tests.delivery.test_rules_guarding import against, guarded

OWN = Metric("error-rate", 10.0, maximum=5.0, template="errors")
ASKED: dict[str, Any] = {"analysis": {"guard": Policy(), "metrics": (OWN, CHECK)}}


def test_a_backend_that_has_not_answered_delays_no_rollback() -> None:
    (held,) = hypotheses(canary(JUDGED, **ASKED).analysis)
    status = guarded(found=against(allowed=held.allowed))
    found = stepped(status, releasing(measurements={}), **ASKED)
    assert found.canary.status.phase is Phase.FAILED


def test_a_query_of_the_users_own_ends_a_release_whatever_its_name() -> None:
    answers = {(0, "template"): Measurement(6.0)}
    found = decided(analysis.breach_counts, JUDGED, releasing(measurements=answers), **ASKED)
    assert texts(found) == [("Warning", "Halt web.shop advancement error-rate 6.00 > 5")]


def test_a_query_of_the_users_own_is_nothing_to_the_guard() -> None:
    found = canary(JUDGED, **ASKED).analysis
    assert [one.metric for one in hypotheses(found)] == [CHECK.name]


def test_with_the_guard_on_a_built_in_check_that_cannot_be_asked_holds_and_says_why() -> None:
    answers = {(0, "built-in"): Measurement(failure="Prometheus query failed: no")}
    look = releasing(measurements=answers)
    asked: dict[str, Any] = {
        "metrics_server": "http://prometheus:9090",
        "analysis": {"guard": Policy(), "metrics": (CHECK,)},
    }
    found = decided(analysis.missing_verdict_is_awaited, JUDGED, look, **asked)
    assert found.reason == "Prometheus query failed: no"
