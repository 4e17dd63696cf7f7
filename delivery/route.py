"""How requests are treated on their way: what `spec.service` says of the route (reference, 1.3)."""

from dataclasses import dataclass

from delivery.matching import Comparison, Match

Pairs = tuple[tuple[str, str], ...]
"""Names of headers with their values."""


@dataclass(frozen=True)
class Retries:
    """How often, and upon what, a failed request is tried again: Envoy's words, and statuses."""

    attempts: int
    words: tuple[str, ...]
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True)
class Changes:
    """Headers that are added to, written over and taken off."""

    add: Pairs = ()
    set: Pairs = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rewrite:
    """Another Host, another path; `whole` says that nothing of the path is kept, else what matched
    of it is replaced: all of an exact one or of one that matched a regular expression.
    """

    path: str = ""
    host: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Cors:
    """What browsers may do on pages of other origins. None of `credentials` says nothing."""

    origins: tuple[Comparison, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: float | None = None
    credentials: bool | None = None


@dataclass(frozen=True)
class Keepalive:
    """When an idle connection is probed, how often and at which intervals; 0 is the system's."""

    time: float = 0.0
    interval: float = 0.0
    probes: int = 0


@dataclass(frozen=True)
class Limits:
    """What each router may ask of each half at once; 0 is no limit of ours. `balance` is how a pod
    is chosen, in Istio's words.
    """

    connections: int = 0
    pending: int = 0
    requests: int = 0
    retries: int = 0
    on_connection: int = 0
    connect_timeout: float = 0.0
    keepalive: Keepalive | None = None
    balance: str = ""


@dataclass(frozen=True)
class Backend:
    """A Service by its name, and a port of it; 0 is its only one."""

    service: str
    port: int = 0


@dataclass(frozen=True)
class Route:
    """Seconds; 0 is no limit. Without `matches` all requests are meant; those that none describes
    go to the primary, and nothing is done to them. All others are copied to each of `mirrors`.
    """

    matches: tuple[Match, ...] = ()
    timeout: float = 0.0
    try_timeout: float = 0.0
    retries: Retries | None = None
    request: Changes = Changes()
    response: Changes = Changes()
    rewrite: Rewrite = Rewrite()
    cors: Cors | None = None
    mirrors: tuple[Backend, ...] = ()
    limits: Limits = Limits()
