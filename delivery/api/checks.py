"""A check of `spec.analysis.metrics` <-> the value that it is judged by."""

from types import MappingProxyType
from typing import Any

from delivery.api import analysis as spec
from delivery.api.duration import duration, seconds
from delivery.canary import Metric


def metric_of(said: spec.Metric) -> Metric:
    """A bare threshold is a floor for the success rate, else a ceiling (reference, 7.1)."""
    limits = said.threshold_range
    if limits is None and said.name == "request-success-rate":
        limits = spec.ThresholdRange(min=said.threshold)
    elif limits is None:
        limits = spec.ThresholdRange(max=said.threshold or 0.0)
    return Metric(
        said.name,
        interval_of(said.interval),
        limits.min,
        limits.max,
        query=said.query or "",
        template=said.template_ref.name if said.template_ref else "",
        template_namespace=(said.template_ref.namespace or "") if said.template_ref else "",
        variables=MappingProxyType(said.template_variables or {}),
    )


def reference_shown(name: str, namespace: str) -> dict[str, str]:
    """In the words of the API; nothing where nothing is named."""
    if not name:
        return {}
    return {"name": name, "namespace": namespace} if namespace else {"name": name}


def interval_of(text: str | None, absent: float = 60.0) -> float:
    return absent if text is None else seconds(text)


def effective_metric(metric: Metric) -> dict[str, Any]:
    """In the words of the API."""
    limits = {"min": metric.minimum, "max": metric.maximum}
    said = {
        "name": metric.name,
        "interval": duration(metric.interval),
        "thresholdRange": {key: limit for key, limit in limits.items() if limit is not None},
    }
    asked = {
        "query": metric.query,
        "templateRef": reference_shown(metric.template, metric.template_namespace),
        "templateVariables": dict(metric.variables),
    }
    return said | {key: value for key, value in asked.items() if value}
