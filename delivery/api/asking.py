"""What is wrong with what is to be asked of metric backends: in a Canary, in a MetricTemplate."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from delivery.api.analysis import Analysis
from delivery.api.canary import Canary
from delivery.api.metric_template import MetricProvider, MetricTemplate
from delivery.api.references import nameless
from delivery.api.shape import read, shape_problems
from delivery.providers import PROVIDERS, BadSettings
from delivery.providers.interface import checked_header, http_address
from delivery.questions import problem_of


def metrics_can_be_asked(canary: Canary) -> Iterator[str]:
    server = canary.spec.metrics_server
    if server:
        yield from http_address(server, "spec.metricsServer")
    for index, metric in enumerate((canary.spec.analysis or Analysis()).metrics or ()):
        path = f"spec.analysis.metrics[{index}]"
        if metric.query is not None:
            yield from inline(f"{path}.query", metric.query, server)
        if metric.template_ref:
            yield from nameless(f"{path}.templateRef", "MetricTemplate", metric.template_ref)


def inline(path: str, query: str, server: str | None) -> Iterator[str]:
    if not server:
        yield f"{path}: there is no Prometheus to ask; set spec.metricsServer"
    if problem := problem_of(query):
        yield f"{path}: {problem}"


def template_problems(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """All that keeps a MetricTemplate from being asked; those of unbuilt backends are not known."""
    try:
        template = read(MetricTemplate, {key: obj[key] for key in obj if key != "status"})
    except ValidationError as error:
        return shape_problems(MetricTemplate, error)
    query = problem_of(template.spec.query)
    return (
        *provider_problems(template.spec.provider),
        *([f"spec.query: {query}"] if query else []),
    )


def provider_problems(said: MetricProvider) -> Iterator[str]:
    provider = PROVIDERS.get(said.type)
    if provider is None:
        return
    for name in provider.needs:
        if not getattr(said, name):
            yield f"spec.provider.{name}: is missing; {said.type} wants it"
    if said.address:
        yield from http_address(said.address)
    for name, values in (said.headers or {}).items():
        for value in values:
            try:
                checked_header(name, value)
            except BadSettings as error:
                yield f"spec.provider.headers: {error}"
