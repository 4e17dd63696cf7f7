"""Our own routers: Envoy's JSON, whose histograms have an edge at each two significant digits."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from delivery.dialects.cluster import FIELDS, FILTER, POD, POD_ERRORS, TIMES
from delivery.dialects.malformed import StatsMalformed
from delivery.histogram import Buckets
from delivery.stats import Counters

PATH = f"/stats?usedonly&format=json&histogram_buckets=detailed&filter={FILTER}"
"""Not quoted yet. Only what was ever used is said, and only full buckets: so it grows with traffic,
not with the apps.
"""

LONGEST = 1e12
"""No request takes so many milliseconds."""


def parse(text: str) -> Mapping[str, Counters]:
    """The counters by the clusters' names."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StatsMalformed(f"no JSON: {shown(text)}") from error
    match said:
        case {"stats": [*entries]}:
            return counters(entries)
    raise StatsMalformed(f"no list of stats: {shown(text)}")


def counters(entries: Sequence[Any]) -> Mapping[str, Counters]:
    found: dict[str, dict[str, int]] = {}
    times: dict[str, Buckets] = {}
    errors: dict[str, dict[str, int]] = {}
    for entry in entries:
        match entry:
            case {"histograms": {"details": [*details]}}:
                times.update(timed(details))
            case {"name": str(name), "value": value}:
                count(found, name, value)
                count_pod(errors, name, value)
    return {
        cluster: Counters(
            **found.get(cluster, {}),
            buckets=times.get(cluster, ()),
            errors_at=tuple(sorted(errors.get(cluster, {}).items())),
        )
        for cluster in found.keys() | times.keys()
    }


def count(found: dict[str, dict[str, int]], name: str, value: object) -> None:
    cluster, key = named(name)
    if key not in FIELDS:
        return
    counted, field = found.setdefault(cluster, {}), FIELDS[key]
    counted[field] = counted.get(field, 0) + whole(value, name)


def count_pod(errors: dict[str, dict[str, int]], name: str, value: object) -> None:
    cluster, key = named(name)
    if key.startswith(POD) and key.endswith(POD_ERRORS):
        address = key.removeprefix(POD).removesuffix(POD_ERRORS)
        errors.setdefault(cluster, {})[address] = whole(value, name)


def named(name: str) -> tuple[str, str]:
    """The cluster and the statistic; both empty for what is none of a cluster's."""
    match name.split(".", 2):
        case ["cluster", cluster, key]:
            return cluster, key
    return "", ""


def timed(details: Sequence[Any]) -> Mapping[str, Buckets]:
    found = {}
    for detail in details:
        match detail:
            case {"name": str(name), "totals": [*totals]}:
                cluster, key = named(name)
                if key == TIMES:
                    found[cluster] = tuple(sorted(bucket(one, name) for one in totals))
    return found


def bucket(said: Any, name: str) -> tuple[float, float, int]:
    """Requests of no millisecond have a bucket without width."""
    match said:
        case {"lower_bound": float() | int() as lower, "width": float() | int() as width}:
            if 0 <= lower < LONGEST and 0 <= width < LONGEST:
                # What a float makes of 0.1 + 0.2 would not be where the next bucket begins.
                upper = round(float(lower + width), 9)
                return float(lower), upper, whole(said.get("count"), name)
    raise StatsMalformed(f"{name}: {shown(said)} is no bucket")


def whole(value: object, name: str) -> int:
    if isinstance(value, int) and value >= 0:
        return value
    raise StatsMalformed(f"{name}: {shown(value)} is no count")


def shown(said: object) -> str:
    """The beginning of what an Envoy said: enough for a log."""
    return repr(said)[:120]
