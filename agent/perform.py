"""Makes a decision real: the status first, then what is said, then each effect as one call."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.events import Events
from cluster.api import Api, Object
from cluster.errors import ClusterError, Conflict
from delivery import schema
from delivery.canary import Canary
from delivery.decision import Annotate, Apply, Effect
from delivery.intent import covers
from delivery.names import AGENT_MANAGER

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Performer:
    """The only place that writes to the cluster on behalf of a Canary."""

    api: Api
    events: Events

    def write_status(self, found: Object, canary: Canary) -> Object:
        """The intent, under the resourceVersion that it was decided from; raises Conflict."""
        body = schema.status_body(
            canary.status, found.get("status") or {}, analysis=canary.analysis
        )
        return self.api.replace_status({**found, "status": body}, manager=AGENT_MANAGER)

    def perform(self, effect: Effect, canary: Mapping[str, Any]) -> None:
        """One effect; what fails is said and tried again at the next look, as it is still due."""
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
            self.events.warn(canary, str(error))

    def annotate(self, effect: Annotate, canary: Mapping[str, Any]) -> None:
        """Says the intent; where admission did not make it so, writes the fields itself."""
        place = {
            "kind": effect.kind,
            "metadata": {"namespace": canary["metadata"]["namespace"], "name": effect.name},
        }
        metadata: dict[str, Any] = {"annotations": dict(effect.annotations)}
        if effect.version:
            metadata["resourceVersion"] = effect.version
        answer = self.api.merge(place, {"metadata": metadata}, manager=AGENT_MANAGER)
        if covers(answer, effect.shows):
            return
        self.api.merge(place, effect.shows, manager=AGENT_MANAGER)
        self.events.warn(
            canary,
            f"admission did not act on {effect.kind} {effect.name}; its fields were written "
            "directly, and may show as a conflict in the next server-side apply",
        )
