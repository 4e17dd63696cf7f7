"""Which of several agents may act: the official client's Lease election, kept going for ever."""

import logging
import threading

import urllib3
from kubernetes.client import CoordinationV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from cluster.api import TimedClient

DURATION, DEADLINE, RETRY = 6, 4, 1
"""Seconds: a dead holder is followed after DURATION; a holder that cannot renew for DEADLINE
stops acting before anybody else may start."""

log = logging.getLogger(__name__)
# Each renewal is a line of the library's; only who leads is news.
logging.getLogger("leaderelection").setLevel(logging.ERROR)


class Leadership:
    """Whether this process holds the Lease now."""

    def __init__(
        self, connection: TimedClient, *, name: str, namespace: str, identity: str
    ) -> None:
        self.held = threading.Event()
        lock = LeaseLock(name, namespace, identity)
        # The library builds a client without time-outs; ours has them.
        lock.api_instance = CoordinationV1Api(connection)
        self.config = Config(lock, DURATION, DEADLINE, RETRY, self.started, self.stopped)
        self.identity = identity

    def start(self) -> None:
        threading.Thread(target=self.run, name="lease", daemon=True).start()

    def run(self) -> None:
        """Runs for election again each time the Lease is lost or the API is away."""
        while True:
            try:
                LeaderElection(self.config).run()
            except (urllib3.exceptions.HTTPError, OSError, ApiException) as error:
                log.warning("election: %s", error)
            self.stopped()
            threading.Event().wait(RETRY)

    def started(self) -> None:
        log.info("leading as %s", self.identity)
        self.held.set()

    def stopped(self) -> None:
        if self.held.is_set():
            log.info("no longer leading as %s", self.identity)
        self.held.clear()
