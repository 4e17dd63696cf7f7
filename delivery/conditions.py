"""The conditions of a Canary: Flagger's Promoted, word for word, our own Supported and Offered."""

from collections.abc import Mapping
from dataclasses import replace

from delivery.canary import Condition, Phase

PROMOTED = "Promoted"
SUPPORTED = "Supported"
FIELDS_NOT_BUILT = "FieldsNotBuilt"
OFFERED = "Offered"
NOT_OFFERED = "NotOffered"

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"

STARTING = (UNKNOWN, "New {kind} detected, starting initialization.")
WAITING = (UNKNOWN, "Waiting for approval.")

SAID: Mapping[Phase, tuple[str, str]] = {
    Phase.INITIALIZED: (TRUE, "{kind} initialization completed."),
    Phase.WAITING: WAITING,
    Phase.WAITING_PROMOTION: WAITING,
    Phase.PROGRESSING: (UNKNOWN, "New revision detected, progressing canary analysis."),
    Phase.PROMOTING: (UNKNOWN, "Canary analysis completed, starting primary rolling update."),
    Phase.FINALISING: (UNKNOWN, "Canary analysis completed, routing all traffic to primary."),
    Phase.SUCCEEDED: (TRUE, "Canary analysis completed successfully, promotion finished."),
    Phase.FAILED: (FALSE, "Canary analysis failed, {kind} scaled to zero."),
}
"""Status and message of Promoted; every other phase says STARTING (reference, 1.5)."""


def promoted(phase: Phase, kind: str, previous: tuple[Condition, ...], now: float) -> Condition:
    """Flagger's one condition; `kind` is that of the target."""
    status, message = SAID.get(phase, STARTING)
    wanted = Condition(PROMOTED, status, phase.value, message.format(kind=kind), now, now)
    before = of_type(PROMOTED, previous)
    if before is not None and (before.status, before.reason) == (status, wanted.reason):
        return before
    return since(wanted, before)


def supported(
    unbuilt: tuple[str, ...], previous: tuple[Condition, ...], now: float
) -> Condition | None:
    """False, naming the fields that are set but not built, or not met; none when all are."""
    if not unbuilt:
        return None
    message = f"These fields halt releases: {halting(unbuilt)}."
    return lacking(Condition(SUPPORTED, FALSE, FIELDS_NOT_BUILT, message, now, now), previous)


def halting(fields: tuple[str, ...]) -> str:
    """Each with what helps: one without a reason of its own is not built."""
    return "; ".join(
        field if field.endswith(")") else f"{field} (not built yet; remove it)" for field in fields
    )


def offered(
    refused: tuple[str, ...], previous: tuple[Condition, ...], now: float
) -> Condition | None:
    """False, naming the references that other namespaces do not offer; none when all are read."""
    if not refused:
        return None
    message = f"What other namespaces do not offer halts releases: {'; '.join(refused)}."
    return lacking(Condition(OFFERED, FALSE, NOT_OFFERED, message, now, now), previous)


def lacking(wanted: Condition, previous: tuple[Condition, ...]) -> Condition:
    """The one that stands already, where it says the same."""
    before = of_type(wanted.type, previous)
    same = before is not None and before.message == wanted.message
    return before if before is not None and same else since(wanted, before)


def since(wanted: Condition, before: Condition | None) -> Condition:
    """A condition of the same status goes on since the same time."""
    if before is None or before.status != wanted.status:
        return wanted
    return replace(wanted, changed=before.changed)


def of_type(name: str, conditions: tuple[Condition, ...]) -> Condition | None:
    return next((condition for condition in conditions if condition.type == name), None)
