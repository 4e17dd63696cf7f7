"""Limits of a trafficPolicy and fixed mirrors, through a real Envoy."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.routers.envoy import Endpoint
from tests.agent.echoes import Echo, asked
from tests.agent.pods import Pod
from tests.agent.running_router import application, eventually, free_port, said, serving


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
    pod = stack.enter_context(Pod(Echo("primary", pause=0.3)))
    route = said(trafficPolicy={"connectionPool": pool, "loadBalancer": {"simple": "RANDOM"}})
    one = replace(application(primary=(pod.endpoint,)), route=route)
    with serving(tmp_path, one), ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(lambda _: asked(one.listener).status, range(6)))
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
