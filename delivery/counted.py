"""What was counted between two looks that may be far apart, and made by two programs.

Counters are kept for each source (a router in one of its lives) and each series (one half behind
one port). A source that was not covered yet gives a beginning and counts for nothing; a series
that shrinks was read late, or began anew in a life that is not known yet: it is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from delivery import histogram, stats
from delivery.stats import Counters, Sample

Counted = Mapping[str, Mapping[str, Counters]]
"""Absolute counters by source and series."""


def narrowed(counted: Counted, series: Iterable[str], limits: Iterable[float]) -> Counted:
    """Only what the guard covers: a status is no place for whole histograms."""
    wanted, kept = tuple(series), tuple(limits)
    return {
        source: {
            one: replace(
                found[one],
                active=0,
                errors_at=(),
                buckets=histogram.folded(found[one].buckets, kept),
            )
            for one in wanted
            if one in found
        }
        for source, found in counted.items()
    }


def difference(before: Counted, after: Counted, series: Iterable[str]) -> Sample:
    """What was counted of these series between two looks, by the sources that both know.

    A series that its source did not show before had counted nothing.
    """
    wanted = tuple(series)
    return stats.merged(
        stats.difference(comparable(before[source].get(one), found[one]), found[one])
        for source, found in after.items()
        if source in before
        for one in wanted
        if one in found and not is_older(found[one], before[source].get(one))
    )


def comparable(before: Counters | None, after: Counters) -> Counters:
    """With the edges of another limit nothing can be compared but the edges of this one."""
    if before is None:
        return Counters()
    return before if edges(before) == edges(after) else replace(before, buckets=after.buckets)


def edges(counters: Counters) -> list[float]:
    return [lower for lower, _, _ in counters.buckets]


def is_older(after: Counters, before: Counters | None) -> bool:
    return before is not None and stats.is_reset(comparable(before, after), after)


def covering(before: Counted, after: Counted) -> Counted:
    """What is covered from now on: the latest of each, also of sources that did not answer."""
    merged = dict(before)
    for source, found in after.items():
        known = before.get(source, {})
        newer = {one: c for one, c in found.items() if not is_older(c, known.get(one))}
        merged[source] = {**known, **newer}
    return merged
