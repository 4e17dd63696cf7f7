"""The routers' listener ports: which one each port of an app has, and which of them rest."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery import names
from delivery.api.instant import LATEST
from delivery.mapping import mapping, number, parsed

REST_SECONDS = 600.0
"""A port whose app has left is nobody else's for so long: callers may still know it."""


@dataclass(frozen=True)
class Claim:
    """Whose a port is, or was until `freed` (seconds since the epoch)."""

    app: str
    freed: float | None = None


Claims = Mapping[int, Claim]


def claims(said: str) -> Claims:
    """As the annotation has them: app -> port -> when it was freed, 0 while it is held."""
    # What is spoilt by hand is forgotten: what is held is in the Canaries, only what rests is lost.
    return {
        int(port): Claim(app, float(freed) or None)
        for app, ports in mapping(parsed(said)).items()
        for port, freed in mapping(ports).items()
        if number(port) is not None and is_time(freed)
    }


def is_time(freed: Any) -> bool:
    return isinstance(freed, int | float) and 0 <= freed <= LATEST


def written(known: Claims) -> str:
    said: dict[str, dict[str, float]] = {}
    for port, claim in known.items():
        said.setdefault(claim.app, {})[str(port)] = claim.freed or 0
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def followed(known: Claims, held: Mapping[str, Collection[int]], now: float) -> Claims:
    """The claims after a look: what is held is claimed, what is no longer held begins to rest."""
    resting = {
        port: Claim(claim.app, now if claim.freed is None else claim.freed)
        for port, claim in known.items()
    }
    lasting = {
        port: claim
        for port, claim in resting.items()
        if claim.freed is not None and now - claim.freed < REST_SECONDS
    }
    held_now = {port: Claim(app) for app, ports in held.items() for port in ports}
    return {**lasting, **held_now}


def taken(known: Claims, app: str) -> frozenset[int]:
    """Which ports cannot be given to this app: those that others have, or had lately."""
    return frozenset(port for port, claim in known.items() if claim.app != app)


def allocated(
    name: str,
    wanted: Sequence[str],
    others: frozenset[int],
    present: Mapping[str, int] | None = None,
) -> Mapping[str, int]:
    """A router port for each port of an app, but for those that there is none left for.

    `present` are those to which its Services lead already: they are kept where nobody else has
    them. The others begin at the hash of the name, so that apps that come and go do not meet.
    """
    found = {key: port for key, port in (present or {}).items() if port not in others}
    for key in wanted:
        used = others | set(found.values())
        if key not in found and (port := free(f"{name}/{key}", used)) is not None:
            found[key] = port
    return {key: found[key] for key in wanted if key in found}


def free(name: str, used: Collection[int]) -> int | None:
    """The first port from the hash of the name on that is not used; None when all are."""
    start, size = names.digest(name), len(names.LISTENERS)
    candidates = (names.LISTENERS[(start + step) % size] for step in range(size))
    return next((port for port in candidates if port not in used), None)
