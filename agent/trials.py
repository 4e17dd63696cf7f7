"""Writes the objects of external routers, after a trial: what would not be kept is not written."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from cluster.api import Object
from cluster.errors import ClusterError
from delivery.dropped import Answer, is_kept, is_refusal, why
from delivery.names import AGENT_MANAGER

log = logging.getLogger(__name__)

DUE_SECONDS = 60.0
"""After so long an object is tried again: somebody may have upgraded its CRD."""
NO_TRIAL = 400
"""The status by which a server refuses a trial alone: some admission webhook knows none."""

Place = tuple[str, str]
"""Kind and name."""


class Call(Protocol):
    def __call__(
        self, manifest: Mapping[str, Any], *, manager: str, dry: bool = False
    ) -> Object: ...


@dataclass
class Trials:
    """`answers` are those by which something would be lost, and when they came."""

    clock: Callable[[], float] = time.monotonic
    answers: dict[Place, tuple[Answer, float]] = field(default_factory=dict)

    def known(self) -> Mapping[Place, Answer]:
        now = self.clock()
        return {
            place: replace(answer, due=now - at >= DUE_SECONDS)
            for place, (answer, at) in self.answers.items()
        }

    def write(self, call: Call, manifest: Mapping[str, Any]) -> Object | None:
        """The stored object; None where it would not be what it is asked to be."""
        if not self.is_noted_as_kept(self.tried(call, manifest)):
            return None
        stored = call(manifest, manager=AGENT_MANAGER)
        self.is_noted_as_kept(Answer(manifest, stored))
        return stored

    def tried(self, call: Call, manifest: Mapping[str, Any]) -> Answer:
        """Where no trial is possible, the write itself tells."""
        try:
            return Answer(manifest, call(manifest, manager=AGENT_MANAGER, dry=True))
        except ClusterError as error:
            if is_refusal(error.status, str(error)):
                return Answer(manifest, refused=str(error))
            if error.status != NO_TRIAL:
                raise
        return Answer(manifest, manifest)

    def is_noted_as_kept(self, answer: Answer) -> bool:
        place = answer.asked["kind"], answer.asked["metadata"]["name"]
        if is_kept(answer):
            self.answers.pop(place, None)
            return True
        log.warning("%s", why(answer))
        self.answers[place] = answer, self.clock()
        return False
