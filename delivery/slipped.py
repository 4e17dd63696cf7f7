"""Updates that went past admission: the release is judged all the same, but nobody was told."""

from delivery import names
from delivery.canary import Canary
from delivery.observation import Workload
from delivery.pods import annotations_of


def slipped(before: Canary, after: Canary, target: Workload | None) -> str:
    """What to say when a revision is taken up that admission never saw; empty when it did.

    Without admission's mark nothing is known, and nothing is said.
    """
    taken = after.status.observed
    if target is None or taken == before.status.observed or taken != target.revision:
        return ""
    if annotations_of(target.manifest).get(names.ADMITTED, taken) == taken:
        return ""
    return (
        f"{target.name}: revision {taken} slipped past admission (was the webhook down?); "
        "it is judged like any other, but whoever applied it was not told"
    )
