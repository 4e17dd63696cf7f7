"""What the checks of a Canary ask of metric backends, in Flagger's order, queries and words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import floor
from typing import Any

from pydantic import ValidationError

from delivery import checks, promql, templating
from delivery.api.duration import duration
from delivery.api.metric_template import MetricProvider, MetricTemplate
from delivery.api.shape import read, shape_problems
from delivery.canary import ANALYSING, Canary, Metric
from delivery.mapping import mapping
from delivery.providers import (
    PROVIDERS,
    BadSettings,
    MultipleValues,
    NoValues,
    Provider,
    QueryError,
    Settings,
    provider_of,
)
from delivery.references import Named, template_of
from delivery.templating import TemplateError
from delivery.templating.functions import BUILT_IN as FUNCTIONS

VALUES = ("name", "namespace", "target", "service", "ingress", "route", "interval", "variables")
"""What a query may call beside the functions of the language (reference, 7.2)."""
KNOWN = frozenset(FUNCTIONS) | frozenset(VALUES)
PROMETHEUS = "prometheus"
RUNNING = "running query failed"


class Way(StrEnum):
    """By what a check asks; one check may ask by its own name and by a template."""

    BUILT_IN = "built-in"
    INLINE = "inline"
    TEMPLATE = "template"


Find = Callable[[Named], Mapping[str, Any] | None]
"""Looks up what a Canary names."""
Key = tuple[int, str]
"""The place of a check among the Canary's, and the way."""


@dataclass(frozen=True)
class Question:
    """One number that a check wants."""

    index: int
    way: Way
    metric: Metric

    @property
    def key(self) -> Key:
        return self.index, self.way


@dataclass(frozen=True)
class Prepared:
    """A question that only lacks the Secret it names, if any.

    `cut` says that the time asked about is shorter than the metric's interval.
    """

    kind: str
    provider: Provider
    query: str
    settings: Settings
    secret: str = ""
    cut: bool = False


class Unasked(ValueError):
    """The question cannot be asked; the message is all that is to be said."""


def questions(canary: Canary) -> tuple[Question, ...]:
    """Built-in and inline ones first, those by a template behind all of them (reference, 7.1)."""
    metrics = list(enumerate(canary.analysis.metrics))
    first = [
        Question(index, way, metric) for index, metric in metrics for way in ways(canary, metric)
    ]
    second = [Question(index, Way.TEMPLATE, metric) for index, metric in metrics if metric.template]
    return (*first, *second)


def ways(canary: Canary, metric: Metric) -> Iterator[Way]:
    """Without a Prometheus the built-in checks are those of our own routers."""
    if canary.metrics_server and metric.name in promql.BUILT_IN:
        yield Way.BUILT_IN
    if metric.query:
        yield Way.INLINE


def due(canary: Canary, now: float) -> tuple[Question, ...]:
    """What is to be asked now: once in each interval, and nothing that no rule will look at."""
    status, interval = canary.status, canary.analysis.interval
    released = status.phase in ANALYSING and not canary.skip_analysis
    if not released or status.last_check is None or now - status.last_check < interval:
        return ()
    return questions(canary)


def place(canary: Canary, question: Question) -> str:
    """Which backend it is for: questions of one place may have to wait for each other."""
    if question.way is Way.TEMPLATE:
        return f"MetricTemplate {template_name(canary, question.metric)}"
    return canary.metrics_server


def template_name(canary: Canary, metric: Metric) -> str:
    """As Flagger writes it."""
    named = template_of(canary, metric)
    return f"{named.name}.{named.namespace}"


def prepared(
    canary: Canary, question: Question, template: Mapping[str, Any] | None, *, now: float
) -> Prepared:
    """`template` is the MetricTemplate that the metric names, if there is one."""
    window, cut = asked_window(canary, question.metric, now)
    values = query_values(canary, question.metric, window)
    if question.way is Way.TEMPLATE:
        return by_template(canary, question.metric, template, values, now=now, cut=cut)
    settings = Settings(canary.metrics_server, interval=window, now=now)
    text = question.metric.query
    if question.way is Way.BUILT_IN:
        observer = promql.observer_of(canary.provider)
        text = observer.query(question.metric.name)
        spelled = {key: observer.spelled(str(values[key])) for key in NAMES}
        values = {**values, **spelled}
    try:
        query, uses = rendered(text, values, collapses=True)
    except TemplateError as error:
        unsaid = BadSettings(f"query render error: {error}")
        raise Unasked(failure(canary, question, unsaid)) from error
    return Prepared(
        PROMETHEUS, provider_of(PROMETHEUS), query, settings, cut=cut and "interval" in uses
    )


