import time

from cluster.lease import DEADLINE, DURATION, Leadership
from tests.agent.running_router import eventually
from tests.cluster.loopback import serving


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
