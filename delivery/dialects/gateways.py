"""Gateways built on Envoy: the names under which each counts the two halves of an app."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from delivery import histogram
from delivery.dialects import prometheus
from delivery.names import CANARY, PRIMARY
from delivery.stats import COUNTS, Counters

ROLES: Mapping[str, str] = {PRIMARY: PRIMARY, CANARY: CANARY, "0": PRIMARY, "1": CANARY}


@dataclass(frozen=True)
class Gateway:
    """`clusters` matches the name of a half's cluster, with the groups `app` and `role`: several
    clusters may be one half's, one for each port or rule. `app` is what it calls the app by then.
    """

    clusters: re.Pattern[str]
    app: Callable[[str, str, str], str]

    def parse(self, text: str) -> Mapping[str, Counters]:
        """By `app/role`."""
        found: dict[str, Counters] = {}
        for cluster, counters in prometheus.parse(text).items():
            if named := self.clusters.fullmatch(cluster):
                series = f"{named['app']}/{ROLES[named['role']]}"
                found[series] = added(found.get(series, Counters()), counters)
        return found

    def series(self, namespace: str, target: str, service: str, role: str) -> tuple[str, ...]:
        return (f"{self.app(namespace, target, service)}/{role}",)


def added(one: Counters, other: Counters) -> Counters:
    counts = {name: getattr(one, name) + getattr(other, name) for name in COUNTS}
    return Counters(**counts, buckets=histogram.added(one.buckets, other.buckets))


CONTOUR = Gateway(
    re.compile(r"(?P<app>[^_]+_[^_]+)-(?P<role>primary|canary)_[^_]+"),
    lambda namespace, target, service: f"{namespace}_{service}",
)
"""`shop_web-canary_80`: namespace, Service and port."""

ENVOY_GATEWAY = Gateway(
    re.compile(r"(?:http|grpc)route/(?P<app>[^/]+/[^/]+)/rule/\d+/backend/(?P<role>[01])"),
    lambda namespace, target, service: f"{namespace}/{service}",
)
"""`httproute/shop/web/rule/0/backend/1`: namespace, HTTPRoute (Flagger calls it as the Service),
rule and backend, of which the primary is the first. Without a filter on a backend all of a rule are
one cluster (github.com/envoyproxy/gateway/issues/7017), which cannot be told apart.
"""

GLOO = Gateway(
    re.compile(r"(?P<app>.+)-(?P<role>primary|canary)upstream-[^_]+_[^_]+"),
    lambda namespace, target, service: f"{namespace}-{target}",
)
"""`shop-web-canaryupstream-80_gloo-system`: namespace, target, port, and the Upstream's namespace.
"""
