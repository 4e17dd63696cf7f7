"""A namespace that was left to Outrider before, lent to one test after another.

Most of what a test on the node costs is a new namespace: two agents and two routers to start and to
end. Who is not about that takes one that is there, as empty as any test finds it.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from cluster.errors import Missing
from cluster.kinds import kind_of
from delivery.names import OUTRIDER
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.waiting import eventually

KINDS = [
    "Deployment",
    "Canary",
    "MetricTemplate",
    "AlertProvider",
    "PodTemplate",
    "Service",
    "ConfigMap",
    "Secret",
    "ResourceQuota",
    "Pod",
]
INSTALLED = (f"{OUTRIDER}-agent", f"{OUTRIDER}-router", "kube-root-ca.crt")


@dataclass
class Settled:
    """`place` is the namespace, None until somebody needs it and when it was spoilt."""

    place: Namespace | None = None

    def lent(self) -> Namespace | None:
        place, self.place = self.place, None
        return place

    def emptied(self, place: Namespace) -> None:
        """What a test has left goes, as when a team takes its apps away; Outrider's own stays."""
        for found in left(place):
            if found["kind"] != "Pod":
                delete(place, found)
        eventually(f"{place.name} is empty", lambda: not hurried(place), timeout=60)
        place.api.call("DELETE", kind_of("Event").path(place.name))
        self.place = place


def left(place: Namespace) -> Iterator[JSON]:
    for kind in KINDS:
        yield from (one for one in place.list(kind) if not is_installed(one))


def is_installed(found: JSON) -> bool:
    return str(found["metadata"]["name"]).startswith(INSTALLED)


def hurried(place: Namespace) -> list[str]:
    """What is still there; pods that drain have nobody to drain for."""
    found = list(left(place))
    for one in found:
        if one["kind"] == "Pod":
            delete(place, one)
    return [f"{one['kind']} {one['metadata']['name']}" for one in found]


def delete(place: Namespace, found: JSON) -> None:
    """At once, whatever time to drain it asks for; no error where it is gone."""
    path = kind_of(found["kind"]).path(place.name, found["metadata"]["name"])
    with suppress(Missing):
        place.api.call("DELETE", path, query={"gracePeriodSeconds": "0"})
