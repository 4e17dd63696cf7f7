"""The ADS server against a real Envoy."""

import urllib.request
from dataclasses import replace
from pathlib import Path

from agent.xds import AdsServer
from delivery.routers.envoy import MAKE_BEFORE_BREAK, Application, resources
from tests.agent.identities import PRESENTED
from tests.agent.pods import Pod, answers
from tests.agent.running_router import Router, application, eventually, serving


def body(application: Application) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{application.listener}/", timeout=5) as answer:
        return bytes(answer.read())


def test_a_new_weight_is_live_at_once(tmp_path: Path) -> None:
    with Pod(answers(b"primary")) as primary, Pod(answers(b"canary")) as canary:
        shop = application(primary=(primary.endpoint,), canary=(canary.endpoint,))
        with serving(tmp_path, shop) as (_, server):
            assert body(shop) == b"primary"
            server.publish(resources([replace(shop, canary_weight=100)]))
            eventually(lambda: body(shop) == b"canary", within=1)


def test_the_server_knows_who_accepted_what(tmp_path: Path) -> None:
    snapshot = resources([shop := application()])
    with serving(tmp_path, shop, node="router-7") as (_, server):
        eventually(lambda: server.nodes_at(snapshot) == {"router-7"})
        assert server.nodes() == {"router-7": dict(snapshot.versions)}
        assert set(snapshot.versions) == set(MAKE_BEFORE_BREAK)


def test_a_router_is_not_ready_before_an_agent_knows(tmp_path: Path) -> None:
    server = AdsServer("127.0.0.1:0", credentials=PRESENTED.credentials(), on_nack=print)
    server.start()
    router = Router(tmp_path, server.port)
    router.start()
    try:
        eventually(lambda: router.ask("/ready", port=router.admin_port)[0] == 503)
        assert router.status("/ready") == 0, "not even listening"
        server.publish(resources([]))
        router.await_ready()
    finally:
        router.kill()
        server.stop(0)
