"""What is wrong with a Canary beyond its shape: rules that a schema cannot state."""

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from pydantic import ValidationError

from delivery import checks
from delivery.api.alerting import alerts_can_be_told
from delivery.api.analysis import STEPS, WEIGHTS, Analysis, Metric
from delivery.api.asking import metrics_can_be_asked
from delivery.api.canary import Canary, CanarySpec
from delivery.api.duration import seconds
from delivery.api.gateway_api import gateway_can_say_it
from delivery.api.guard_problems import guard_problems
from delivery.api.hooks import hooks_can_be_called
from delivery.api.istio import istio_problems
from delivery.api.limits_problems import limit_problems
from delivery.api.metadata_problems import metadata_problems
from delivery.api.routing_problems import route_problems
from delivery.api.shape import read, shape_problems
from delivery.api.source import source_problems
from delivery.api.strategies import strategy_problems
from delivery.names import GENERATED

BUILTINS = checks.BUILT_IN
PORTS = range(1, 65536)


def problems(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """All that keeps the Canary from being acted on: field, value, fix. Status is not looked at."""
    try:
        canary = read(Canary, {key: value for key, value in obj.items() if key != "status"})
    except ValidationError as error:
        return shape_problems(Canary, error)
    return tuple(found for rule in RULES for found in rule(canary))


def is_generated(obj: Mapping[str, Any]) -> bool:
    """Whether the agent made this Canary for an ordinary Deployment."""
    match obj:
        case {"metadata": {"annotations": Mapping() as annotations}}:
            return bool(annotations.get(GENERATED) == "true")
    return False


def is_untouched(obj: Mapping[str, Any]) -> bool:
    """Generated, and no user has said anything in it since."""
    return is_generated(obj) and set(obj["spec"]) == {"targetRef"}


def analysis_is_there(canary: Canary) -> Iterator[str]:
    spec, generated = canary.spec, is_generated({"metadata": canary.metadata})
    if spec.analysis is None and not spec.skip_analysis and not generated:
        yield "spec.analysis: is missing; add it, or set spec.skipAnalysis: true"


def a_release_advances(canary: Canary) -> Iterator[str]:
    if canary.spec.analysis is None:
        return
    given = canary.spec.analysis.model_dump(by_alias=True, exclude_none=True)
    for key in ("interval", "threshold"):
        if key not in given:
            yield f"spec.analysis.{key}: is missing; add it"
    if not any(step in given for step in STEPS):
        yield f"spec.analysis: sets none of {listed(STEPS)}; set one of them"
    if all(step in given for step in WEIGHTS):
        yield f"spec.analysis: sets {' and '.join(WEIGHTS)}; keep one of them"


def listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def numbers_are_in_range(canary: Canary) -> Iterator[str]:
    analysis = canary.spec.analysis or Analysis()
    bounds: tuple[tuple[str, int | None, int, int | None], ...] = (
        ("threshold", analysis.threshold, 0, None),
        ("iterations", analysis.iterations, 1, None),
        ("stepWeight", analysis.step_weight, 1, 100),
        ("maxWeight", analysis.max_weight, 1, 100),
        ("stepWeightPromotion", analysis.step_weight_promotion, 0, 100),
        ("primaryReadyThreshold", analysis.primary_ready_threshold, 0, 100),
        ("canaryReadyThreshold", analysis.canary_ready_threshold, 0, 100),
    )
    for name, value, low, high in bounds:
        yield from outside(f"spec.analysis.{name}", value, low, high)
    deadline = canary.spec.progress_deadline_seconds
    yield from outside("spec.progressDeadlineSeconds", deadline, 1, None)


def outside(path: str, value: int | None, low: int, high: int | None) -> Iterator[str]:
    if value is None or (low <= value and (high is None or value <= high)):
        return
    fix = f"use {low} or more" if high is None else f"use {low} to {high}"
    yield f"{path}: {value} is out of range; {fix}"


def step_weights_ascend(canary: Canary) -> Iterator[str]:
    analysis = canary.spec.analysis or Analysis()
    weights = analysis.step_weights
    if weights is None:
        return
    ascending = all(low < high for low, high in zip(weights, weights[1:], strict=False))
    if not weights or not ascending or not all(1 <= weight <= 100 for weight in weights):
        yield (
            f"spec.analysis.stepWeights: {list(weights)} cannot be followed; "
            "list percentages from 1 to 100, each above the one before"
        )


def durations_can_be_waited(canary: Canary) -> Iterator[str]:
    for path, text in durations(canary.spec.analysis or Analysis()):
        try:
            long_enough = seconds(text) >= 1
        except ValueError as error:
            yield f"{path}: {error}"
            continue
        if not long_enough:
            yield f'{path}: "{text}" is too short; use 1s or more'


def warm_up_ends(canary: Canary) -> Iterator[str]:
    """In time for a release that has only so much of it."""
    said = canary.spec.analysis or Analysis()
    try:
        delay = seconds(said.delay or "0s")
    except ValueError as error:
        yield f"spec.analysis.delay: {error}"
        return
    if delay and said.max_duration and delay >= length(said.max_duration):
        yield (
            f'spec.analysis.delay: "{said.delay}" is not below maxDuration '
            f'"{said.max_duration}", so no release could be promoted; shorten it'
        )


def length(text: str) -> float:
    """For comparing; what is no duration is told elsewhere, and longer than any here."""
    try:
        return seconds(text)
    except ValueError:
        return inf


def durations(analysis: Analysis) -> Iterator[tuple[str, str]]:
    if analysis.interval is not None:
        yield "spec.analysis.interval", analysis.interval
    if analysis.no_traffic_after is not None:
        yield "spec.analysis.noTrafficAfter", analysis.no_traffic_after
    if analysis.max_duration is not None:
        yield "spec.analysis.maxDuration", analysis.max_duration
    for index, metric in enumerate(analysis.metrics or ()):
        if metric.interval is not None:
            yield f"spec.analysis.metrics[{index}].interval", metric.interval
    for index, webhook in enumerate(analysis.webhooks or ()):
        if webhook.timeout is not None:
            yield f"spec.analysis.webhooks[{index}].timeout", webhook.timeout


def metrics_can_be_judged(canary: Canary) -> Iterator[str]:
    analysis = canary.spec.analysis or Analysis()
    for index, metric in enumerate(analysis.metrics or ()):
        for complaint in (*no_source(metric), *no_range(metric), *empty_range(metric)):
            yield f"spec.analysis.metrics[{index}]{complaint}"


def no_source(metric: Metric) -> Iterator[str]:
    if metric.name not in BUILTINS and not metric.query and metric.template_ref is None:
        yield (
            f'.name: "{metric.name}" has nothing to ask; '
            f"set templateRef, or use a builtin: {listed(BUILTINS)}"
        )


def no_range(metric: Metric) -> Iterator[str]:
    """Flagger takes 0 for an absent threshold: a builtin then always passes, or always fails."""
    limits = metric.threshold_range
    bounded = limits is not None and (limits.min is not None or limits.max is not None)
    asks = bool(metric.query or metric.template_ref)
    by_name = checks.is_by_name(metric.name, asks=asks)
    absent = metric.threshold is None and (limits is not None or by_name)
    if absent and not bounded:
        yield f': "{metric.name}" has no limit; set thresholdRange.min or thresholdRange.max'


def empty_range(metric: Metric) -> Iterator[str]:
    limits = metric.threshold_range
    if limits is None or limits.min is None or limits.max is None:
        return
    if limits.min > limits.max:
        yield (
            f".thresholdRange: min {limits.min:g} is above max {limits.max:g}; "
            "no value can pass, exchange them"
        )


def guard_can_watch(canary: Canary) -> Iterator[str]:
    guard = (canary.spec.analysis or Analysis()).guard
    if guard is not None:
        yield from outside("spec.analysis.guard.minRequests", guard.min_requests, 0, None)
    yield from guard_problems(canary.spec)


def source_can_be_read(canary: Canary) -> Iterator[str]:
    source = (canary.spec.analysis or Analysis()).source
    if source is not None:
        yield from source_problems(source, canary.spec.provider or "envoy")
        yield from outside("spec.analysis.source.port", source.port, PORTS[0], PORTS[-1])


def traffic_can_move(canary: Canary) -> Iterator[str]:
    yield from strategy_problems(canary.spec.analysis or Analysis())


def ports_exist(canary: Canary) -> Iterator[str]:
    service = canary.spec.service
    if service is None:
        return
    yield from outside("spec.service.port", service.port, PORTS[0], PORTS[-1])
    if isinstance(service.target_port, int) and service.target_port != 0:
        yield from outside("spec.service.targetPort", service.target_port, PORTS[0], PORTS[-1])


def scaler_bounds_are_ordered(canary: Canary) -> Iterator[str]:
    scaler = canary.spec.autoscaler_ref
    bounds = scaler.primary_scaler_replicas if scaler is not None else None
    if bounds is None or bounds.min_replicas is None or bounds.max_replicas is None:
        return
    if bounds.min_replicas > bounds.max_replicas:
        yield (
            f"spec.autoscalerRef.primaryScalerReplicas: minReplicas {bounds.min_replicas} "
            f"is above maxReplicas {bounds.max_replicas}; exchange them"
        )


def knative_is_whole(canary: Canary) -> Iterator[str]:
    spec = canary.spec
    if is_knative(spec) != (spec.provider == "knative"):
        yield (
            f"spec.provider: {spec.provider or 'unset'} does not fit targetRef "
            f"{spec.target_ref.kind} {spec.target_ref.api_version}; "
            "use knative with Service serving.knative.dev/v1, and only there"
        )
    if is_knative(spec) and spec.autoscaler_ref is not None:
        yield "spec.autoscalerRef: is set, but Knative scales by itself; remove it"


def is_knative(spec: CanarySpec) -> bool:
    target = spec.target_ref
    return target.kind == "Service" and target.api_version == "serving.knative.dev/v1"


RULES: tuple[Callable[[Canary], Iterator[str]], ...] = (
    analysis_is_there,
    a_release_advances,
    numbers_are_in_range,
    step_weights_ascend,
    durations_can_be_waited,
    warm_up_ends,
    metrics_can_be_judged,
    metrics_can_be_asked,
    hooks_can_be_called,
    alerts_can_be_told,
    guard_can_watch,
    source_can_be_read,
    traffic_can_move,
    istio_problems,
    ports_exist,
    route_problems,
    limit_problems,
    metadata_problems,
    scaler_bounds_are_ordered,
    knative_is_whole,
    gateway_can_say_it,
)
