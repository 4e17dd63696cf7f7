"""Makes a decision real: the status first, then what is said, then each effect as one call."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.trials import Trials
from cluster.api import Api, Object
from cluster.errors import ClusterError, Conflict
from cluster.events import Events
from delivery import ownership, schema
from delivery.canary import Canary
from delivery.covering import covers
from delivery.decision import (
    Annotate,
    Apply,
    Claim,
    Consume,
    Create,
    Delete,
    Disown,
    Effect,
    Replace,
    Restore,
    Write,
)
from delivery.external import is_routers
from delivery.names import AGENT_MANAGER, WEBHOOK

log = logging.getLogger(__name__)

LOOK = f"look at mutatingwebhookconfiguration {WEBHOOK} and at the pods of Deployment {WEBHOOK}"


@dataclass(frozen=True)
class Performer:
    """The only place that writes to the cluster on behalf of a Canary."""

    api: Api
    events: Events
    failing: dict[str, str] = field(default_factory=dict)
    trials: Trials = field(default_factory=Trials)

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
            self.carry_out(effect, canary)
        except Conflict as error:
            log.info("decided anew: %s", error)
        except ClusterError as error:
            log.warning("effect failed: %s", error)
            if self.failing.get(key) != str(error):
                self.events.warn(canary, str(error))
            self.failing[key] = str(error)
        else:
            self.failing.pop(key, None)

    def carry_out(self, effect: Effect, canary: Mapping[str, Any]) -> None:
        match effect:
            case Apply() | Replace():
                self.make(effect, canary)
            case Annotate():
                self.annotate(effect, canary)
            case Delete(kind, name):
                self.api.delete(kind, name, namespace=canary["metadata"]["namespace"])
            case Claim(kind, name, metadata, version):
                said = {"metadata": {**metadata, "resourceVersion": version}}
                self.api.merge(named(kind, name, canary), said, manager=AGENT_MANAGER)
            case Disown(kind, name, fields, version):
                self.disown(named(kind, name, canary), fields, version)
            case Consume(annotations):
                metadata = canary["metadata"]
                version = metadata["resourceVersion"]
                said = {"annotations": dict(annotations), "resourceVersion": version}
                about = named("Canary", metadata["name"], canary)
                self.api.merge(about, {"metadata": said}, manager=AGENT_MANAGER)
            case Create() | Restore() | Write():
                self.write(effect, canary)

    def make(self, effect: Apply | Replace, canary: Mapping[str, Any]) -> None:
        """An object that is ours."""
        if isinstance(effect, Replace):
            self.replace(effect, canary)
        elif is_routers(effect.manifest):
            self.trials.write(self.api.apply, effect.manifest)
        else:
            self.api.apply(effect.manifest, manager=AGENT_MANAGER)

    def replace(self, effect: Replace, canary: Mapping[str, Any]) -> None:
        there = "resourceVersion" in effect.manifest["metadata"]
        put = self.api.replace if there else self.api.create
        put(effect.manifest, manager=AGENT_MANAGER)
        if effect.why:
            self.events.warn(canary, effect.why)

    def write(self, effect: Create | Restore | Write, canary: Mapping[str, Any]) -> None:
        """A user's object whose fields no annotation makes ours: so we own none of them either."""
        if isinstance(effect, Create):
            self.create(effect.manifest)
            return
        if isinstance(effect, Write) and not effect.last:
            if kept := self.trials.write(self.api.replace, effect.manifest):
                self.tidy(kept)
            return
        written = self.api.replace(effect.manifest, manager=AGENT_MANAGER)
        if isinstance(effect, Restore):
            self.tidy(written)
            self.events.warn(canary, effect.why)
        elif fields := ownership.forsaken(written, AGENT_MANAGER):
            self.disown(written, fields, written["metadata"]["resourceVersion"])

    def create(self, manifest: Mapping[str, Any]) -> None:
        made = self.api.create(manifest, manager=AGENT_MANAGER)
        fields = ownership.owner_kept(made, AGENT_MANAGER)
        self.disown(made, fields, made["metadata"]["resourceVersion"])

    def annotate(self, effect: Annotate, canary: Mapping[str, Any]) -> None:
        """Says the intent; where admission did not make it so, writes the fields itself."""
        target = named(effect.kind, effect.name, canary)
        metadata: dict[str, Any] = {"annotations": dict(effect.annotations)}
        if effect.version:
            metadata["resourceVersion"] = effect.version
        said = {"metadata": metadata, **effect.ends}
        answer = self.api.merge(target, said, manager=AGENT_MANAGER)
        if not covers(answer, effect.hopes):
            text = f"admission did not act on all of {effect.kind} {effect.name}: {LOOK}"
            self.events.warn(canary, text)
        if covers(answer, effect.shows):
            return
        # Lists are written as they were seen: what came into them since must not be lost.
        version = {"resourceVersion": answer["metadata"]["resourceVersion"]}
        shows = {**effect.shows, "metadata": version}
        self.tidy(self.api.merge(target, shows, manager=AGENT_MANAGER))
        text = f"admission did not act on {effect.kind} {effect.name}; its fields were written"
        self.events.warn(canary, f"{text}: {LOOK}")

    def tidy(self, written: Object) -> None:
        """Gives up the ownership of a user's fields that we had to write ourselves.

        Otherwise the user's next server-side apply would be in conflict with us about them.
        """
        fields = ownership.ours_released(written, AGENT_MANAGER)
        self.disown(written, fields, written["metadata"]["resourceVersion"])

    def disown(self, target: Mapping[str, Any], fields: Sequence[Any], version: str) -> None:
        metadata = {"resourceVersion": version, "managedFields": list(fields)}
        self.api.merge(target, {"metadata": metadata}, manager=AGENT_MANAGER)


def place(effect: Effect) -> str:
    """Kind and name of what the effect changes."""
    if isinstance(effect, Consume):
        return f"annotations {', '.join(effect.annotations)}"
    if isinstance(effect, Annotate | Claim | Delete | Disown):
        return f"{effect.kind} {effect.name}"
    return f"{effect.manifest['kind']} {effect.manifest['metadata']['name']}"


def named(kind: str, name: str, canary: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object of the Canary's namespace."""
    return {"kind": kind, "metadata": {"namespace": canary["metadata"]["namespace"], "name": name}}
