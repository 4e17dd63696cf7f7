"""Several Canaries of one app: which of them decides; the others are held."""

from collections.abc import Iterable, Mapping

from delivery.api.validation import is_untouched
from delivery.pods import Object

Target = tuple[str, str]
"""Kind and name."""


def deciding(canaries: Iterable[Object]) -> Mapping[Target, str]:
    """The Canary of each target: a user's before a generated one, among equals the oldest."""
    found: dict[Target, str] = {}
    for canary in sorted(canaries, key=precedence):
        found.setdefault(target_of(canary), str(canary["metadata"]["name"]))
    return found


def target_of(canary: Object) -> Target:
    reference = canary["spec"]["targetRef"]
    return str(reference["kind"]), str(reference["name"])


def precedence(canary: Object) -> tuple[bool, str, str]:
    metadata = canary["metadata"]
    return is_untouched(canary), metadata.get("creationTimestamp") or "", metadata["name"]


def held(canary: Object, name: str) -> str:
    """What the user of a held Canary is told; `name` is the one that decides."""
    kind, target = target_of(canary)
    return f"{kind} {target} is managed by Canary {name} already: delete one of the two"


def claim(deployment: Object, canaries: Iterable[Object], *, marked: bool) -> str:
    """Why no Canary may be generated for a Deployment that has none which can be acted on.

    One that is `marked` as ours gets one all the same, to be given back by, if the name is free.
    """
    wanted = deployment["metadata"]["name"]
    for canary in canaries:
        name, target = canary["metadata"]["name"], canary["spec"].get("targetRef") or {}
        if canary["metadata"].get("deletionTimestamp") and name == wanted:
            return f"the Canary {name} is being deleted"
        is_its_own = target.get("name") == wanted and target.get("kind") == "Deployment"
        if is_its_own and (name == wanted or not marked):
            return f"the Canary {name} is for it but cannot be used: mend or delete it"
        if name == wanted:
            return f"the Canary {name} has its name but another target: give that another name"
    return ""
