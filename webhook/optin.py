"""Gives each labelled namespace its agent and routers, and keeps them as they should be."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster.api import Api, Object
from cluster.errors import ClusterError
from cluster.watch import Watched
from delivery import names
from delivery.covering import covers
from delivery.flagger import NAME, announced, watching
from delivery.optin import Images, enrolled, namespace_parts, owned
from webhook.metrics import Metrics
from webhook.registration import NEVER

log = logging.getLogger(__name__)

DRIFT_SECONDS = 30.0
"""How often all parts of a namespace are compared with what is there."""
FLAGGER_SECONDS = 10.0
"""How old a look at the cluster's Flaggers may be when a namespace is put in order."""


@dataclass
class OptIn:
    """`checked` says when each namespace was last found, or put, in order."""

    api: Api
    images: Images
    own_namespace: str
    label: str
    namespaces: Watched
    metrics: Metrics
    checked: dict[str, float] = field(default_factory=dict)
    flaggers: Sequence[Object] = ()
    flaggers_seen: float = -math.inf

    def turn(self) -> None:
        """Looks at what is due; a namespace that fails does not keep the others waiting."""
        if not self.namespaces.synced.is_set():
            return
        asking = {one["metadata"]["name"] for one in self.namespaces.items() if self.asks(one)}
        for gone in self.checked.keys() - asking:
            # Its agent gives the apps back, then removes itself and so all that it owns.
            log.info("no longer opted in; its agent leaves", extra={"namespace": gone})
            del self.checked[gone]
        self.metrics.namespaces.set(len(asking))
        if any(map(self.due, asking)):
            self.look_for_flagger()
        failed = [name for name in sorted(asking) if self.due(name) and not self.ordered(name)]
        if failed:
            raise ClusterError(f"not in order: {', '.join(failed)}")

    def asks(self, namespace: Mapping[str, Any]) -> bool:
        excluded = {*NEVER, self.own_namespace}
        return namespace["metadata"]["name"] not in excluded and enrolled(namespace, self.label)

    def due(self, namespace: str) -> bool:
        return time.monotonic() - self.checked.get(namespace, -DRIFT_SECONDS) >= DRIFT_SECONDS

    def look_for_flagger(self) -> None:
        """Our right ends at Deployments of that name. Until one look succeeds nothing is made."""
        if time.monotonic() - self.flaggers_seen < FLAGGER_SECONDS:
            return
        query = {"fieldSelector": f"metadata.name={NAME}", "resourceVersion": "0"}
        try:
            self.flaggers = self.api.list("Deployment", query=query)
        except ClusterError as error:
            if self.flaggers_seen == -math.inf:
                raise
            log.warning("who runs Flagger is not known anew: %s", error)
        self.flaggers_seen = time.monotonic()

    def ordered(self, namespace: str) -> bool:
        try:
            owner: Mapping[str, Any] | None
            owner = self.api.read("Deployment", names.AGENT, namespace=namespace)
            flagger = watching(self.flaggers, namespace)
            parts = list(announced(namespace_parts(namespace, self.images), flagger))
            # What is made before there is an owner is tied to it in a second pass.
            for manifest in parts if owner else (*parts, *parts):
                owner = self.tied(namespace, manifest, owner)
        except ClusterError as error:
            log.warning("%s", error, extra={"namespace": namespace})
            return False
        self.checked[namespace] = time.monotonic()
        return True

    def tied(
        self, namespace: str, manifest: Mapping[str, Any], owner: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """Applied as owned by the agent's Deployment, once there is one; answers that one."""
        if owner is not None:
            manifest = owned(manifest, owner["metadata"]["uid"])
        self.applied(namespace, manifest)
        if owner is None and manifest["kind"] == "Deployment":
            return self.api.read("Deployment", names.AGENT, namespace=namespace)
        return owner

    def applied(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if covers(self.api.read(kind, name, namespace=namespace), manifest):
            return
        self.api.apply(manifest, manager=names.WEBHOOK_MANAGER)
        log.info("applied %s %s", kind, name, extra={"namespace": namespace})
