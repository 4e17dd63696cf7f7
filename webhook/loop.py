"""A piece of work that is done again and again in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cluster.errors import ClusterError
from webhook.metrics import Metrics

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


@dataclass
class Loop:
    """`turn` every `seconds`, sooner when woken, and soon again after a failure."""

    name: str
    seconds: float
    turn: Callable[[], None]
    metrics: Metrics
    woken: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self.run, name=self.name, daemon=True).start()

    def run(self) -> None:
        while True:
            done = self.succeeded()
            self.woken.wait(self.seconds if done else min(self.seconds, RETRY_SECONDS))
            self.woken.clear()

    def succeeded(self) -> bool:
        """One turn. Whatever fails is tried again: admission itself goes on meanwhile."""
        try:
            self.turn()
        except Exception as error:
            self.metrics.failures.labels(self.name).inc()
            known = isinstance(error, ClusterError | OSError)
            log.warning("%s: %s", self.name, error, exc_info=None if known else error)
            return False
        return True
