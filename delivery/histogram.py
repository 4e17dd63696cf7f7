"""How long requests took: counts between edges, added, compared and asked."""

from collections.abc import Iterable, Mapping
from math import inf

Buckets = tuple[tuple[float, float, int], ...]
"""Ascending: from how many milliseconds on (that included), up to how many, and how many took so
long. The last may reach to infinity; what is left out is empty.
"""


def of_cumulative(counts: Mapping[float, int]) -> Buckets:
    """From Prometheus' form: an upper edge to how many took at most so long."""
    found, lower, below = [], 0.0, 0
    for upper in sorted(counts):
        found.append((lower, upper, counts[upper] - below))
        lower, below = upper, counts[upper]
    return tuple(found)


def added(one: Buckets, other: Buckets) -> Buckets:
    """Bucket by bucket; one that is missing is empty."""
    if not one or not other:
        return one or other
    counts = {(lower, upper): count for lower, upper, count in one}
    for lower, upper, count in other:
        counts[lower, upper] = counts.get((lower, upper), 0) + count
    return tuple((*edges, counts[edges]) for edges in sorted(counts))


def subtracted(one: Buckets, other: Buckets) -> Buckets:
    """What is in the first and not in the second; empty buckets are left out."""
    negative = tuple((lower, upper, -count) for lower, upper, count in other)
    return tuple(bucket for bucket in added(one, negative) if bucket[2])


def total(buckets: Buckets) -> int:
    return sum(count for _, _, count in buckets)


def edge(buckets: Buckets, limit: float) -> float:
    """From where on requests count as slower than `limit`: there, or at the end of the bucket in
    which it lies.
    """
    around = (upper for lower, upper, _ in buckets if lower < limit < upper)
    return next(around, limit)


def slower(buckets: Buckets, limit: float) -> int:
    """Requests that took as long as the edge of `limit`, or longer."""
    return sum(count for lower, _, count in buckets if lower >= limit)


def folded(buckets: Buckets, limits: Iterable[float]) -> Buckets:
    """Only what tells how many were slower than each of these limits; empty ones stay."""
    edges = [0.0, *sorted({limit for limit in limits if limit > 0.0}), inf]
    beyond = [slower(buckets, lower) for lower in edges]
    pairs = zip(edges, edges[1:], beyond, beyond[1:], strict=False)
    return tuple((lower, upper, here - above) for lower, upper, here, above in pairs)


def quantile(buckets: Buckets, share: float) -> float | None:
    """In milliseconds, as Prometheus' `histogram_quantile`: linear within a bucket, and the last
    finite edge if it lies beyond. None where nothing was timed.
    """
    rank, below, last = share * total(buckets), 0, 0.0
    if not rank:
        return None
    for lower, upper, count in buckets:
        if upper == inf:
            return lower
        if count and below + count >= rank:
            return lower + (upper - lower) * (rank - below) / count
        below, last = below + count, upper
    return last
