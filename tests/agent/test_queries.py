"""Questions to real backends on loopback: asked once, never waited for, told in Flagger's words."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.offered import NotOffered
from agent.queries import AT_ONCE_EACH, Answer, Queries
from agent.secrets import Unallowed, Unread
from delivery.canary import Analysis, Canary, Metric, Phase, Status
from delivery.observation import Measurement
from delivery.questions import Way
from delivery.references import Named
from tests.agent.pods import Behaviour, Held, Pod, answers, hangs, hangs_up
from tests.agent.running_router import eventually, free_port

NOW = 1000.0
LAG = Metric("lag", 10.0, maximum=5.0, template="lag")
ERRORS = Metric("errors", 10.0, maximum=1.0, query="errors[{{ interval }}]")
DUE = Status(Phase.PROGRESSING, observed="v2", phase_since=NOW - 60.0, last_check=NOW - 10.0)
TOLD = "Metric query failed for lag: "
NO_VALUES = "Halt advancement no values found for custom metric: lag: "


def canary(*metrics: Metric, port: int = 0, **status: Any) -> Canary:
    analysis = Analysis(interval=10.0, metrics=metrics)
    server = f"http://127.0.0.1:{port}" if port else ""
    found = replace(DUE, **status)
    return Canary("web", "shop", "app", analysis, metrics_server=server, status=found)


def template(port: int, **provider: Any) -> dict[str, Any]:
    said = {"type": "prometheus", "address": f"http://127.0.0.1:{port}", **provider}
    return {"metadata": {"name": "lag"}, "spec": {"provider": said, "query": "lag"}}


def value(*values: str) -> Behaviour:
    result = [{"metric": {}, "value": [1, one]} for one in values]
    return answers(json.dumps({"data": {"resultType": "vector", "result": result}}).encode())


class Asking:
    """Queries with a namespace of MetricTemplates, and what was counted."""

    def __init__(self, *templates: Mapping[str, Any], **secrets: Mapping[str, str]) -> None:
        self.templates = templates
        self.secrets = secrets
        self.told: list[tuple[str, bool]] = []
        self.owners: list[str] = []
        self.refuses = False
        self.woken = threading.Event()
        self.queries = Queries(
            self.secret,
            find=self.find,
            answered=self.woken.set,
            told=lambda kind, seconds, failed: self.told.append((kind, failed)),
        )

    def find(self, named: Named) -> Mapping[str, Any] | None:
        if self.refuses:
            raise NotOffered("no")
        every = (one for one in self.templates if one["metadata"]["name"] == named.name)
        return next(every, None)

    def secret(self, named: Named) -> Mapping[str, str]:
        self.owners.append(named.namespace)
        if named.name == "closed":
            raise Unallowed("no")
        if named.name not in self.secrets:
            raise Unread(f'secrets "{named.name}" not found')
        return self.secrets[named.name]

    def look(self, found: Canary, now: float = NOW) -> Mapping[Any, Measurement]:
        return self.queries.measurements(found, now)

    def answered(self, found: Canary, now: float = NOW) -> Mapping[Any, Measurement]:
        """What is known when all has been answered."""
        return until(lambda: self.look(found, now), len(found.analysis.metrics))


def until(look: Callable[[], Mapping[Any, Measurement]], size: int) -> Mapping[Any, Measurement]:
    end = time.monotonic() + 30.0
    while len(known := look()) < size:
        assert time.monotonic() < end, "not answered"
        time.sleep(0.01)
    return known


def lag(behaviour: Behaviour, **provider: Any) -> Measurement:
    with Pod(behaviour) as pod:
        asking = Asking(template(pod.endpoint.port, **provider), login={"token": "s3cret-token"})
        (measured,) = asking.answered(canary(LAG)).values()
    return measured


def test_a_turn_does_not_wait_and_is_woken_by_the_answer() -> None:
    with Pod(held := Held(value("1.5"))) as pod:
        asking = Asking(template(pod.endpoint.port))
        assert asking.look(canary(LAG)) == asking.look(canary(LAG)) == {}
        held.go.set()
        assert asking.woken.wait(30.0)
        assert asking.look(canary(LAG)) == {(0, "template"): Measurement(1.5)}
    assert asking.told == [("prometheus", False)]


def test_all_ways_are_asked_of_their_own_backends() -> None:
    with Pod(value("7")) as inline, Pod(value("3")) as other:
        asking = Asking(template(other.endpoint.port))
        found = asking.answered(canary(LAG, ERRORS, port=inline.endpoint.port))
    assert found == {(0, "template"): Measurement(3.0), (1, "inline"): Measurement(7.0)}


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (value(), NO_VALUES + "no values found"),
        (value("NaN"), NO_VALUES + "no values found"),
        (answers(b"no such tenant", "401 No"), TOLD + "error response: Status 401 text: no such"),
        (answers(b"<html>"), TOLD + "error unmarshaling result: no answer of Prometheus: '<html>"),
        (hangs_up, TOLD + "request failed: Remote end closed connection"),
        (
            answers(b'{"data": {"result": [{"values": []}]}}'),
            NO_VALUES + "query returned multiple values",
        ),
    ],
)
def test_what_is_no_number_is_said_in_flaggers_words(behaviour: Behaviour, failure: str) -> None:
    measured = lag(behaviour)
    assert measured.value is None
    assert measured.failure.startswith(failure)
    assert not measured.early


def test_of_several_series_the_last_counts() -> None:
    assert lag(value("1", "2")) == Measurement(2.0)


def test_a_backend_that_is_away_is_an_error() -> None:
    asking = Asking(template(free_port("127.0.0.1")))
    (measured,) = asking.answered(canary(LAG)).values()
    assert measured.failure.endswith("Connection refused")
    assert asking.told == [("prometheus", True)]


def test_a_secret_is_sent_and_never_told() -> None:
    def echoes(connection: Any, head: bytes) -> bool:
        return answers(head, "500 Broken")(connection, head)

    measured = lag(echoes, secretRef={"name": "login"})
    assert "Authorization: ***" in measured.failure
    assert "s3cret" not in measured.failure


@pytest.mark.parametrize(
    ("provider", "failure"),
    [
        ({"secretRef": {"name": "none"}}, 'secret none error: secrets "none" not found'),
        ({"address": "prom"}, 'provider prometheus error: address: "prom" is no URL'),
        ({"type": "datadog"}, 'provider datadog error: type "datadog" is not built'),
    ],
)
def test_a_template_that_cannot_be_asked_says_why(provider: Any, failure: str) -> None:
    assert lag(value("1"), **provider).failure.startswith(f"Metric template lag.shop {failure}")


def test_a_template_that_is_missing_is_an_error() -> None:
    (measured,) = Asking().answered(canary(LAG)).values()
    assert measured.failure == 'Metric template lag.shop error: metrictemplate "lag" not found'


def test_no_values_so_early_are_waited_for() -> None:
    with Pod(value()) as pod:
        young = canary(ERRORS, port=pod.endpoint.port, phase_since=NOW - 5.0)
        (measured,) = Asking().answered(young).values()
    assert measured.early


@pytest.mark.parametrize(
    "status", [{"last_check": NOW - 9.0}, {"last_check": None}, {"phase": Phase.PROMOTING}]
)
def test_nothing_is_asked_before_it_is_due(status: Any) -> None:
    with Pod(value("1")) as pod:
        asking = Asking(template(pod.endpoint.port))
        assert asking.look(canary(LAG, **status)) == {}
        time.sleep(0.05)
        assert pod.requests == 0


def test_a_question_is_asked_once_and_anew_after_the_next_verdict() -> None:
    with Pod(value("1")) as pod:
        asking, found = Asking(template(pod.endpoint.port)), canary(LAG)
        asking.answered(found)
        assert asking.look(found, NOW + 1.0)
        assert pod.requests == 1
        later = canary(LAG, last_check=NOW)
        assert asking.look(later, NOW + 5.0) == {}
        asking.answered(later, NOW + 10.0)
        assert pod.requests == 2


def test_an_answer_about_another_revision_says_nothing_of_this_one() -> None:
    with Pod(value("1")) as pod:
        asking = Asking(template(pod.endpoint.port))
        asking.answered(canary(LAG))
        assert asking.look(canary(LAG, observed="v3")) == {}


def test_an_answer_that_is_an_interval_old_is_asked_for_anew() -> None:
    with Pod(value("1")) as pod:
        asking, found = Asking(template(pod.endpoint.port)), canary(LAG)
        asking.answered(found)
        (answer,) = asking.queries.rounds["web"].answers.values()
        answer.ended = time.monotonic() - 10.0
        assert asking.look(found) == {}
        asking.answered(found)
        assert pod.requests == 2


def test_a_backend_that_hangs_delays_no_other_and_ends_as_an_error() -> None:
    with Pod(hangs) as slow, Pod(value("1")) as quick:
        asking = Asking(template(slow.endpoint.port))
        found = canary(LAG, ERRORS, port=quick.endpoint.port)
        known = until(lambda: asking.look(found), 1)
        assert known == {(1, "inline"): Measurement(1.0)}
        slow_one = asking.queries.rounds["web"].answers[0, Way.TEMPLATE]
        slow_one.began -= slow_one.allowed
        late = asking.look(found)[0, "template"]
    assert late.failure == TOLD + "request failed: no answer within 5 s"


def test_a_word_that_comes_too_late_changes_nothing() -> None:
    asking, answer = Asking(), Answer()
    assert asking.queries.settle(answer, Measurement(1.0))
    assert not asking.queries.settle(answer, Measurement(2.0))
    assert answer.measured == Measurement(1.0)


def test_a_backend_that_hangs_leaves_room_for_the_others() -> None:
    many = tuple(replace(ERRORS, name=f"errors-{number}") for number in range(AT_ONCE_EACH + 3))
    with Pod(hangs) as slow, Pod(value("1")) as quick:
        asking = Asking(template(quick.endpoint.port))
        found = canary(*many, LAG, port=slow.endpoint.port)
        (key,) = until(lambda: asking.look(found), 1)
        assert key == (len(many), "template")
        eventually(lambda: slow.connections == AT_ONCE_EACH)
        assert asking.queries.room.running == {found.metrics_server: AT_ONCE_EACH}


def test_a_template_of_another_namespace_is_asked_with_its_own_secret() -> None:
    lent = replace(LAG, template_namespace="tools")
    with Pod(value("1.5")) as pod:
        said = template(pod.endpoint.port, secretRef={"name": "login"})
        asking = Asking(said, login={"token": "s3cret-token"})
        assert asking.answered(canary(lent)) == {(0, "template"): Measurement(1.5)}
    assert asking.owners == ["tools"]


def test_what_is_not_offered_is_not_asked_and_fails_nothing() -> None:
    with Pod(value("1.5")) as pod:
        asking = Asking(template(pod.endpoint.port))
        asking.refuses = True
        assert asking.look(canary(LAG)) == {}
        asking.refuses = False
        assert asking.answered(canary(LAG)) == {(0, "template"): Measurement(1.5)}
    assert asking.told == [("prometheus", False)]


@pytest.mark.parametrize(("lent", "early"), [("tools", True), ("", False)])
def test_a_secret_that_was_just_taken_back_is_no_failed_check(lent: str, early: bool) -> None:
    """Of its own namespace it is the user's to allow."""
    asking = Asking(template(1, secretRef={"name": "closed"}))
    found = canary(replace(LAG, template_namespace=lent))
    (measured,) = asking.answered(found).values()
    assert (measured.early, "secret closed error" in measured.failure) == (early, True)
