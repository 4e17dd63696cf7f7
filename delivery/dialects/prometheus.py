"""Envoy's counters of its clusters as Prometheus text, which every Envoy speaks."""

import re
from collections.abc import Mapping

from delivery import histogram
from delivery.dialects.cluster import FIELDS, TIMES
from delivery.dialects.malformed import StatsMalformed
from delivery.stats import Counters

_PREFIX = "envoy_cluster_"
_CODES = {
    f"{_PREFIX}upstream_rq_xx": ("envoy_response_code_class", "upstream_rq_{}xx"),
    f"{_PREFIX}upstream_rq": ("envoy_response_code", "upstream_rq_{}"),
}
"""Where a label holds a part of Envoy's own name."""
_BUCKET = f"{_PREFIX}{TIMES}_bucket"
_NAMES = {_PREFIX + key.replace(".", "_"): key for key in FIELDS}

_LINE = re.compile(r'\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\} (\S+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse(text: str) -> Mapping[str, Counters]:
    """The counters by the clusters' names. Lines of no interest are not looked into."""
    found: dict[str, dict[str, int]] = {}
    times: dict[str, dict[float, int]] = {}
    for line in text.splitlines():
        name = line.partition("{")[0]
        if name == _BUCKET:
            labels, value = read(line, name)
            times.setdefault(cluster_of(labels, line), {})[edge_of(labels, line)] = value
        elif name in _NAMES or name in _CODES:
            labels, value = read(line, name)
            if (field := FIELDS.get(key_of(name, labels))) is not None:
                counted = found.setdefault(cluster_of(labels, line), {})
                counted[field] = counted.get(field, 0) + value
    return {
        cluster: Counters(
            **found.get(cluster, {}),
            buckets=histogram.of_cumulative(times.get(cluster, {})),
        )
        for cluster in found.keys() | times.keys()
    }


def read(line: str, name: str) -> tuple[Mapping[str, str], int]:
    matched = _LINE.fullmatch(line, len(name))
    if not matched:
        raise StatsMalformed(line)
    try:
        return dict(_LABEL.findall(matched[1])), int(float(matched[2]))
    except (ValueError, OverflowError) as error:
        raise StatsMalformed(line) from error


def key_of(name: str, labels: Mapping[str, str]) -> str:
    """Envoy's own name of a statistic."""
    if name not in _CODES:
        return _NAMES[name]
    label, key = _CODES[name]
    return key.format(labels.get(label, ""))


def cluster_of(labels: Mapping[str, str], line: str) -> str:
    if "envoy_cluster_name" not in labels:
        raise StatsMalformed(line)
    return labels["envoy_cluster_name"]


def edge_of(labels: Mapping[str, str], line: str) -> float:
    try:
        return float(labels["le"])
    except (KeyError, ValueError) as error:
        raise StatsMalformed(line) from error
