"""A gRPC app, whose answers are all an HTTP 200, is judged by what they say."""

from dataclasses import replace

import pytest

from demo.namespace import Namespace
from demo.release import released
from demo.waiting import eventually
from tests.system.canaries import BAD, BETTER, SMALL, canary, managed
from tests.system.load import Orders, grpc_channel


@pytest.mark.settled
def test_a_version_that_fails_by_grpc_status_is_rolled_back_and_a_good_one_promoted(
    namespace: Namespace,
) -> None:
    managed(namespace, canary(), replace(SMALL, streams=True))
    orders = Orders(grpc_channel(namespace))
    refused = released(namespace, replace(BAD, streams=True))
    assert refused.outcome == "rolled back"
    # The status says so before the routers act on it; its pods go when no request is left.
    eventually("it rests", lambda: not namespace.read("Deployment", "shop")["spec"]["replicas"])
    before = orders.ended["INTERNAL"]
    assert before > 0
    assert released(namespace, replace(BETTER, streams=True)).outcome == "promoted"
    assert orders.stop().keys() == {"OK", "INTERNAL"}
    assert orders.ended["INTERNAL"] == before
