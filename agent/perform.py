"""Makes a decision real: the status first, then what is said, then each effect as one call."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.events import Events
from cluster.api import Api, Object
from cluster.errors import ClusterError, Conflict
from delivery import schema
from delivery.canary import Canary
from delivery.covering import covers
from delivery.decision import Annotate, Apply, Effect
from delivery.names import AGENT_MANAGER

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Performer:
    """The only place that writes to the cluster on behalf of a Canary."""

    api: Api
    events: Events
    failing: dict[str, str] = field(default_factory=dict)

    def write_status(self, found: Object, canary: Canary) -> Object:
        """The intent, under the resourceVersion that it was decided from; raises Conflict."""
        body = schema.status_body(
            canary.status, found.get("status") or {}, analysis=canary.analysis
        )
        return self.api.replace_status({**found, "status": body}, manager=AGENT_MANAGER)

    def perform(self, effect: Effect, canary: Mapping[str, Any]) -> None:
        """One effect; what fails is said once and tried again at each look, as it is still due."""
        key = f"{canary['metadata']['name']} {place(effect)}"
        try:
            match effect:
                case Apply(manifest):
                    self.api.apply(manifest, manager=AGENT_MANAGER)
                case Annotate():
                    self.annotate(effect, canary)
        except Conflict as error:
            log.info("decided anew: %s", error)
        except ClusterError as error:
            log.warning("effect failed: %s", error)
            if self.failing.get(key) != str(error):
                self.events.warn(canary, str(error))
            self.failing[key] = str(error)
        else:
            self.failing.pop(key, None)

    def annotate(self, effect: Annotate, canary: Mapping[str, Any]) -> None:
        """Says the intent; where admission did not make it so, writes the fields itself."""
        target = {
            "kind": effect.kind,
            "metadata": {"namespace": canary["metadata"]["namespace"], "name": effect.name},
        }
        metadata: dict[str, Any] = {"annotations": dict(effect.annotations)}
        if effect.version:
            metadata["resourceVersion"] = effect.version
        answer = self.api.merge(target, {"metadata": metadata}, manager=AGENT_MANAGER)
        if covers(answer, effect.shows):
            return
        self.api.merge(target, effect.shows, manager=AGENT_MANAGER)
        self.events.warn(
            canary,
            f"admission did not act on {effect.kind} {effect.name}; its fields were written "
            "directly, and may show as a conflict in the next server-side apply",
        )


def place(effect: Effect) -> str:
    """Kind and name of what the effect changes."""
    if isinstance(effect, Annotate):
        return f"{effect.kind} {effect.name}"
    return f"{effect.manifest['kind']} {effect.manifest['metadata']['name']}"
