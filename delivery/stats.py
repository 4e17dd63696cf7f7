"""What Envoy counted of each version: compared from look to look, and added up.

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
| a gRPC status, in headers or trailers     | completed, 2xx, the status                           |
| Envoy's own 502 or 503 to a gRPC call     | as above, and the status UNAVAILABLE                 |
| a gRPC answer that ends without a status  | completed, 2xx: it passes for good                   |
| the caller went away                      | completed if it was answered; nothing else           |

A breakage is `rx_reset` for a stream, `destroy_remote_with_active_rq` for an HTTP/1.1 connection,
and for an HTTP/2 connection that and `ejected` once for each of its streams. So a request is bad
if it is 5xx, or rescued, or has a gRPC status that stands for 5xx (dialects.cluster), or is broken
off; the last two only if not among those that got Envoy's own 502 or 503. The sum is what callers
saw plus what they were spared. It is never more than that, except that a request whose rescuer
answers 5xx counts twice; it is less only where an app answers 502 or 503 itself and breaks off
other answers, or answers UNAVAILABLE to gRPC calls, in the same second on the same router.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import reduce

from delivery import histogram
from delivery.histogram import Buckets


@dataclass(frozen=True)
class Counters:
    """What one Envoy has counted of one cluster since it started; `active` is of this moment.

    `errors_at` are the 5xx and breakages by pod, as Envoy writes its address; of canaries alone.
    """

    completed: int = 0
    server_errors: int = 0
    unavailable: int = 0
    retries: int = 0
    retries_exhausted: int = 0
    rescued: int = 0
    resets: int = 0
    broken_connections: int = 0
    ejected: int = 0
    grpc_errors: int = 0
    grpc_unavailable: int = 0
    active: int = 0
    buckets: Buckets = ()
    errors_at: tuple[tuple[str, int], ...] = ()


COUNTS = tuple(
    field.name for field in fields(Counters) if field.name not in ("buckets", "errors_at")
)
GROWING = tuple(name for name in COUNTS if name != "active")


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
            histogram.added(self.buckets, other.buckets),
        )

    @property
    def bad(self) -> int:
        """Requests that failed or had to be rescued; never more than there were."""
        return min(self.failures, self.requests)

    @property
    def success_rate(self) -> float | None:
        """In percent; None without requests."""
        return 100.0 * (self.requests - self.bad) / self.requests if self.requests else None

    @property
    def timed(self) -> int:
        """Requests whose duration is known."""
        return histogram.total(self.buckets)

    def slower_than(self, limit: float) -> int:
        """Requests that took as long as the edge at or above `limit` (ms), or longer."""
        return min(histogram.slower(self.buckets, limit), self.requests)

    def edge(self, limit: float) -> float:
        """The edge from which on requests count as slower than `limit`."""
        return histogram.edge(self.buckets, limit)

    def quantile(self, share: float) -> float | None:
        return histogram.quantile(self.buckets, share)


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
        cluster: difference(before.get(cluster, Counters()), counters)
        for cluster, counters in after.items()
    }


def total(deltas: Iterable[Mapping[str, Sample]]) -> Mapping[str, Sample]:
    """The samples of several routers, or of several seconds, added up by cluster."""
    summed: dict[str, Sample] = {}
    for one in deltas:
        for cluster, sample in one.items():
            summed[cluster] = summed.get(cluster, Sample()) + sample
    return summed


def difference(before: Counters, after: Counters) -> Sample:
    """What was counted of one cluster between two looks at one router."""
    if is_reset(before, after):
        before = Counters()
    grown = {name: getattr(after, name) - getattr(before, name) for name in GROWING}
    counted = replace(after, **grown, buckets=histogram.subtracted(after.buckets, before.buckets))
    return Sample(counted.completed, _failures(counted), counted.buckets)


def is_reset(before: Counters, after: Counters) -> bool:
    """Whether a counter has shrunk."""
    shrunk = any(getattr(after, name) < getattr(before, name) for name in GROWING)
    times = histogram.subtracted(after.buckets, before.buckets)
    return shrunk or any(count < 0 for _, _, count in times)


def _failures(counted: Counters) -> int:
    """See the table at the top."""
    connecting = counted.retries + counted.retries_exhausted
    streams = counted.ejected - connecting
    broken = counted.resets + max(counted.broken_connections, streams)
    truncated = max(0, broken - counted.unavailable)
    grpc = counted.grpc_errors + max(0, counted.grpc_unavailable - counted.unavailable)
    return counted.server_errors + counted.rescued + truncated + grpc


def merged(samples: Iterable[Sample]) -> Sample:
    """A window of samples as one."""
    return reduce(Sample.__add__, samples, Sample())
