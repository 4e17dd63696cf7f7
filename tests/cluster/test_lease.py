import json
import time

import pytest
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord

from cluster.lease import DEADLINE, DURATION, Leadership, TimedLock
from tests.agent.running_router import eventually
from tests.cluster.loopback import serving

NOW = "2026-01-01 00:00:00.000001"
LEASE = {
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
    leadership.lock.renewed = time.monotonic() - DEADLINE + 0.1
    assert leadership.held()
    eventually(lambda: not leadership.held())
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
