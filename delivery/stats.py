"""What Envoy counted of each version: its Prometheus text read, compared, and added up.

Seen with Envoy 1.40 (tests/agent/test_envoy_counts.py), for one cluster:

| what happened to a request                | counted                                              |
|---|---|
| answered by the pod                       | completed, and its class                             |
| connection refused, then rescued          | completed, 2xx, retry, retry_success, ejected        |
| refused each time                         | completed, 5xx (503), retries, retry_limit_exceeded, |
|                                           | ejected = retries + retry_limit_exceeded             |
| stream refused (HTTP/2), then rescued     | completed, 2xx, retry, retry_success                 |
| broken off before the answer              | completed, 5xx (503), a breakage                     |
| answer that is no HTTP                    | completed, 5xx (502)                                 |
| broken off in the middle of the answer    | completed, 2xx, a breakage                           |
| the caller went away                      | completed if it was answered; nothing else           |

A breakage is `rx_reset` for a stream, `destroy_remote_with_active_rq` for an HTTP/1.1 connection,
and for an HTTP/2 connection that and `ejected` once for each of its streams. So a request is bad
if it is 5xx, or rescued, or broken off and not among those that got Envoy's own 502 or 503. The
sum is what callers saw plus what they were spared. It is never more than that, except that a
request whose rescuer answers 5xx counts twice; it is less only where an app answers 502 or 503
itself and breaks off other answers in the same second on the same router.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import reduce
from math import inf

Buckets = tuple[tuple[float, int], ...]
"""Upper bound in milliseconds (the last is infinity) and how many took at most so long."""


class StatsMalformed(ValueError):
    """A line that matters is not in Prometheus' text format."""


@dataclass(frozen=True)
class Counters:
    """What one Envoy has counted of one cluster since it started; `active` is of this moment."""

    completed: int = 0
    server_errors: int = 0
    unavailable: int = 0
    retries: int = 0
    retries_exhausted: int = 0
    rescued: int = 0
    resets: int = 0
    broken_connections: int = 0
    ejected: int = 0
    active: int = 0
    buckets: Buckets = ()


_FIELDS = {
    "envoy_cluster_upstream_rq_completed": "completed",
    "envoy_cluster_upstream_rq_xx": "server_errors",
    "envoy_cluster_upstream_rq": "unavailable",
    "envoy_cluster_upstream_rq_retry": "retries",
    "envoy_cluster_upstream_rq_retry_limit_exceeded": "retries_exhausted",
    "envoy_cluster_upstream_rq_retry_success": "rescued",
    "envoy_cluster_upstream_rq_rx_reset": "resets",
    "envoy_cluster_upstream_cx_destroy_remote_with_active_rq": "broken_connections",
    "envoy_cluster_upstream_rq_pending_failure_eject": "ejected",
    "envoy_cluster_upstream_rq_active": "active",
}
_TIMES = "envoy_cluster_upstream_rq_time_bucket"
_COUNTED_CODES = {
    "envoy_cluster_upstream_rq_xx": ("envoy_response_code_class", ("5",)),
    "envoy_cluster_upstream_rq": ("envoy_response_code", ("502", "503")),
}
_GROWING = tuple(
    field.name for field in fields(Counters) if field.name not in ("active", "buckets")
)

