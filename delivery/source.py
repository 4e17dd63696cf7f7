"""Whose counters judge an app when it is not the namespace's routers that count (`source`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from delivery import names
from delivery.dialects.table import Dialect, dialect
from delivery.frozen import frozen
from delivery.pods import Object, labels_of


@dataclass(frozen=True)
class Source:
    """Pods with an Envoy in them, found by a Service's name or by labels, in `namespace` (empty for
    the app's own). `canary` and `primary` name the clusters where the dialect cannot.
    """

    dialect: str
    service: str = ""
    labels: Mapping[str, str] = field(default_factory=frozen)
    namespace: str = ""
    port: int = 0
    canary: str = ""
    primary: str = ""

    @property
    def spoken(self) -> Dialect:
        return dialect(self.dialect)

    @property
    def where(self) -> str:
        """In words: equal for the same pods and the same way to read them."""
        place = f" in namespace {self.namespace}" if self.namespace else ""
        port = f"port {self.port or self.spoken.port}"
        if self.service:
            return f"{self.dialect} on {port} of Service {self.service}{place}"
        if self.labels:
            wanted = ",".join(f"{key}={self.labels[key]}" for key in sorted(self.labels))
            return f"{self.dialect} on {port} of pods with {wanted}{place}"
        return f"{self.dialect} on {port} of the app's pods"


def series(source: Source, namespace: str, target: str, service: str, role: str) -> tuple[str, ...]:
    """The names under which the source counts one half's requests."""
    if cluster := source.primary if role == names.PRIMARY else source.canary:
        return (cluster,)
    return source.spoken.reading.series(namespace, target, service or target, role)


def chosen(
    source: Source, pods: Sequence[Object], services: Sequence[Object], own: Sequence[Object]
) -> Sequence[Object]:
    """Those among a namespace's pods that count; `own` are the app's, if nobody says which."""
    if not source.service and not source.labels:
        return own
    return [pod for pod in pods if is_chosen(source, pod, services)]


def is_chosen(source: Source, pod: Object, services: Sequence[Object]) -> bool:
    wanted = list(selectors(source, services))
    return any(one.items() <= labels_of(pod).items() for one in wanted)


def selectors(source: Source, services: Sequence[Object]) -> Iterator[Mapping[str, str]]:
    """A Service without selector chooses nothing."""
    if source.labels:
        yield source.labels
    for service in services:
        selector = service["spec"].get("selector")
        if service["metadata"]["name"] == source.service and selector:
            yield selector


def told(source: Source, found: Sequence[str], silent: Mapping[str, str], why: str = "") -> str:
    """What the status says of it: how many were found, and which of them does not answer."""
    if why:
        return f"{source.where}: {why}"
    if not found:
        return f"{source.where}: no ready pod found"
    text = f"{source.where}: {len(found)} found"
    failed = sorted(set(silent) & set(found))
    if not failed:
        return text
    return f"{text}, {len(failed)} not read, among them {failed[0]}: {silent[failed[0]]}"
