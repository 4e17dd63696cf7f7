"""What the routers are to serve: of an app of which that cannot be said, what was said last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agent.faults import Faults
from delivery import serving
from delivery.canary import Canary
from delivery.names import API_VERSION
from delivery.pair import Objects
from delivery.routers.envoy import Application


class Unserved(Exception):
    """An app that was never served cannot be: the routers keep what another agent told them."""


@dataclass
class Served:
    """A snapshot without an app would cut off its users; so there is none then."""

    faults: Faults
    last: dict[str, tuple[Application, ...]] = field(default_factory=dict)

    def of(self, canaries: Sequence[Canary], found: Objects) -> list[Application]:
        every = [one for canary in canaries for one in self.applications(canary, found)]
        there = {canary.target for canary in canaries}
        self.last = {target: said for target, said in self.last.items() if target in there}
        return every

    def applications(self, canary: Canary, found: Objects) -> Iterator[Application]:
        metadata = {"name": canary.name, "namespace": canary.namespace, "uid": canary.uid}
        item = {"apiVersion": API_VERSION, "kind": "Canary", "metadata": metadata}
        with self.faults.apart(item, "telling the routers"):
            self.last[canary.target] = tuple(serving.applications(canary, found))
        if canary.target not in self.last:
            raise Unserved(canary.target)
        yield from self.last[canary.target]
