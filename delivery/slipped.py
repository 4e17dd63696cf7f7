"""Updates that went past admission: the release is judged all the same, but nobody was told."""

from delivery import names
from delivery.canary import Canary
from delivery.observation import Observation
from delivery.pods import annotations_of
from delivery.renaming import renamed


def slipped(before: Canary, after: Canary, seen: Observation) -> str:
    """What to say when a revision is taken up that admission never saw; empty when it did.

    Without admission's mark nothing is known, and nothing is said.
    """
    taken, target = after.status.observed, seen.target
    known = (before.status.observed, renamed(before, seen).status.observed)
    if target is None or taken in known or taken != target.revision:
        return ""
    if annotations_of(target.manifest).get(names.ADMITTED, taken) == taken:
        return ""
    return (
        f"{target.name}: revision {taken} slipped past admission (was the webhook down?); "
        "it is judged like any other, but whoever applied it was not told"
    )
