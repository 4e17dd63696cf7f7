"""The cookies by which routers know who has met the canary: their values, and how they are set."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.canary import Affinity, Canary
from delivery.names import CANARY, PRIMARY

LETTERS = 20
EXPIRED = -1


@dataclass(frozen=True)
class Cookies:
    """Each `name=value`, empty where there is none.

    Who sends `canary` goes to the canary, who sends `primary` to the primary; `previous` is of a
    release that is over, and taken back.
    """

    affinity: Affinity
    canary: str = ""
    primary: str = ""
    previous: str = ""

    @property
    def for_canary(self) -> str:
        return written(self.affinity, self.canary, self.affinity.max_age)

    @property
    def for_primary(self) -> str:
        """For as long as a step takes: then chance decides anew, at the weight of that time."""
        return written(self.affinity, self.primary, self.affinity.primary_age)

    @property
    def for_leaving(self) -> str:
        """With the attributes that it was set with, or browsers take it for another one."""
        return written(self.affinity, self.previous, EXPIRED)


def written(affinity: Affinity, pair: str, age: int) -> str:
    return f"{pair}; Max-Age={age}{affinity.attributes}" if pair else ""


def begun(canary: Canary) -> Mapping[str, Any]:
    """The cookies of a release, as changes of its status: those it has stay as they are.

    A value belongs to one run of one revision, and follows from these: so it is the same whoever
    decides, also after a crash.
    """
    affinity, status = canary.analysis.affinity, canary.status
    if affinity is None:
        return {}
    named = {CANARY: affinity.cookie, PRIMARY: affinity.primary_cookie}
    fresh = {half: f"{name}={value(canary, half)}" if name else "" for half, name in named.items()}
    return {
        "cookie": status.cookie or fresh[CANARY],
        "primary_cookie": status.primary_cookie or fresh[PRIMARY],
    }


def value(canary: Canary, half: str) -> str:
    status = canary.status
    run = f"{canary.uid}/{canary.namespace}/{canary.name}/{status.observed}/{status.phase_since!r}"
    return hashlib.sha256(f"{run}/{half}".encode()).hexdigest()[:LETTERS]


def in_force(canary: Canary, *, has_pods: bool) -> Cookies | None:
    """What the status intends, made safe by what is ready."""
    affinity, status = canary.analysis.affinity, canary.status
    if affinity is None:
        return None
    if not status.has_users or not has_pods:
        return Cookies(affinity, previous=status.previous_cookie)
    return Cookies(affinity, status.cookie, status.primary_cookie, status.previous_cookie)
