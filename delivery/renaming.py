"""New defaults of the API server: every template reads otherwise, and is the same.

A hash is made of what the API server shows, so a new version of it that fills in one more field
gives every template another hash at once: then no template is left that bears a name the status
knows, neither in the pair nor in its history. Whatever a person does leaves at least one.
"""

from dataclasses import replace

from delivery import names
from delivery.canary import Canary, Phase, Status
from delivery.observation import Observation, Workload
from delivery.pods import annotations_of

FOREIGN = frozenset({Phase.NEW, Phase.TERMINATED})
"""The app is not ours: what its templates are called is nothing to us."""


def renamed(canary: Canary, seen: Observation) -> Canary:
    """The same intent in the names that the templates have now."""
    status = canary.status
    known = seen.revisions.keys() & {status.observed, status.promoted}
    if status.phase in FOREIGN or seen.target is None or known:
        return canary
    observed = taken_up(status, seen, seen.target)
    promoted = seen.names.get(status.promoted) or serving(status, seen, observed)
    if status.observed == status.promoted:
        observed = promoted
    failed = observed if status.failed == status.observed else status.failed
    return replace(
        canary, status=replace(status, observed=observed, promoted=promoted, failed=failed)
    )


def taken_up(status: Status, seen: Observation, target: Workload) -> str:
    """By its hash at admission, or by the number of its release if it was renamed before."""
    same = annotations_of(target.manifest).get(names.RELEASE) == str(status.release)
    later = seen.names.get(announced(target)) if same else None
    return seen.names.get(status.observed) or later or status.observed


def serving(status: Status, seen: Observation, observed: str) -> str:
    """What the primary runs was promoted, unless it was being given what is under analysis."""
    if seen.primary is None:
        return seen.serving if status.phase is Phase.INITIALIZING else status.promoted
    under_way = status.observed != status.promoted and seen.primary.revision == observed
    return status.promoted if under_way else seen.primary.revision


def lasting(revision: str, seen: Observation) -> str:
    """The name that a revision had at admission, by which its ReplicaSet is known ever after."""
    return next((mark for mark, now in seen.names.items() if now == revision), revision)


def before(status: Status, seen: Observation) -> str:
    """What was promoted before, in the name that it has now.

    What slipped past admission bears the mark of a revision that it is not: then no new name
    counts, for a revision that nobody judged would pass for one that was promoted.
    """
    if seen.target is not None and announced(seen.target) != seen.target.revision:
        return status.previous
    return seen.names.get(status.previous, status.previous)


def doubtful(status: Status, seen: Observation) -> frozenset[str]:
    """Revisions that nobody announced: they slipped past admission, or were read otherwise.

    What an agent remembers was read at different times, some of it before the API server was
    replaced: all of it is to be read again before such a revision counts.
    """
    if status.phase in FOREIGN or seen.target is None:
        return frozenset()
    known = {status.observed, status.promoted}
    halves = {half.revision for half in (seen.target, seen.primary) if half is not None}
    return frozenset(halves - known - {announced(seen.target)})


def announced(target: Workload) -> str:
    """The revision that came by admission last."""
    return str(annotations_of(target.manifest).get(names.ADMITTED, ""))
