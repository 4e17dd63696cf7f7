"""What stops a Canary whatever it is about, in any phase or wherever its users are safe."""

from delivery.canary import Canary, Phase
from delivery.conditions import halting
from delivery.decision import Decision, normal
from delivery.observation import Observation
from delivery.rules.outcome import hold, waits, with_status

SUSPENDED = "skipping canary run as object is suspended"


def suspended_is_skipped(canary: Canary, seen: Observation) -> Decision | None:
    """Releases are; the way out is open all the same."""
    if not canary.suspend or seen.leaving or canary.status.phase is Phase.TERMINATING:
        return None
    if canary.status.message == SUSPENDED:
        return hold(canary, SUSPENDED)
    return Decision(with_status(canary, message=SUSPENDED), SUSPENDED, (normal(SUSPENDED),))


def missing_target_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    if seen.target is not None:
        return None
    name = f"{canary.target}.{canary.namespace}"
    return waits(canary, f"deployment {name} get query error: not found")


def unoffered_references_halt(canary: Canary, seen: Observation) -> Decision | None:
    """No release is judged, or told to nobody, by what its owner has not offered."""
    if not seen.refused or seen.leaving:
        return None
    return waits(canary, f"not offered by another namespace: {'; '.join(seen.refused)}")


def unbuilt_fields_halt(canary: Canary, seen: Observation) -> Decision | None:
    """Nothing begins and no weight grows; what is bad is taken off users all the same.

    The way out is open too: an app that carries our marks is taken up to be given back.
    """
    if not canary.unbuilt or seen.leaving:
        return None
    return waits(canary, f"halted by {halting(canary.unbuilt)}")
