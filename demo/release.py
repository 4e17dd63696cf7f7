"""One release as it goes by: what Outrider decided at which moment, until it has ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import Shop
from demo.traffic import Answer
from demo.waiting import eventually

ENDED = frozenset({"Succeeded", "Failed"})
OUTCOMES = {"Succeeded": "promoted", "Failed": "rolled back"}

Listener = Callable[[JSON], None]


def quiet(_status: JSON) -> None:
    """A listener that has nothing to tell."""


@dataclass
class Release:
    """From an apply to the end; times are seconds since the epoch."""

    namespace: Namespace
    name: str = "shop"
    listener: Listener = quiet
    timeout: float = 240
    began: float = field(default_factory=time.time)
    ended: float = 0.0
    weights: list[tuple[float, int]] = field(default_factory=list)
    status: JSON = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = self.namespace.status(self.name).get("observedHash", "")

    @property
    def outcome(self) -> str:
        return OUTCOMES.get(self.status.get("phase", ""), "not ended")

    @property
    def seconds(self) -> float:
        return round(self.ended - self.began, 1)

    def started(self) -> JSON:
        """Wait until the new revision was seen."""
        return eventually("the release starts", lambda: self.look() and self.status, timeout=60)

    def weighs(self, weight: int) -> JSON:
        """Wait until the canary has at least so much of the traffic."""
        return eventually(
            f"the canary's weight reaches {weight}",
            lambda: self.look() and self.status.get("canaryWeight", 0) >= weight and self.status,
            timeout=self.timeout,
        )

    def finished(self) -> "Release":
        """Wait for the end of this very revision, good or bad."""
        what = f"the release of {self.name} ends"
        eventually(what, lambda: self.look() and self.over(), timeout=self.timeout)
        self.ended = time.time()
        return self

    def look(self) -> bool:
        """Note where the release stands; true once it is this revision's."""
        status = self.namespace.status(self.name)
        if status.get("observedHash", "") == self.before:
            return False
        weight = status.get("canaryWeight", 0)
        if not self.weights or self.weights[-1][1] != weight:
            self.weights.append((time.time(), weight))
        if status != self.status:
            self.status = status
            self.listener(status)
        return True

    def over(self) -> bool:
        return self.status.get("phase") in ENDED

    def weight_zero_after(self, moment: float) -> float | None:
        """When, after this moment, the canary was seen to have no traffic any more."""
        zeros = (at for at, weight in self.weights if weight == 0 and at > moment)
        return next(zeros, None)


def first_bad(answers: list[Answer], version: str, *, slow_ms: float = 500) -> float | None:
    """When a client first got a failed or slow answer from this version."""
    bad = (
        answer.ended
        for answer in answers
        if answer.version == version and (answer.kind != "ok" or answer.ms > slow_ms)
    )
    return min(bad, default=None)


def released(namespace: Namespace, version: Shop, *options: str) -> Release:
    """Apply a version of the shop and wait for the end of its release."""
    release = Release(namespace)
    namespace.kubectl.apply(version.manifests(), *options)
    return release.finished()
