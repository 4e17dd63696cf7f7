import json
import time
from typing import Any

import pytest
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord

from cluster.lease import DEADLINE, DURATION, Leadership, TimedLock, spec_of
from tests.cluster.loopback import Server, serving

NOW = "2026-01-01 00:00:00.000001"
LEASE: dict[str, Any] = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "lease", "namespace": "shop", "resourceVersion": "7"},
    "spec": {"holderIdentity": "one", "leaseDurationSeconds": DURATION},
}


def test_nobody_leads_before_the_lease_was_written() -> None:
    with serving() as server:
        connection = server.api().connection
    leadership = Leadership(connection, name="lease", namespace="shop", identity="one")
    leadership.started()
    assert not leadership.held()


def test_a_holder_whose_renewal_hangs_stops_by_its_own_clock() -> None:
    with serving() as server:
        connection = server.api().connection
    leadership = Leadership(connection, name="lease", namespace="shop", identity="one")
    leadership.started()
    leadership.lock.renewed = time.monotonic()
    assert leadership.held()
    leadership.lock.renewed -= DEADLINE
    assert not leadership.held()
    assert DEADLINE < DURATION


def test_who_has_lost_the_lease_does_not_lead() -> None:
    with serving() as server:
        connection = server.api().connection
    leadership = Leadership(connection, name="lease", namespace="shop", identity="one")
    leadership.lock.renewed = time.monotonic()
    leadership.started()
    leadership.stopped()
    assert not leadership.held()


def lease(holder: str) -> bytes:
    moment = "2026-01-01T00:00:00.000000Z"
    times = {"acquireTime": moment, "renewTime": moment, "leaseDurationSeconds": DURATION}
    spec = {"holderIdentity": holder, **times}
    return json.dumps({"metadata": {"name": "lease"}, "spec": spec}).encode()


@pytest.mark.parametrize(("holder", "written"), [("one", [""]), ("two", [])])
def test_who_ends_gives_up_its_own_lease_and_no_other(holder: str, written: list[str]) -> None:
    with serving() as server:
        server.raw = lease(holder)
        leadership = Leadership(
            server.api().connection, name="lease", namespace="shop", identity="one"
        )
        leadership.lock.renewed = time.monotonic()
        leadership.started()
        leadership.release()
        assert not leadership.held()
        sent = [one.body["spec"]["holderIdentity"] for one in server.asked if one.method == "PUT"]
        assert sent == written
        assert not leadership.lock.noted(lambda *_: True)


def test_a_lease_that_cannot_be_given_up_is_in_nobodys_way() -> None:
    with serving() as server:
        connection = server.api().connection
    Leadership(connection, name="lease", namespace="shop", identity="one").release()


def test_a_holder_reads_the_lease_again_only_after_a_write_that_failed() -> None:
    record = LeaderElectionRecord("one", str(DURATION), NOW, NOW)
    with serving() as server:
        server.raw = json.dumps(LEASE).encode()
        lock = TimedLock(server.api().connection, "lease", "shop", "one")
        for status in (200, 200, 409, 200):
            server.status = 200
            assert lock.get("lease", "shop")[1].holder_identity == "one"
            server.status = status
            assert lock.update("lease", "shop", record) is (status == 200)
    methods = [one.method for one in server.asked]
    assert methods == ["GET", "PUT", "PUT", "PUT", "GET", "PUT"]


def waiting(server: Server, holder: str, version: str) -> TimedLock:
    """Of `two`, whose watch shows the Lease held in a version; the server has version 7."""
    server.raw = json.dumps(LEASE).encode()
    lock = TimedLock(server.api().connection, "lease", "shop", "two")
    times = dict.fromkeys(("acquireTime", "renewTime"), "2026-01-01T00:00:00.000001Z")
    spec = {"holderIdentity": holder, "leaseDurationSeconds": DURATION, **times}
    metadata = {**LEASE["metadata"], "resourceVersion": version}
    lock.watched.informer.cache._put({"metadata": metadata, "spec": spec})
    return lock


def test_who_waits_for_a_lease_asks_for_nothing() -> None:
    with serving() as server:
        lock = waiting(server, "one", "7")
        for _ in range(3):
            found, record = lock.get("lease", "shop")
            assert (found, record.holder_identity) == (True, "one")
            assert record.renew_time == record.acquire_time
    assert server.asked == []


@pytest.mark.parametrize(("version", "taken"), [("7", True), ("6", False)])
def test_a_lease_is_taken_over_whole_and_only_in_the_version_that_was_seen(
    version: str, taken: bool
) -> None:
    record = LeaderElectionRecord("two", str(DURATION), NOW, NOW)
    with serving() as server:
        lock = waiting(server, "", version)
        assert lock.get("lease", "shop")[1].holder_identity is None
        assert lock.update("lease", "shop", record) is taken
    written = [one.body["metadata"] for one in server.asked if one.method == "PUT"]
    assert [one["resourceVersion"] for one in written] == ["7"] * taken


def test_who_could_not_take_it_reads_it_itself_once() -> None:
    record = LeaderElectionRecord("two", str(DURATION), NOW, NOW)
    with serving() as server:
        lock = waiting(server, "one", "6")
        lock.get("lease", "shop")
        assert not lock.update("lease", "shop", record)
        before = len(server.asked)
        for _ in range(2):
            lock.get("lease", "shop")
    assert len(server.asked) - before == 1


@pytest.mark.parametrize("lease", [{}, {"spec": None}, {"spec": {"holderIdentity": ""}}])
def test_a_lease_that_says_nothing_is_nobodys(lease: dict[str, Any]) -> None:
    assert not spec_of(lease).holder_identity
