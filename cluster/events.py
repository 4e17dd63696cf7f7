"""Events, in the form that Flagger's users read and search for (reference, 2.12)."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cluster.api import Api
from cluster.errors import ClusterError
from delivery.decision import NORMAL, WARNING

log = logging.getLogger(__name__)

LONGEST = 1024
"""The API refuses a longer message."""


@dataclass(frozen=True)
class Events:
    """Records Events on objects; one that cannot be recorded is logged and never in the way.

    `component` is who speaks, by the name that users search for.
    """

    api: Api
    identity: str
    manager: str
    component: str

    def normal(self, item: Mapping[str, Any], text: str) -> None:
        self.record(item, NORMAL, text)

    def warn(self, item: Mapping[str, Any], text: str) -> None:
        self.record(item, WARNING, text)

    def record(
        self, item: Mapping[str, Any], kind: str, text: str, *, reason: str = "Synced"
    ) -> None:
        log.info(text, extra={"object": item["metadata"]["name"], "type": kind})
        try:
            self.api.create(self.event(item, kind, text, reason), manager=self.manager)
        except ClusterError as error:
            log.warning("event not recorded: %s", error)

    def event(
        self, item: Mapping[str, Any], kind: str, text: str, reason: str
    ) -> Mapping[str, Any]:
        metadata = item["metadata"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name'][:200]}.{uuid.uuid4().hex[:16]}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": item["apiVersion"],
                "kind": item["kind"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata.get("uid", ""),
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "type": kind,
            "reason": reason,
            "message": text[:LONGEST],
            "source": {"component": self.component},
            "reportingComponent": self.component,
            "reportingInstance": self.identity,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