NAMES = ("namespace", "target", "service", "ingress", "route")


def by_template(
    canary: Canary,
    metric: Metric,
    template: Mapping[str, Any] | None,
    values: Mapping[str, object],
    *,
    now: float,
    cut: bool,
) -> Prepared:
    about = f"Metric template {template_name(canary, metric)}"
    if template is None:
        raise Unasked(f'{about} error: metrictemplate "{metric.template}" not found')
    try:
        spec = read(MetricTemplate, {"spec": template.get("spec")}).spec
    except ValidationError as error:
        raise Unasked(
            f"{about} error: {'; '.join(shape_problems(MetricTemplate, error))}"
        ) from error
    said = spec.provider
    try:
        provider = provider_of(said.type)
    except BadSettings as error:
        raise Unasked(f"{about} provider {said.type} error: {error}") from error
    try:
        query, uses = rendered(spec.query, values, collapses=provider.collapses)
    except TemplateError as error:
        raise Unasked(f"{about} query render error: {error}") from error
    return Prepared(
        said.type,
        provider,
        query,
        settings_of(said, replace(Settings(), interval=metric.interval, now=now)),
        secret=said.secret_ref.name if said.secret_ref else "",
        cut=cut and "interval" in uses,
    )


def settings_of(said: MetricProvider, settings: Settings) -> Settings:
    return replace(
        settings,
        address=said.address or "",
        headers=said.headers or {},
        insecure=bool(said.insecure_skip_verify),
        region=said.region or "",
    )


def asked_window(canary: Canary, metric: Metric, now: float) -> tuple[float, bool]:
    """The metric's interval, in seconds, but nothing from before this revision: what backends
    know of the canary's name is also what another version did under it.
    """
    since = canary.status.phase_since
    age = metric.interval if since is None else max(1.0, floor(now - since))
    return min(metric.interval, age), age < metric.interval


def query_values(canary: Canary, metric: Metric, window: float) -> Mapping[str, object]:
    service = canary.service or canary.status.apex or canary.target
    return {
        "name": canary.name,
        "namespace": canary.namespace,
        "target": canary.target,
        "service": service,
        "ingress": canary.target,
        "route": canary.target,
        "interval": duration(window),
        "variables": metric.variables,
    }


def rendered(
    text: str, values: Mapping[str, object], *, collapses: bool
) -> tuple[str, frozenset[str]]:
    """The query, and which functions it uses."""
    template = templating.parse(text, KNOWN)
    query = templating.render(template, values)
    return (" ".join(query.split()) if collapses else query), template.uses


def problem_of(text: str) -> str:
    """What is wrong with a query's template by itself; empty if nothing is."""
    if not text.strip():
        return "is empty; write a query"
    try:
        templating.parse(text, KNOWN)
    except TemplateError as error:
        return str(error)
    return ""


def unsettled(canary: Canary, question: Question, said: str) -> str:
    """The text for a provider that cannot be asked as it is set."""
    if question.way is Way.TEMPLATE:
        return f"Metric template {template_name(canary, question.metric)} {said}"
    return failure(canary, question, BadSettings(said))


def failure(canary: Canary, question: Question, error: QueryError) -> str:
    """Flagger's text for a question that brought no number (reference, 7.1)."""
    metric, name = question.metric, question.metric.name
    match question.way:
        case Way.BUILT_IN if isinstance(error, NoValues):
            why = f": {RUNNING}: {error}" if name == checks.SUCCESS_RATE else ""
            return checks.no_values(canary, metric) + why
        case Way.BUILT_IN:
            return f"Prometheus query failed: {RUNNING}: {error}"
        case Way.INLINE if isinstance(error, NoValues):
            return f"Halt advancement no values found for metric: {name}"
        case Way.INLINE:
            return f"Prometheus query failed for {name}: {error}"
    if isinstance(error, NoValues | MultipleValues):
        return f"Halt advancement no values found for custom metric: {name}: {error}"
    return f"Metric query failed for {name}: {error}"


def unbuilt(canary: Canary, find: Find) -> Iterator[str]:
    """What halts a release as an unbuilt field does: templates of backends that are not built."""
    for index, metric in enumerate(canary.analysis.metrics):
        found = find(template_of(canary, metric)) if metric.template else None
        kind = mapping(found or {}, "spec", "provider").get("type")
        if kind is not None and kind not in PROVIDERS:
            yield (
                f"spec.analysis.metrics[{index}].templateRef "
                f"(MetricTemplate {metric.template} is of type {kind}, which is not built; built "
                f"are {', '.join(sorted(PROVIDERS))})"
            )
