"""Metrics of how releases are judged: each check's value, and the guard's evidence."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric

from delivery import guard
from delivery.canary import Canary
from delivery.hypotheses import evidence_needed, policy

Key = tuple[str, str]
"""Name and namespace of a target: Flagger's labels, whatever the Canary itself is called."""


def families(canaries: Mapping[Key, Canary]) -> Iterator[Metric]:
    """What was measured, as it was measured, and how strongly the guard is against it."""
    labels = ["name", "namespace", "metric"]
    values = GaugeMetricFamily(
        "outrider_check_value", "Last value of a check; durations in ms.", labels=labels
    )
    evidence = GaugeMetricFamily(
        "outrider_guard_evidence",
        "Evidence against a release; each rolls back only with the other.",
        labels=[*labels, "against"],
    )
    needed = GaugeMetricFamily(
        "outrider_guard_evidence_needed", "Evidence that is enough.", labels=labels[:2]
    )
    for target, canary in canaries.items():
        for verdict in canary.status.verdicts:
            if verdict.value is not None:
                values.add_metric([*target, verdict.metric], verdict.value)
        for metric, found in canary.status.guard.evidence.items():
            worse, outside = found.relative_peak, found.absolute_peak
            evidence.add_metric([*target, metric, "primary"], guard.strength(worse))
            evidence.add_metric([*target, metric, "range"], guard.strength(outside))
        if strict := policy(canary.analysis):
            needed.add_metric(target, evidence_needed(canary.analysis, strict))
    yield from (values, evidence, needed)