_LINE = re.compile(r'\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\} (\S+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

FILTER = (
    r"^cluster\..*\.upstream_(rq_(completed|5xx|502|503|retry|retry_limit_exceeded|retry_success"
    r"|rx_reset|pending_failure_eject|active|time)|cx_destroy_remote_with_active_rq)$"
)
"""For Envoy's `filter=`: the stats that are read here, by Envoy's own names."""


def parse(text: str) -> Mapping[str, Counters]:
    """The counters by the clusters' names. Lines of no interest are not looked into."""
    found: dict[str, dict[str, int]] = {}
    times: dict[str, dict[float, int]] = {}
    for line in text.splitlines():
        name = line.partition("{")[0]
        if name == _TIMES:
            labels, value = _read(line, name)
            times.setdefault(_cluster(labels, line), {})[_edge(labels, line)] = value
        elif name in _FIELDS:
            labels, value = _read(line, name)
            if _counts(name, labels):
                counted = found.setdefault(_cluster(labels, line), {})
                counted[_FIELDS[name]] = counted.get(_FIELDS[name], 0) + value
    return {
        cluster: Counters(**found.get(cluster, {}), buckets=_sorted(times.get(cluster, {})))
        for cluster in found.keys() | times.keys()
    }


def _read(line: str, name: str) -> tuple[Mapping[str, str], int]:
    matched = _LINE.fullmatch(line, len(name))
    if not matched:
        raise StatsMalformed(line)
    try:
        return dict(_LABEL.findall(matched[1])), int(float(matched[2]))
    except (ValueError, OverflowError) as error:
        raise StatsMalformed(line) from error


def _counts(name: str, labels: Mapping[str, str]) -> bool:
    label, wanted = _COUNTED_CODES.get(name, ("", ()))
    return not label or labels.get(label) in wanted


def _cluster(labels: Mapping[str, str], line: str) -> str:
    if "envoy_cluster_name" not in labels:
        raise StatsMalformed(line)
    return labels["envoy_cluster_name"]


def _edge(labels: Mapping[str, str], line: str) -> float:
    try:
        return float(labels["le"])
    except (KeyError, ValueError) as error:
        raise StatsMalformed(line) from error


def _sorted(times: Mapping[float, int]) -> Buckets:
    return tuple(sorted(times.items()))


@dataclass(frozen=True)
class Sample:
    """What was counted of one version in a window, on any number of routers.

    `failures` may run ahead of `requests` by a request that was being counted during the scrape;
    the next sample makes up for it, so it is bounded only when it is read, as `bad`.
    """

    requests: int = 0
    failures: int = 0
    buckets: Buckets = ()

    def __add__(self, other: "Sample") -> "Sample":
        return Sample(
            self.requests + other.requests,
            self.failures + other.failures,
            _added(self.buckets, other.buckets),
        )

    @property
    def bad(self) -> int:
        """Requests that failed or had to be rescued; never more than there were."""
        return min(self.failures, self.requests)

    @property
    def success_rate(self) -> float | None:
        """In percent; None without requests."""
        return 100.0 * (self.requests - self.bad) / self.requests if self.requests else None

    def slower_than(self, limit: float) -> int:
        """Requests that took longer than the first bucket's edge at or above `limit` (ms)."""
        within = next((count for edge, count in self.buckets if edge >= limit), 0)
        return min(_count(self.buckets) - within, self.requests)

    def quantile(self, share: float) -> float | None:
        return quantile(self.buckets, share)


def delta(
    before: Mapping[str, Counters] | None, after: Mapping[str, Counters]
) -> Mapping[str, Sample]:
    """What one router counted between two scrapes, by cluster.

    Nothing if it was not scraped before: then what it counted may be of any time. A cluster that
    is new counts from zero (unused stats are not shown), and so does a router that started anew.
    """
    if before is None:
        return {}
    return {
        cluster: _difference(before.get(cluster, Counters()), counters)
        for cluster, counters in after.items()
    }


def total(deltas: Iterable[Mapping[str, Sample]]) -> Mapping[str, Sample]:
    """The samples of several routers, or of several seconds, added up by cluster."""
    summed: dict[str, Sample] = {}
    for one in deltas:
        for cluster, sample in one.items():
            summed[cluster] = summed.get(cluster, Sample()) + sample
    return summed


def _difference(before: Counters, after: Counters) -> Sample:
    if any(getattr(after, name) < getattr(before, name) for name in _GROWING):
        before = Counters()
    grown = {name: getattr(after, name) - getattr(before, name) for name in _GROWING}
    negative = tuple((edge, -count) for edge, count in before.buckets)
    counted = replace(after, **grown, buckets=_added(after.buckets, negative))
    return Sample(counted.completed, _failures(counted), counted.buckets)


def _failures(counted: Counters) -> int:
    """See the table at the top."""
    connecting = counted.retries + counted.retries_exhausted
    streams = counted.ejected - connecting
    broken = counted.resets + max(counted.broken_connections, streams)
    truncated = max(0, broken - counted.unavailable)
    return counted.server_errors + counted.rescued + truncated


def _added(one: Buckets, other: Buckets) -> Buckets:
    """Bucket by bucket; one without any is all zeros."""
    if not one or not other:
        return one or other
    edges = sorted({edge for edge, _ in one + other})
    left, right = dict(one), dict(other)
    return tuple((edge, left.get(edge, 0) + right.get(edge, 0)) for edge in edges)


def _count(buckets: Buckets) -> int:
    return buckets[-1][1] if buckets else 0


def quantile(buckets: Buckets, share: float) -> float | None:
    """In milliseconds, as Prometheus' `histogram_quantile`: linear within a bucket, and the last
    finite edge if it lies beyond. None where nothing was timed.
    """
    rank = share * _count(buckets)
    if not rank:
        return None
    lower, below = 0.0, 0
    for edge, count in (bucket for bucket in buckets if bucket[0] < inf):
        if count >= rank:
            return lower + (edge - lower) * (rank - below) / (count - below)
        lower, below = edge, count
    return lower


def merged(samples: Iterable[Sample]) -> Sample:
    """A window of samples as one."""
    return reduce(Sample.__add__, samples, Sample())
