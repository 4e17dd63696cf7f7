"""The values a release is decided from: the Canary, its analysis and its status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from delivery.alert import Alert, Route
from delivery.frozen import frozen
from delivery.guard import Guard, Policy
from delivery.hook import APPROVED, WAITING, Hook, HookType, Owed, Told
from delivery.matching import Match
from delivery.service_words import ServiceWords
from delivery.source import Source


class Phase(StrEnum):
    """Flagger's phases, in the order its API declares them (reference, 1.5)."""

    NEW = ""
    INITIALIZING = "Initializing"
    INITIALIZED = "Initialized"
    WAITING = "Waiting"
    PROGRESSING = "Progressing"
    WAITING_PROMOTION = "WaitingPromotion"
    PROMOTING = "Promoting"
    FINALISING = "Finalising"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"


HOLD, FAIL, PROMOTE = "hold", "fail", "promote"
NO_TRAFFIC = (HOLD, FAIL, PROMOTE)
"""What becomes of a release that no request reaches."""

IDLE = frozenset({Phase.INITIALIZED, Phase.SUCCEEDED, Phase.FAILED})
RESTING = IDLE | {Phase.WAITING}
"""Nothing of a new revision runs."""
ANALYSING = frozenset({Phase.PROGRESSING, Phase.WAITING_PROMOTION})
"""The canary is judged, at a gate too."""


@dataclass(frozen=True)
class Metric:
    """One check: its name, its window in seconds, and the range its value must stay in.

    `query` is asked of the Canary's Prometheus, `template` names a MetricTemplate, of its own
    namespace unless `template_namespace` says another, `variables` what that may call by name.
    """

    name: str
    interval: float = 60.0
    minimum: float | None = None
    maximum: float | None = None
    query: str = ""
    template: str = ""
    template_namespace: str = ""
    variables: Mapping[str, str] = field(default_factory=frozen)

    @property
    def asks(self) -> bool:
        """Whether it is, or is also, a question of the user's own to a metric backend."""
        return bool(self.query or self.template)


@dataclass(frozen=True)
class Mirror:
    """How many percent of the requests are copied: at first, more at each step, and at last."""

    start: int = 100
    step: int = 0
    top: int = 100


@dataclass(frozen=True)
class Affinity:
    """Cookies by which users stay with the version that they met first. Ages are in seconds.

    Without a `primary_cookie` only those of the canary stay; `attributes` is the end of a cookie.
    """

    cookie: str
    primary_cookie: str = ""
    max_age: int = 86400
    primary_age: int = 60
    attributes: str = "; Path=/"


