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
