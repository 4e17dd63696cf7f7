"""What a Canary's checks ask of metric backends, and what is said when there is no answer."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.canary import Analysis, Canary, Metric, Phase, Status
from delivery.providers import BadAnswer, MultipleValues, NoValues, QueryError
from delivery.questions import (
    Question,
    Unasked,
    Way,
    due,
    failure,
    place,
    prepared,
    problem_of,
    questions,
    unbuilt,
    unsettled,
)
from delivery.references import Named

SERVER = "http://prometheus:9090"
RATE = Metric("request-success-rate", 60.0, minimum=99.0)
INLINE = Metric("errors", 60.0, maximum=1.0, query='sum(errors{t="{{ target }}"}[{{ interval }}])')
TEMPLATED = Metric("lag", 30.0, maximum=5.0, template="lag", variables={"queue": "orders"})
BOTH = replace(RATE, template="lag")
NOW = 1000.0


def canary(*metrics: Metric, **changes: Any) -> Canary:
    return replace(
        Canary("web", "shop", "app", Analysis(metrics=metrics), metrics_server=SERVER), **changes
    )


def template(**spec: Any) -> dict[str, Any]:
    provider = {"type": "prometheus", "address": SERVER}
    whole = {"provider": provider, "query": "lag", **spec}
    return {"metadata": {"name": "lag", "namespace": "shop"}, "spec": whole}


def asked(canary: Canary, found: dict[str, Any] | None = None, *, now: float = NOW) -> str:
    (question,) = questions(canary)
    return prepared(canary, question, found, now=now).query


def keys(canary: Canary) -> list[tuple[int, str]]:
    return [question.key for question in questions(canary)]


def test_templates_are_asked_behind_all_others() -> None:
    found = keys(canary(TEMPLATED, INLINE, BOTH))
    assert found == [(1, "inline"), (2, "built-in"), (0, "template"), (2, "template")]


def test_without_a_prometheus_the_built_in_checks_ask_nobody() -> None:
    assert keys(canary(RATE, BOTH, metrics_server="")) == [(1, "template")]


def test_a_check_of_another_name_is_not_one_of_prometheus() -> None:
    assert keys(canary(Metric("error-rate", 60.0))) == []


def test_an_inline_query_is_filled_in_and_its_white_space_collapsed() -> None:
    query = '  sum(rate(\n\terrors{{ `{` }}t=~"{{ target }}"}[{{ interval }}]))\n'
    assert asked(canary(replace(INLINE, query=query))) == 'sum(rate( errors{t=~"app"}[60s]))'


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("{{ name }}/{{ namespace }}/{{ target }}", "web/shop/app"),
        ("{{ service }} {{ ingress }} {{ route }}", "app app app"),
        ("{{ variables.queue }}", "orders"),
        ("[{{ interval }}]", "[30s]"),
    ],
)
def test_a_template_is_given_flaggers_values(query: str, result: str) -> None:
    assert asked(canary(TEMPLATED), template(query=query)) == result


@pytest.mark.parametrize(
    ("changes", "service"),
    [({"service": "front"}, "front"), ({"status": Status(apex="door")}, "door"), ({}, "app")],
)
def test_the_service_is_the_one_named_or_found(changes: dict[str, Any], service: str) -> None:
    assert asked(canary(TEMPLATED, **changes), template(query="{{ service }}")) == service


@pytest.mark.parametrize(
    ("since", "now", "window", "cut"),
    [
        (None, NOW, "60s", False),
        (NOW - 100.0, NOW, "60s", False),
        (NOW - 60.0, NOW, "60s", False),
        (NOW - 20.7, NOW, "20s", True),
        (NOW, NOW, "1s", True),
    ],
)
def test_nothing_from_before_the_revision_is_asked_about(
    since: float | None, now: float, window: str, cut: bool
) -> None:
    found = canary(INLINE, status=Status(phase_since=since))
    (question,) = questions(found)
    made = prepared(found, question, None, now=now)
    assert made.query == f'sum(errors{{t="app"}}[{window}])'
    assert made.cut is cut


@pytest.mark.parametrize("metric", [replace(INLINE, query="lag"), TEMPLATED])
def test_a_query_that_asks_about_now_is_never_cut(metric: Metric) -> None:
    found = canary(metric, status=Status(phase_since=NOW))
    (question,) = questions(found)
    assert not prepared(found, question, template(), now=NOW).cut


def test_a_template_brings_its_own_settings() -> None:
    provider = {
        "type": "prometheus",
        "address": "https://other",
        "headers": {"X": ["1"]},
        "secretRef": {"name": "login"},
        "insecureSkipVerify": True,
        "region": "here",
    }
    found = canary(TEMPLATED)
    (question,) = questions(found)
    made = prepared(found, question, template(provider=provider), now=NOW)
    settings = made.settings
    assert (made.kind, made.secret, settings.address) == ("prometheus", "login", "https://other")
    assert (settings.headers, settings.insecure, settings.region) == ({"X": ("1",)}, True, "here")
    assert (settings.interval, settings.now, settings.secret) == (30.0, NOW, None)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, 'Metric template lag.shop error: metrictemplate "lag" not found'),
        ({"spec": {}}, "Metric template lag.shop error: spec.provider: is missing; add it"),
        (
            template(provider={"type": "datadog"}),
            'Metric template lag.shop provider datadog error: type "datadog" is not built',
        ),
        (
            template(query="{{ variables.x }}"),
            "Metric template lag.shop query render error: {{ variables.x }}: map has no entry for",
        ),
    ],
)
def test_a_template_that_cannot_be_asked_says_why(found: Any, text: str) -> None:
    with pytest.raises(Unasked) as raised:
        asked(canary(TEMPLATED), found)
    assert str(raised.value).startswith(text)


def test_an_inline_query_that_cannot_be_written_is_not_sent_empty() -> None:
    with pytest.raises(Unasked, match="^Prometheus query failed for errors: query render error: "):
        asked(canary(replace(INLINE, query="{{ variables.x }}")))


HALT = "Halt advancement no values found for "


@pytest.mark.parametrize(
    ("way", "metric", "error", "text"),
    [
        (
            Way.BUILT_IN,
            RATE,
            NoValues(),
            f"{HALT}envoy metric request-success-rate probably app.shop is not receiving traffic: "
            "running query failed: no values found",
        ),
        (
            Way.BUILT_IN,
            Metric("request-duration"),
            NoValues(),
            f"{HALT}envoy metric request-duration probably app.shop is not receiving traffic",
        ),
        (Way.BUILT_IN, RATE, BadAnswer("x"), "Prometheus query failed: running query failed: x"),
        (Way.INLINE, INLINE, NoValues(), f"{HALT}metric: errors"),
        (Way.INLINE, INLINE, BadAnswer("x"), "Prometheus query failed for errors: x"),
        (Way.TEMPLATE, TEMPLATED, NoValues(), f"{HALT}custom metric: lag: no values found"),
        (
            Way.TEMPLATE,
            TEMPLATED,
            MultipleValues(),
            f"{HALT}custom metric: lag: query returned multiple values",
        ),
        (Way.TEMPLATE, TEMPLATED, BadAnswer("x"), "Metric query failed for lag: x"),
    ],
)
def test_what_brought_no_number_is_said_in_flaggers_words(
    way: Way, metric: Metric, error: QueryError, text: str
) -> None:
    assert failure(canary(metric), Question(0, way, metric), error) == text


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("up", ""),
        ('up{t="{{ target }}"}', ""),
        (" ", "is empty; write a query"),
        ("{{ primary }}", '{{ primary }}: function "primary" not defined; known: '),
    ],
)
def test_a_query_is_judged_before_it_is_asked(query: str, problem: str) -> None:
    assert problem_of(query).startswith(problem)
    assert bool(problem_of(query)) is bool(problem)


@pytest.mark.parametrize(
    ("found", "paths"),
    [
        ([], []),
        ([template()], []),
        ([{"metadata": {"name": "lag"}, "spec": None}], []),
        (
            [template(provider={"type": "datadog"})],
            [
                "spec.analysis.metrics[1].templateRef (MetricTemplate lag is of type datadog, "
                "which is not built; built are prometheus)"
            ],
        ),
    ],
)
def test_a_template_of_a_backend_that_is_not_built_is_named(found: Any, paths: list[str]) -> None:
    def find(named: Named) -> Any:
        assert named == Named("MetricTemplate", "shop", "lag")
        return next(iter(found), None)

    assert list(unbuilt(canary(RATE, TEMPLATED), find)) == paths


JUDGED = Status(Phase.PROGRESSING, last_check=NOW - 60.0)


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, True),
        ({"skip_analysis": True}, False),
        ({"status": replace(JUDGED, last_check=NOW - 59.0)}, False),
        ({"status": replace(JUDGED, last_check=None)}, False),
        ({"status": replace(JUDGED, phase=Phase.PROMOTING)}, False),
    ],
)
def test_questions_are_due_once_in_each_interval_of_an_analysis(
    changes: dict[str, Any], asked: bool
) -> None:
    assert bool(due(replace(canary(INLINE, status=JUDGED), **changes), NOW)) is asked


def test_questions_are_for_the_backend_that_is_named() -> None:
    lent = replace(TEMPLATED, template_namespace="tools")
    found = canary(INLINE, TEMPLATED, lent)
    places = [SERVER, "MetricTemplate lag.shop", "MetricTemplate lag.tools"]
    assert [place(found, one) for one in questions(found)] == places


def test_settings_that_cannot_be_used_are_told_by_the_way_of_the_question() -> None:
    found = canary(INLINE, TEMPLATED)
    inline, templated = questions(found)
    assert unsettled(found, inline, "x") == "Prometheus query failed for errors: x"
    assert unsettled(found, templated, "x") == "Metric template lag.shop x"