@dataclass(frozen=True)
class Analysis:
    """How a release is judged and how its traffic moves. Seconds, percent of requests.

    Without a guard, failed checks alone roll back; with one, the built-in checks only hold.
    `iterations` is how many checks must have passed, at least. What one of `match` describes is
    the canary's in an A/B test. With a `mirror` the canary is tried on copies of requests first.
    Where nothing is `routed` no user is sent to the canary at all.
    `no_traffic` is what becomes of a release that got no request for `no_traffic_after`.
    One that is not promoted within `max_duration` fails; None is without end. A ready canary warms
    up for `delay` before anything is checked or sent to it. `placement` says on which nodes its
    pods shall run (placement.text).
    """

    interval: float = 60.0
    threshold: int = 1
    step_weight: int = 0
    step_weights: tuple[int, ...] = ()
    max_weight: int = 100
    step_weight_promotion: int = 0
    iterations: int = 0
    match: tuple[Match, ...] = ()
    mirror: Mirror | None = None
    affinity: Affinity | None = None
    routed: bool = True
    primary_ready_threshold: int = 100
    canary_ready_threshold: int = 100
    metrics: tuple[Metric, ...] = ()
    hooks: tuple[Hook, ...] = ()
    guard: Policy | None = None
    no_traffic: str = HOLD
    no_traffic_after: float = 600.0
    source: Source | None = None
    max_duration: float | None = None
    delay: float = 0.0
    placement: str = ""
    alerts: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The last answer of one check: what was measured, over how many requests, and why it fell."""

    metric: str
    outcome: str
    value: float | None = None
    samples: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Wish:
    """What a person says of a release by an annotation on its Canary.

    `value` is None where it was taken off again. `asker` and `version` are as admission saw them,
    empty where it did not; the version tells a wish from an earlier one of the same words.
    """

    annotation: str
    value: str | None
    asker: str = ""
    version: str = ""


@dataclass(frozen=True)
class Condition:
    """A condition of the Canary; times are seconds since the epoch."""

    type: str
    status: str
    reason: str
    message: str
    updated: float
    changed: float


@dataclass(frozen=True)
class Status:
    """What is intended and what was decided; times are seconds since the epoch.

    `observed`, `promoted` and `failed` are template hashes (see workload.template_hash):
    the revision that was last taken up, the one that serves, the one that was last refused.
    `provider` is who divides the requests of the release taken up last, from its begin to its end.
    `release` is the number that admission gave the observed one, `outcomes` what became of the
    last numbers. `replicas` is the user's wish, `wished` the version of the target at which
    admission noted it, where it did; `scale` is what the target is held at; `stopped`
    says that no pod of the app shall run, or that it was so and the primary is not ready again.
    `ports` maps a port of the apex Service to the router's listener port. `given_up` counts
    how often in a row the app's adoption was. `iterations` counts the checks of the release.
    `previous` is what was promoted before `promoted`, `began` when the release under way did,
    `ready` when its canary was ready first, where it has a delay to wait for.
    `paused` is by whom it is, empty where it is not; `answered` maps an annotation of a person's
    to the one that was, until it is taken off. `hooks` is what is remembered of each in this
    release, `owed` which ones are still to hear of one that has ended, `alerts` what is still
    to be told.
    `matched` says that what the Canary's `match` describes goes to the canary, `mirror_weight`
    how many percent of the primary's requests are copied to it. `cookie` and `primary_cookie` are
    those of the release (`name=value`), `previous_cookie` is of the one before. `shown_since` is
    since when an external router's objects say what is intended here, `unshown_since` since when
    they do not; None otherwise.
    """

    phase: Phase = Phase.NEW
    canary_weight: int = 0
    matched: bool = False
    mirror_weight: int = 0
    cookie: str = ""
    primary_cookie: str = ""
    previous_cookie: str = ""
    failed_checks: int = 0
    iterations: int = 0
    given_up: int = 0
    observed: str = ""
    promoted: str = ""
    failed: str = ""
    previous: str = ""
    provider: str = ""
    release: int | None = None
    outcomes: Mapping[str, str] = field(default_factory=frozen)
    replicas: int | None = None
    wished: int | None = None
    scale: int | None = None
    stopped: bool = False
    paused: str = ""
    answered: Mapping[str, str] = field(default_factory=frozen)
    ports: Mapping[str, int] = field(default_factory=frozen)
    apex: str = ""
    made: bool = False
    apex_moved: float | None = None
    phase_since: float | None = None
    began: float | None = None
    ready: float | None = None
    last_check: float | None = None
    drained_since: float | None = None
    shown_since: float | None = None
    unshown_since: float | None = None
    last_transition: float | None = None
    message: str = ""
    source: str = ""
    verdicts: tuple[Verdict, ...] = ()
    hooks: Mapping[str, Told] = field(default_factory=frozen)
    owed: tuple[Owed, ...] = ()
    guard: Guard = Guard()
    conditions: tuple[Condition, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @property
    def has_users(self) -> bool:
        """Whether the canary answers anybody."""
        return self.canary_weight > 0 or self.matched

    @property
    def is_asked(self) -> bool:
        """Whether the canary gets requests, also such as nobody waits for."""
        return self.has_users or self.mirror_weight > 0

    @property
    def at_gate(self) -> bool:
        """Whether all that was checked last had passed, and only a gate was closed."""
        checked, gates = self.last_check or 0.0, (WAITING, APPROVED)
        return any(one.outcome in gates and one.at >= checked for one in self.hooks.values())


@dataclass(frozen=True)
class Canary:
    """One app under management: what its Canary resource says, defaults filled in.

    `external` says that a router of somebody else's divides the traffic: one of routers.table.
    """

    name: str
    namespace: str
    target: str
    analysis: Analysis = Analysis()
    service: str = ""
    provider: str = "envoy"
    external: bool = False
    words: ServiceWords = ServiceWords()
    metrics_server: str = ""
    progress_deadline: float = 600.0
    skip_analysis: bool = False
    suspend: bool = False
    stop: bool = False
    wishes: tuple[Wish, ...] = ()
    finalizers: tuple[str, ...] = ()
    generated: bool = False
    uid: str = ""
    resource_version: str = ""
    unbuilt: tuple[str, ...] = ()
    status: Status = Status()

    @property
    def embedded(self) -> bool:
        """Whether the apex Service leads to the namespace's own routers, not to the primary."""
        return self.analysis.routed and not self.external

    def hooks_of(self, *types: HookType) -> tuple[Hook, ...]:
        return tuple(hook for hook in self.analysis.hooks if hook.type in types)

    @property
    def hooks_before_traffic(self) -> tuple[Hook, ...]:
        """Those that the first step waits for."""
        return self.hooks_of(HookType.PRE_ROLLOUT, HookType.CONFIRM_TRAFFIC_INCREASE)

    @property
    def is_announced(self) -> bool:
        """Whether it was said already that the analysis starts."""
        return any(one.name in self.status.hooks for one in self.hooks_before_traffic)
