"""In which order namespaces change to another version of their agent and routers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery import names, pods
from delivery.optin import APPLIED

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """How a namespace stands to the version that is installed.

    `outdated`: it has parts of another version. `waits` is what its change of version waits for,
    empty when none is under way.
    """

    outdated: bool = False
    waits: str = ""

    @property
    def is_current(self) -> bool:
        return not self.outdated and not self.waits


def standing(found: Sequence[Manifest | None], wanted: Sequence[Manifest]) -> Standing:
    """From the parts as they are (None where one is missing), in the order of the wanted ones."""
    there = [(one, part) for one, part in zip(found, wanted, strict=True) if one is not None]
    waits = (rollout(one) for one, _ in there)
    return Standing(
        outdated=any(mark(one) != mark(part) for one, part in there),
        waits="; ".join(text for text in waits if text),
    )


def mark(part: Manifest) -> str:
    """The hash of the manifest that it was made from."""
    return str((part["metadata"].get("annotations") or {}).get(APPLIED, ""))


def rollout(part: Manifest) -> str:
    """What a Deployment's change of pods waits for; empty without pods of an earlier template.

    One whose first pods do not come up changes nothing: it holds nobody up.
    """
    if part["kind"] != "Deployment" or part["metadata"].get("generation", 0) <= 1:
        return ""
    name, status = part["metadata"]["name"], part.get("status") or {}
    old = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    if old > 0:
        said = pods.condition(part, "ReplicaFailure").get("message", "")
        return f"{name} has {old} pods of the version before" + (f": {said}" if said else "")
    return "" if pods.is_observed(part) else f"{name} has just been changed"


def halted(namespace: str, behind: Mapping[str, Standing]) -> str:
    """What is said of a change of version that does not come to its end."""
    others = len(behind) - 1
    return (
        f"the upgrade waits for namespace {namespace}, and {others} more behind it: "
        f"{behind[namespace].waits}; see kubectl -n {namespace} get pods "
        f"-l {names.MANAGED_BY}={names.OUTRIDER}"
    )


def admitted(standings: Mapping[str, Standing]) -> frozenset[str]:
    """The namespaces whose parts may be written now.

    Changes of version come one namespace after the other: while one is under way, no other begins.
    What is of this version already is kept in order everywhere.
    """
    moving = [name for name, one in standings.items() if one.waits]
    turn = moving or sorted(name for name, one in standings.items() if one.outdated)[:1]
    return frozenset(name for name, one in standings.items() if not one.outdated or name in turn)
