"""Says which Services of adopted apps are not routed: they lead to the pods by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cluster.events import Events
from delivery import pair, serving
from delivery.canary import Canary
from delivery.decision import WARNING
from delivery.pair import Objects

Reasons = tuple[str, ...]


@dataclass
class Unrouted:
    """An Event on each such Service, once for the same reasons."""

    events: Events
    told: dict[str, Reasons] = field(default_factory=dict)

    def tell(self, canaries: Sequence[Canary], found: Objects) -> Mapping[str, Reasons]:
        """By app, for whoever counts."""
        now: dict[str, Reasons] = {}
        apps: dict[str, Reasons] = {}
        for canary in canaries:
            for name, reasons in serving.unroutable(canary, found).items():
                now[name] = reasons
                apps[canary.target] = apps.get(canary.target, ()) + reasons
                if self.told.get(name) != reasons:
                    self.say(name, reasons, canary, found)
        self.told = now
        return apps

    def say(self, name: str, reasons: Reasons, canary: Canary, found: Objects) -> None:
        service = pair.named(found.services, name)
        if service is not None:
            text = f"{name} is not routed, it leads to the pods of {canary.target} by itself"
            self.events.record(
                service, WARNING, f"{text}: {'; '.join(reasons)}", reason="NotRouted"
            )
