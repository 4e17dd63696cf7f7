"""Every way in which the counters of an app's two halves can be read, by its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from delivery.dialects import istio, prometheus
from delivery.dialects.cluster import FILTER
from delivery.dialects.gateways import CONTOUR, ENVOY_GATEWAY, GLOO
from delivery.dialects.istio import Istio
from delivery.stats import Counters


class Reading(Protocol):
    """Makes counters of what an Envoy says, by series, and knows which series are a half's.

    `parse` raises StatsMalformed and nothing else. `series` takes namespace, target, Service and
    role, and gives nothing where only the user can say it (`source.clusters`).
    """

    def parse(self, text: str) -> Mapping[str, Counters]: ...

    def series(self, namespace: str, target: str, service: str, role: str) -> tuple[str, ...]: ...


class Plain:
    """Any Envoy, by the clusters' own names."""

    def parse(self, text: str) -> Mapping[str, Counters]:
        return prometheus.parse(text)

    def series(self, namespace: str, target: str, service: str, role: str) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Dialect:
    """What is asked, and how the answer is read. `own_pods`: the app's pods are those that count,
    where nobody says which do.
    """

    reading: Reading
    port: int
    path: str = "/stats/prometheus"
    filter: str = FILTER
    own_pods: bool = False

    @property
    def query(self) -> str:
        """Not quoted yet."""
        return f"{self.path}?usedonly&filter={self.filter}"


DIALECTS: Mapping[str, Dialect] = {
    "envoy": Dialect(Plain(), 9901),
    "istio": Dialect(Istio("destination"), 15090, filter=istio.FILTER, own_pods=True),
    "istio-gateway": Dialect(Istio("source"), 15090, filter=istio.FILTER),
    "istio-waypoint": Dialect(Istio("waypoint"), 15090, filter=istio.FILTER),
    "contour": Dialect(CONTOUR, 8002),
    "envoy-gateway": Dialect(ENVOY_GATEWAY, 19001),
    "gloo": Dialect(GLOO, 8081, path="/metrics"),
}
"""The port of Istio's agent, 15020, is good as well: it says the same and the app's own metrics."""


class UnknownDialect(ValueError):
    """A name that is not in the table."""


def dialect(name: str) -> Dialect:
    if name not in DIALECTS:
        raise UnknownDialect(f'"{name}" is unknown; use one of {", ".join(DIALECTS)}')
    return DIALECTS[name]
