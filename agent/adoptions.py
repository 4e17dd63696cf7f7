"""Takes the namespace's apps in hand one after another, and says of the others why not."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.observe import Surroundings
from agent.refusals import Refusals
from agent.unrouted import Unrouted
from cluster.api import Api, Object
from cluster.errors import ClusterError, Conflict
from cluster.survey import Survey
from cluster.watch import Cache
from delivery import adoption, flagger, pair, schema
from delivery.adoption import Declined
from delivery.canary import Canary
from delivery.decision import NORMAL, WARNING
from delivery.eligibility import Neighbours
from delivery.names import AGENT_MANAGER

log = logging.getLogger(__name__)

SURVEY_SECONDS = 30.0
"""How old a look at other projects' kinds may be; an adoption waits for one of its own."""
RETRY_SECONDS = 60.0
"""Between two attempts at a Canary that the API server refused."""


@dataclass
class Adoptions:
    """`eager` is since when an app waits for a look at other projects' kinds, `certain` whether
    there was one; `declined` are the API server's word on each Canary that it refused, and when."""

    api: Api
    cache: Cache
    survey: Survey
    refusals: Refusals
    unrouted: Unrouted
    changed: threading.Event
    namespace: str
    eager: float | None = None
    certain: bool = False
    declined: dict[str, tuple[str, float]] = field(default_factory=dict)

    def begin(self) -> None:
        self.certain = self.survey.is_newer(self.eager or time.monotonic() - SURVEY_SECONDS)

    def look(self, canaries: Sequence[Canary], around: Surroundings) -> None:
        neighbours = around.neighbours()
        found = adoption.next_adoption(
            canaries, neighbours, self.cache.items("Canary"), self.past()
        )
        self.declined = {
            name: self.declined[name] for name in self.declined if name in found.refused
        }
        self.tell(found.refused, WARNING, neighbours)
        self.tell(found.left_out, NORMAL, neighbours)
        self.refusals.refused.update(self.unrouted.tell(canaries, around.found))
        if present := neighbours.grounds.flagger:
            reasons = (flagger.obstacle(present),)
            self.refusals.say(self.itself(), "is not taken in hand", reasons, kind=WARNING)
        if found.target is None:
            self.eager = None
        elif self.eager is None:
            self.eager = time.monotonic()
            self.changed.set()
        elif self.certain:
            metadata = found.target["metadata"]
            manifest = schema.generated(metadata["name"], self.namespace, uid=metadata["uid"])
            self.generate(manifest)

    def past(self) -> Mapping[str, Declined]:
        late = time.monotonic() - RETRY_SECONDS
        return {name: Declined(why, at <= late) for name, (why, at) in self.declined.items()}

    def generate(self, manifest: Object) -> None:
        """Never over another's: one that was made meanwhile is seen at the next turn. What is
        refused is said at that turn, too, and holds up nobody else.
        """
        try:
            self.api.create(manifest, manager=AGENT_MANAGER)
        except Conflict as error:
            log.info("not generated: %s", error)
        except ClusterError as error:
            if not error.is_refusal:
                raise
            log.warning("not generated: %s", error)
            self.declined[manifest["metadata"]["name"]] = str(error), time.monotonic()

    def tell(
        self, refused: Mapping[str, tuple[str, ...]], kind: str, neighbours: Neighbours
    ) -> None:
        for name, reasons in refused.items():
            if deployment := pair.named(neighbours.deployments, name):
                self.refusals.say(deployment, adoption.LEFT_ALONE, reasons, kind=kind)

    def itself(self) -> Mapping[str, Any]:
        """The namespace, as something that Events in it can speak of."""
        metadata = {"name": self.namespace, "namespace": self.namespace}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
