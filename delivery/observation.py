"""What one look at the world saw, as values: nothing here reads, everything here was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery.counted import Counted
from delivery.dropped import Answer
from delivery.frozen import frozen
from delivery.hook import Reply


@dataclass(frozen=True)
class Workload:
    """One half of a pair: its Deployment, and what its pods say.

    `revision` is the hash of its pod template (hashing.template_hash). `held` is the number that
    the annotation outrider.dev/scale holds it at. `failing` is why a pod of the current revision
    cannot run ("pod X: CrashLoopBackOff: …"), `stuck` why the rollout will not end, `waiting` why
    it has not ended yet; empty where there is no such reason. `fresh` is when the newest of its
    ready pods became so, in seconds since the epoch. `pods` are their names by their addresses.
    """

    manifest: Mapping[str, Any]
    revision: str
    replicas: int
    held: int | None = None
    failing: str = ""
    stuck: str = ""
    waiting: str = ""
    ready_pods: int = 0
    fresh: float = 0.0
    pods: Mapping[str, str] = field(default_factory=dict)
    on_hold: bool = False
    paused: bool = False

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def unready(self) -> str:
        """Why it cannot be sent more traffic; empty when it can (a threshold may round to none)."""
        return self.waiting or ("" if self.ready_pods else "no pod is ready")


@dataclass(frozen=True)
class Traffic:
    """What the routers counted of one version in a window of `seconds`.

    `bad` are requests that ended in a 5xx, a reset, or that another endpoint had to rescue.
    `slow` maps a limit in milliseconds to the requests that took longer, `edges` to from where on
    they were counted; `duration` is in milliseconds, of as many requests as the metric is about.
    """

    requests: int = 0
    bad: int = 0
    duration: float | None = None
    slow: Mapping[float, int] = field(default_factory=dict)
    seconds: float = 0.0
    edges: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """What a metric backend answered: a value, or the text that says why there is none.

    `early`: there is none yet, for the release is younger than the metric's interval.
    """

    value: float | None = None
    failure: str = ""
    early: bool = False


@dataclass(frozen=True)
class Routers:
    """The namespace's routers: how many are ready, and what they say of their configuration.

    `listening` are the listener ports that are open on every ready router; `rejected` is the
    complaint of a router that refused its configuration.
    """

    ready: int = 0
    listening: frozenset[int] = frozenset()
    rejected: str = ""


@dataclass(frozen=True)
class Routes:
    """The objects of external routers, by kind and name, as far as their kinds are read.

    `missing` maps a provider to why its objects are not known; of those in `absent` there can
    be none, for the cluster does not know their kinds. `answers` tell of those that the API server
    would not store as they were asked for.
    """

    objects: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=frozen)
    missing: Mapping[str, str] = field(default_factory=frozen)
    absent: frozenset[str] = frozenset()
    answers: Mapping[tuple[str, str], Answer] = field(default_factory=frozen)


@dataclass(frozen=True)
class Observation:
    """One look at everything that a decision about one Canary may depend on.

    `now` is seconds since the epoch. `revisions` maps each known template hash to its template,
    `kept` is where that of the last promoted one is remembered, `names` maps a hash that admission
    gave one of the target's templates to the hash that it has now.
    `serving` is the revision whose pods serve while there is no primary yet. `wish` is the number
    of replicas that the user asked for, None where nothing new was asked, `noted` the version of
    the target at which admission noted it (pair.noted). `traffic` maps a metric's
    name to what the canary did in that metric's window. `leaving` is why the app is to be
    given back to its user, empty while it stays; `unfit` are reasons that came up since it was
    adopted, for which it is given back between two releases. `drained` says that no router has a
    request of the canary open, nor had a new one lately. `counted` are the counters of the app's
    series, as they were read last from each source. `beside` are the app's other Services,
    which are routed as the apex is; `strays` are those that were, and now are to be given back.
    `told` are alerts that were delivered, or given up, by when they were raised.
    `measurements` are by questions.Question.key; what is still being asked is not among them.
    `replies` are the hooks' last ones, by their names. `refused` says which references to other
    namespaces may not be read, and what is to be done.
    """

    now: float
    target: Workload | None = None
    primary: Workload | None = None
    apex: Mapping[str, Any] | None = None
    beside: tuple[Mapping[str, Any], ...] = ()
    strays: tuple[Mapping[str, Any], ...] = ()
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=frozen)
    revisions: Mapping[str, Mapping[str, Any]] = field(default_factory=frozen)
    kept: Mapping[str, Any] | None = None
    names: Mapping[str, str] = field(default_factory=frozen)
    serving: str = ""
    wish: int | None = None
    noted: int | None = None
    refusals: tuple[str, ...] = ()
    leaving: str = ""
    unfit: tuple[str, ...] = ()
    routers: Routers = Routers()
    routes: Routes = Routes()
    ports_taken: frozenset[int] = frozenset()
    traffic: Mapping[str, Traffic] = field(default_factory=frozen)
    measurements: Mapping[tuple[int, str], Measurement] = field(default_factory=frozen)
    replies: Mapping[str, Reply] = field(default_factory=frozen)
    counted: Counted = field(default_factory=frozen)
    drained: bool = False
    told: frozenset[float] = frozenset()
    refused: tuple[str, ...] = ()

    @property
    def apexes(self) -> tuple[Mapping[str, Any], ...]:
        """Every Service of the app that is to be routed; the first one first."""
        return (*(() if self.apex is None else (self.apex,)), *self.beside)
