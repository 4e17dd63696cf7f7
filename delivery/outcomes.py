"""What became of each release, by the number that admission gave it: what a pipeline waits for."""

from collections.abc import Mapping
from dataclasses import replace

from delivery import names
from delivery.canary import RESTING, Phase, Status
from delivery.mapping import number
from delivery.observation import Observation, Workload
from delivery.pods import annotations_of

PROMOTED = "promoted"
REFUSED = "refused"
SUPERSEDED = "superseded"
"""A newer template came before there was a verdict."""

KEPT = 20
"""So many releases are remembered."""
LEFT = frozenset({Phase.TERMINATING, Phase.TERMINATED})


def recorded(before: Status, after: Status, seen: Observation) -> Status:
    """The status with the release that it is about, and with what is known of its end."""
    status = numbered(before, after, seen)
    if status.release is None:
        return status
    own, verdict = str(status.release), outcome(status)
    others = {key: value for key, value in status.outcomes.items() if key != own}
    known = others | ({own: verdict} if verdict else {}) | unjudged(status, seen)
    last = {key: known[key] for key in sorted(known, key=int)[-KEPT:]}
    return status if last == status.outcomes else replace(status, outcomes=last)


def unjudged(status: Status, seen: Observation) -> dict[str, str]:
    """What came while an app is given back, and was not taken up: nobody judges it any more."""
    if status.phase not in LEFT or seen.target is None or status.release is None:
        return {}
    last = said(seen.target)
    if last is None or last <= status.release:
        return {}
    passed = range(max(status.release + 1, last - KEPT), last)
    return {str(one): SUPERSEDED for one in passed} | {str(last): REFUSED}


def outcome(status: Status) -> str:
    """Of the revision that was taken up last; empty while it is not known."""
    if status.phase in RESTING | LEFT and status.observed == status.promoted:
        return PROMOTED
    # Who leaves gets back what was promoted, whatever was under way.
    ended = status.phase in (Phase.FAILED, Phase.WAITING)
    refused = ended and status.observed == status.failed
    return REFUSED if refused or status.phase in LEFT else ""


def numbered(before: Status, after: Status, seen: Observation) -> Status:
    """With the number of what was taken up; what slipped past admission has none."""
    found = number_of(after, seen)
    if found is None and after.observed == before.observed:
        return after
    if found == after.release:
        return after
    return replace(after, release=found, outcomes=passed_over(after, found))


def passed_over(status: Status, found: int | None) -> Mapping[str, str]:
    """The outcomes so far, also of what never ended or was never taken up before this number."""
    known = [int(key) for key in status.outcomes]
    first = max(known, default=0) + 1 if status.release is None else status.release
    last = first + 1 if found is None else found
    fresh = status.release is None and not known
    unended = () if fresh else range(max(first, last - KEPT), last)
    older = {str(one): status.outcomes[str(one)] for one in known if one < last}
    return {str(one): SUPERSEDED for one in unended} | older


def number_of(status: Status, seen: Observation) -> int | None:
    """None where the target holds another revision, or one that slipped past admission.

    A number that is new proves a release also where the API server has since given the template
    another hash than admission saw.
    """
    target = seen.target
    if target is None or target.revision != status.observed:
        return None
    mark, found = annotations_of(target.manifest).get(names.ADMITTED, ""), said(target)
    read_otherwise = found != status.release and seen.names.get(mark) == status.observed
    return found if mark == status.observed or read_otherwise else None


def said(target: Workload) -> int | None:
    """The number that admission gave the last template."""
    return number(annotations_of(target.manifest).get(names.RELEASE))
