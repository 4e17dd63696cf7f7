"""Envoy's counters of its clusters as Prometheus text, which every Envoy speaks."""

from collections.abc import Mapping

from delivery import histogram
from delivery.dialects import text as prometheus
from delivery.dialects.cluster import FIELDS, TIMES
from delivery.dialects.text import Labels
from delivery.stats import Counters

_PREFIX = "envoy_cluster_"
_CODES = {
    f"{_PREFIX}upstream_rq_xx": ("envoy_response_code_class", "upstream_rq_{}xx"),
    f"{_PREFIX}upstream_rq": ("envoy_response_code", "upstream_rq_{}"),
}
"""Where a label holds a part of Envoy's own name."""
_BUCKET = f"{_PREFIX}{TIMES}_bucket"
_NAMES = {_PREFIX + key.replace(".", "_"): key for key in FIELDS}
_MATTERS = {_BUCKET, *_CODES, *_NAMES}


def parse(text: str) -> Mapping[str, Counters]:
    """The counters by the clusters' names. Lines of no interest are not looked into."""
    found: dict[str, dict[str, int]] = {}
    times: dict[str, dict[float, int]] = {}
    for name, labels, value, line in prometheus.samples(text, _MATTERS.__contains__):
        cluster = prometheus.label(labels, "envoy_cluster_name", line)
        if name == _BUCKET:
            times.setdefault(cluster, {})[prometheus.edge(labels, line)] = value
        elif (field := FIELDS.get(key_of(name, labels))) is not None:
            counted = found.setdefault(cluster, {})
            counted[field] = counted.get(field, 0) + value
    return {
        cluster: Counters(
            **found.get(cluster, {}),
            buckets=histogram.of_cumulative(times.get(cluster, {})),
            errors_at=(),
        )
        for cluster in found.keys() | times.keys()
    }


def key_of(name: str, labels: Labels) -> str:
    """Envoy's own name of a statistic."""
    if name not in _CODES:
        return _NAMES[name]
    label, key = _CODES[name]
    return key.format(labels.get(label, ""))
