"""What is wrong with `spec.analysis.guard` beyond its shape, and who counts what it looks at."""

from collections.abc import Iterator

from delivery.api.analysis import Analysis, Metric
from delivery.api.canary import CanarySpec, Provider
from delivery.api.checks import metric_of
from delivery.api.duration import seconds
from delivery.api.gateway_api import PROVIDERS as GATEWAYS
from delivery.guard import OFF
from delivery.hypotheses import hypothesis

UNCOUNTED = (Provider.KUBERNETES, *GATEWAYS)
"""Providers whose traffic nobody counts unless the Canary says who does."""


def nobody_counts(spec: CanarySpec) -> bool:
    """Whether no Envoy's counters are looked at; a metrics server is asked, and counts nothing."""
    if spec.analysis is not None and spec.analysis.source is not None:
        return False
    # The sidecars do, unless somebody else is named.
    beside_istio = spec.provider is Provider.ISTIO and bool(spec.metrics_server)
    return spec.provider in UNCOUNTED or beside_istio


def guard_problems(spec: CanarySpec) -> Iterator[str]:
    analysis = spec.analysis or Analysis()
    guard = analysis.guard
    if guard is None:
        return
    if guard.alpha is not None and not 0 < guard.alpha <= 0.5:
        yield f"spec.analysis.guard.alpha: {guard.alpha:g} is no chance; use 0.01, or up to 0.5"
    try:
        seconds(guard.warm_up or "0s")
    except ValueError as error:
        yield f"spec.analysis.guard.warmUp: {error}"
    if guard.mode == OFF:
        return
    if not any(is_guarded(metric) for metric in analysis.metrics or ()):
        yield (
            "spec.analysis.guard: no metric says what it is to watch; add request-success-rate "
            "with thresholdRange.min, or request-duration with thresholdRange.max"
        )
    if nobody_counts(spec):
        asked = " and spec.metricsServer" if spec.metrics_server else ""
        yield (
            f"spec.analysis.guard: it looks at an Envoy's counters, and with the {spec.provider} "
            f"provider{asked} none are read; set spec.analysis.source, or remove the guard: then "
            "the metrics roll back"
        )


def is_guarded(said: Metric) -> bool:
    return any(hypothesis(metric_of(said)))
