"""Says why Deployments are left alone or given back: an Event on each, once for the same kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.exposition import Exposition
from cluster.events import Events
from delivery.decision import WARNING

Kinds = tuple[str, ...]
Place = tuple[str, str]
"""Kind and name."""

REASON = "NotAdopted"


@dataclass
class Refusals:
    """What is said in one turn, between `begin` and `end`; what is not said again is forgotten."""

    events: Events
    exposition: Exposition
    told: Mapping[Place, Kinds] = field(default_factory=dict)
    current: dict[Place, Kinds] = field(default_factory=dict)
    refused: dict[str, Kinds] = field(default_factory=dict)

    def begin(self) -> None:
        self.current, self.refused = {}, {}

    def end(self) -> None:
        self.told = self.current
        self.exposition.refuse(self.refused)

    def say(
        self,
        item: Mapping[str, Any],
        how: str,
        reasons: tuple[str, ...],
        *,
        kind: str,
        reason: str = REASON,
    ) -> None:
        """`how` is what happens to it: "is left alone"; a wish of its user's is no refusal."""
        name = item["metadata"]["name"]
        place = item["kind"], name
        kinds = tuple(dict.fromkeys(kind_of(reason) for reason in reasons))
        self.current[place] = (how, *kinds)
        if kind == WARNING and item["kind"] == "Deployment":
            self.refused[name] = kinds
        if self.told.get(place) != (how, *kinds):
            self.events.record(item, kind, f"{name} {how}: {'; '.join(reasons)}", reason=reason)


def kind_of(reason: str) -> str:
    """What stands before the first colon: a number behind it that changes is no news."""
    return reason.partition(":")[0]
