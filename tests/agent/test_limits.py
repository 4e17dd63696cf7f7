"""Limits of a trafficPolicy and fixed mirrors, through a real Envoy."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.routers.envoy import Endpoint
from tests.agent.echoes import Echo, asked
from tests.agent.pods import Held, Pod
from tests.agent.running_router import application, eventually, free_port, said, serving

ALL_CAME = 'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="router"} 6'
"""What the router says when it has six requests."""


@pytest.mark.parametrize(
    ("pool", "connections", "refused"),
    [
        ({}, 6, 0),
        ({"tcp": {"maxConnections": 2}}, 2, 0),
        ({"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}, 1, 4),
        ({"http": {"maxRequestsPerConnection": 1}}, 6, 0),
    ],
)
def test_each_half_has_no_more_connections_than_its_user_allows(
    tmp_path: Path, stack: ExitStack, pool: dict[str, Any], connections: int, refused: int
) -> None:
    held = Held(Echo("primary"))
    pod = stack.enter_context(Pod(held))
    route = said(trafficPolicy={"connectionPool": pool, "loadBalancer": {"simple": "RANDOM"}})
    one = replace(application(primary=(pod.endpoint,)), route=route)
    with serving(tmp_path, one) as (router, _), ThreadPoolExecutor(6) as callers:
        calls = [callers.submit(asked, one.listener)]
        # While its connection is made it takes the place of one that waits.
        eventually(lambda: pod.requests == 1)
        calls += [callers.submit(asked, one.listener) for _ in range(5)]
        eventually(lambda: ALL_CAME in router.stats("downstream_rq_total"))
        eventually(lambda: pod.connections == connections)
        held.go.set()
        answers = [call.result().status for call in calls]
        assert (pod.connections, answers.count(503)) == (connections, refused)
        assert answers.count(200) == 6 - refused


def test_every_request_is_copied_to_the_services_that_are_named(
    tmp_path: Path, stack: ExitStack
) -> None:
    audit, broken = Echo("audit"), Endpoint("127.0.0.9", free_port("127.0.0.9"))
    primary, copies = (stack.enter_context(Pod(each)) for each in (Echo("primary"), audit))
    one = replace(
        application(primary=(primary.endpoint,)),
        route=said(match=[{"uri": {"prefix": "/api"}}], rewrite={"uri": "/v1"}),
        copied_to=(("audit", copies.endpoint), ("gone", broken)),
    )
    with serving(tmp_path, one):
        for path in ("/api/a", "/else", "/api/b"):
            assert asked(one.listener, path).who == "primary"
        eventually(lambda: audit.asked == 2)
