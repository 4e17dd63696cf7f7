"""What admission says of queries, of Prometheuses and of MetricTemplates: field, value, fix."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.api.alerting import provider_problems
from delivery.api.asking import template_problems
from delivery.schema import problems

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
README = Path(__file__).parents[2] / "README.md"
SERVER = "http://prometheus:9090"
INLINE = {"name": "errors", "query": 'up{t="{{ target }}"}'}


def of_canary(metric: dict[str, Any], **spec: Any) -> tuple[str, ...]:
    analysis = {"interval": "30s", "threshold": 5, "stepWeight": 10, "metrics": [metric]}
    whole = {"targetRef": TARGET, "analysis": analysis, **spec}
    return problems({"metadata": {"name": "shop", "namespace": "shop"}, "spec": whole})


def of_template(query: str = "up", **provider: Any) -> tuple[str, ...]:
    said = {"type": "prometheus", "address": SERVER, **provider}
    return template_problems({"kind": "MetricTemplate", "spec": {"provider": said, "query": query}})


def templated(**reference: Any) -> dict[str, Any]:
    return {"name": "lag", "templateRef": {"name": "lag", **reference}}


@pytest.mark.parametrize(
    ("metric", "spec"),
    [
        (INLINE, {"metricsServer": SERVER}),
        (templated(), {}),
        (templated(namespace="shop"), {}),
        (templated(namespace="monitoring"), {}),
        ({"name": "request-success-rate", "threshold": 99}, {"metricsServer": SERVER}),
    ],
)
def test_what_can_be_asked_is_admitted(metric: dict[str, Any], spec: dict[str, Any]) -> None:
    assert of_canary(metric, **spec) == ()


@pytest.mark.parametrize(
    ("metric", "spec", "problem"),
    [
        (
            INLINE,
            {},
            "spec.analysis.metrics[0].query: there is no Prometheus to ask; set spec.metricsServer",
        ),
        (
            {**INLINE, "query": "{{ primary }}"},
            {"metricsServer": SERVER},
            'spec.analysis.metrics[0].query: {{ primary }}: function "primary" not defined; known:',
        ),
        (
            {**INLINE, "templateRef": {"name": "lag"}, "query": ""},
            {"metricsServer": SERVER},
            "spec.analysis.metrics[0].query: is empty; write a query",
        ),
        (templated(), {"metricsServer": "prom"}, 'spec.metricsServer: "prom" is no URL; write for'),
        (templated(name=""), {}, "spec.analysis.metrics[0].templateRef.name: is empty; name a"),
        (
            templated(name="../../pods"),
            {},
            'spec.analysis.metrics[0].templateRef.name: "../../pods" can be the name of no ',
        ),
        (
            templated(namespace="a/b"),
            {},
            'spec.analysis.metrics[0].templateRef.namespace: "a/b" can be no namespace; use a-z, ',
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(
    metric: dict[str, Any], spec: dict[str, Any], problem: str
) -> None:
    (only,) = of_canary(metric, **spec)
    assert only.startswith(problem)


@pytest.mark.parametrize(
    "provider",
    [
        {},
        {"headers": {"X-Scope-OrgID": ["shop"]}, "secretRef": {"name": "login"}},
        {"insecureSkipVerify": True},
        {"type": "datadog", "address": None},
        {"address": "https://jane:word@thanos.example/tenant"},
    ],
)
def test_a_good_template_is_admitted(provider: dict[str, Any]) -> None:
    assert of_template(**provider) == ()


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        (
            {"type": "prometeus"},
            "spec.provider.type: \"prometeus\" is not known; use 'prometheus', ",
        ),
        ({"address": None}, "spec.provider.address: is missing; prometheus wants it"),
        ({"address": "prom"}, 'spec.provider.address: "prom" is no URL; write for example http://'),
        ({"headers": {"X": ["a\nb"]}}, 'spec.provider.headers: header "X" holds a line break'),
        ({"token": "x"}, 'spec.provider.token: "x" is set, but there is no such field; known here'),
    ],
)
def test_a_bad_provider_is_refused(provider: dict[str, Any], problem: str) -> None:
    (only,) = of_template(**provider)
    assert only.startswith(problem)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "spec.query: is empty; write a query"),
        ("{{ end }}", "spec.query: {{ end }} has no beginning; remove it"),
    ],
)
def test_a_bad_query_is_refused(query: str, problem: str) -> None:
    assert of_template(query) == (problem,)


def test_what_the_readme_writes_has_no_problems() -> None:
    blocks = re.findall(r"^```yaml\n(apiVersion: flagger.*?)^```", README.read_text(), re.M | re.S)
    judges = {"Canary": problems, "MetricTemplate": template_problems}
    judges |= {"AlertProvider": provider_problems}
    for written in (one for block in blocks for one in yaml.safe_load_all(block)):
        assert judges[written["kind"]](written) == ()
