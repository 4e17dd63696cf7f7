"""What a Canary may name beside it: the agent reads its own namespace only."""

from collections.abc import Iterator

from delivery.api.canary import Canary
from delivery.api.model import NamedRef


def reference(path: str, kind: str, said: NamedRef, canary: Canary) -> Iterator[str]:
    """Why it cannot be followed: field, value, fix. What is named has a Secret of its own."""
    own, named = (canary.metadata or {}).get("namespace"), said.namespace
    if not said.name:
        article = "an" if kind[0] in "AEIO" else "a"
        yield f"{path}.name: is empty; name {article} {kind}"
    if named and own and named != own:
        yield (
            f'{path}.namespace: "{named}" is another namespace, which the agent of "{own}" may '
            f'not read; copy the {kind} "{said.name}" and the Secret that it names to "{own}", '
            "and remove the field"
        )
