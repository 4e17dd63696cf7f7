"""Which of several agents may act: the official client's Lease election, kept going for ever."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import urllib3
from kubernetes.client import CoordinationV1Api, V1LeaseSpec
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from cluster.api import Api, Object, TimedClient
from cluster.watch import Watched

DURATION, DEADLINE, RETRY = 7, 5, 2
"""Seconds: a dead holder is followed after DURATION; a holder that cannot renew for DEADLINE
stops acting before anybody else may start."""

log = logging.getLogger(__name__)
# Each renewal is a line of the library's; only who leads is news.
logging.getLogger("leaderelection").setLevel(logging.ERROR)


class TimedLock(LeaseLock):
    """Remembers when the last renewal that succeeded was begun, and what it left.

    The library's own constructor builds a client without time-outs; this one is given ours. The
    library reads the Lease before each try, too: a holder need not, whose last write succeeded,
    nor does whoever waits for it, and sees it in a watch.
    """

    def __init__(self, connection: TimedClient, name: str, namespace: str, identity: str) -> None:
        self.api_instance = CoordinationV1Api(connection)
        self.watched = Watched(
            Api(connection), "Lease", namespace, query={"fieldSelector": f"metadata.name={name}"}
        )
        self.name, self.namespace, self.identity = name, namespace, identity
        self.lease_reference: Any = None
        self.seen: Object | None = None
        self.doubtful = False
        self.renewed = -float(DURATION)
        self.writing = threading.Lock()
        self.given_up = False
        self.known = False

    def get(self, name: str, namespace: str) -> Any:
        if self.known:
            return True, LeaseLock.get_lock_object(self, self.lease_reference)
        self.seen = None if self.doubtful else next(iter(self.watched.items()), None)
        if self.seen:
            return True, LeaseLock.get_lock_object(self, SimpleNamespace(spec=spec_of(self.seen)))
        found = LeaseLock.get(self, name, namespace)
        self.doubtful = False
        return found

    def create(self, name: str, namespace: str, election_record: Any) -> bool:
        return self.noted(super().create, name, namespace, election_record)

    def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        return self.noted(self.replaced, name, namespace, updated_record)

    def replaced(self, name: str, namespace: str, record: Any) -> bool:
        """As the library does it, but the answer is kept: it has the version to renew next."""
        try:
            lease = self.judged(name, namespace)
            if lease is None:
                return False
            lease.spec = LeaseLock.get_lease_spec(self, record, lease.spec)
            self.lease_reference = self.api_instance.replace_namespaced_lease(
                name, namespace, lease
            )
        except ApiException as error:
            log.debug("the Lease was not written: %s", error)
            return False
        return True

    def judged(self, name: str, namespace: str) -> Any:
        """The whole Lease in the version that was decided on; None where it is another by now."""
        if self.seen is None:
            return self.lease_reference
        lease: Any = self.api_instance.read_namespaced_lease(name, namespace)
        same = lease.metadata.resource_version == self.seen["metadata"]["resourceVersion"]
        return lease if same else None

    def noted(self, write: Callable[[str, str, Any], bool], *given: Any) -> bool:
        """A write without an answer may have been done or not: then the Lease is read again."""
        with self.writing:
            began = time.monotonic()
            self.known = False
            self.known = not self.given_up and write(*given)
            self.doubtful = not self.known
            if self.known:
                self.renewed, self.seen = began, None
            return self.known

    def give_up(self) -> None:
        """For good: a Lease that names nobody is taken by the next who looks."""
        with self.writing:
            self.given_up, self.known, self.renewed = True, False, -float(DURATION)
            lease = self.api_instance.read_namespaced_lease(self.name, self.namespace)
            if lease.spec and lease.spec.holder_identity == self.identity:
                lease.spec.holder_identity = ""
                self.api_instance.replace_namespaced_lease(self.name, self.namespace, body=lease)


def spec_of(lease: Object) -> V1LeaseSpec:
    """What an election asks of a Lease as the API server writes it."""
    said = lease.get("spec") or {}
    times = {key: moment(said.get(key)) for key in ("acquireTime", "renewTime")}
    return V1LeaseSpec(
        holder_identity=said.get("holderIdentity"),
        lease_duration_seconds=said.get("leaseDurationSeconds"),
        acquire_time=times["acquireTime"],
        renew_time=times["renewTime"],
    )


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class Leadership:
    """Whether this process holds the Lease now."""

    def __init__(
        self, connection: TimedClient, *, name: str, namespace: str, identity: str
    ) -> None:
        self.leading = threading.Event()
        self.lock = TimedLock(connection, name, namespace, identity)
        self.config = Config(self.lock, DURATION, DEADLINE, RETRY, self.started, self.stopped)
        self.identity = identity

    def start(self) -> None:
        self.lock.watched.start()
        threading.Thread(target=self.run, name="lease", daemon=True).start()

    def held(self) -> bool:
        """By our own clock too: a renewal that hangs must not outlast the Lease."""
        return self.leading.is_set() and time.monotonic() - self.lock.renewed < DEADLINE

    def run(self) -> None:
        """Runs for election again each time the Lease is lost or the API is away."""
        while True:
            try:
                LeaderElection(self.config).run()
            except (urllib3.exceptions.HTTPError, OSError, ApiException) as error:
                log.warning("election: %s", error)
            self.stopped()
            threading.Event().wait(RETRY)

    def release(self) -> None:
        """Whoever ends in good order lets another lead at once; nothing may be done after it."""
        self.stopped()
        try:
            self.lock.give_up()
        except (urllib3.exceptions.HTTPError, OSError, ApiException) as error:
            log.warning("the Lease was not released: %s", error)

    def started(self) -> None:
        log.info("leading as %s", self.identity)
        self.leading.set()

    def stopped(self) -> None:
        if self.leading.is_set():
            log.info("no longer leading as %s", self.identity)
        self.leading.clear()
