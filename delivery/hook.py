"""Hooks and gates as values: what is called over HTTP, its answer, and what is remembered of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from delivery.frozen import frozen


class HookType(StrEnum):
    """Flagger's types (reference, 3.2), and `post-rollback`."""

    CONFIRM_ROLLOUT = "confirm-rollout"
    PRE_ROLLOUT = "pre-rollout"
    ROLLOUT = "rollout"
    CONFIRM_TRAFFIC_INCREASE = "confirm-traffic-increase"
    CONFIRM_PROMOTION = "confirm-promotion"
    POST_ROLLOUT = "post-rollout"
    ROLLBACK = "rollback"
    POST_ROLLBACK = "post-rollback"
    EVENT = "event"


POLL_SECONDS = 2.0
"""How often a gate and a rollback hook are asked, whatever the interval is."""
POLLED = frozenset(
    {
        HookType.CONFIRM_ROLLOUT,
        HookType.CONFIRM_TRAFFIC_INCREASE,
        HookType.CONFIRM_PROMOTION,
        HookType.ROLLBACK,
    }
)
"""The gates, and the rollback hooks: their answers may be other ones at any moment."""

CALLED = "called"
PASSED = "passed"
FAILED = "failed"
WAITING = "waiting"
APPROVED = "approved"
"""Of a gate that a person has opened by an annotation."""
QUIET = "not signaling"
"""Of a rollback hook that asks for none."""


@dataclass(frozen=True)
class Hook:
    """One of `spec.analysis.webhooks`. `timeout` is of one attempt, in seconds; the URL may hold a
    password, and the values of `metadata` are templates.
    """

    name: str
    url: str = field(repr=False)
    type: HookType = HookType.ROLLOUT
    timeout: float = 10.0
    retries: int = 0
    insecure: bool = False
    mute_alert: bool = False
    metadata: Mapping[str, str] = field(default_factory=frozen)


@dataclass(frozen=True)
class Call:
    """Something to be asked of a hook. `about` is the very moment of a release that is asked about:
    an answer to anything else is none. It is asked again `every` so many seconds, or only once.
    """

    hook: Hook
    phase: str
    checksum: str
    about: str
    every: float | None = None

    @property
    def polled(self) -> bool:
        return self.hook.type in POLLED


@dataclass(frozen=True)
class Reply:
    """What a hook answered to a call, or why there was no answer in time."""

    about: str
    passed: bool
    failure: str = ""


@dataclass(frozen=True)
class Told:
    """What is remembered of a hook in a release: its last outcome, since when, about what."""

    outcome: str
    about: str
    at: float
    reason: str = ""


@dataclass(frozen=True)
class Owed:
    """A hook that is to be called about a release that has ended: kept until it has answered."""

    hook: str
    phase: str
    checksum: str
    since: float
