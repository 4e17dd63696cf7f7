"""Agents and routers that come and go, with a real Envoy between them."""

import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.xds import AdsServer, CannotListen
from delivery.routers.envoy import CDS, LDS, Application, Endpoint, Snapshot, resources
from tests.agent.identities import PRESENTED
from tests.agent.pods import Pod, answers
from tests.agent.running_router import application, eventually, free_port, serving
from tests.agent.test_xds import body


@contextmanager
def agent(port: int, snapshot: Snapshot) -> Iterator[AdsServer]:
    server = AdsServer(f"127.0.0.1:{port}", credentials=PRESENTED.credentials(), on_nack=print)
    server.publish(snapshot)
    server.start()
    yield server
    server.stop(0)


def canary_at(weight: int, shop: Application) -> Snapshot:
    return resources([replace(shop, canary_weight=weight)])


def test_routers_serve_without_agents_and_come_back_to_a_new_one(tmp_path: Path) -> None:
    with Pod(answers(b"primary")) as primary, Pod(answers(b"canary")) as canary:
        shop = application(primary=(primary.endpoint,), canary=(canary.endpoint,))
        with serving(tmp_path, shop) as (_, server):
            server.stop(0)
            assert [body(shop) for _ in range(20)] == [b"primary"] * 20
            with agent(server.port, canary_at(100, shop)):
                eventually(lambda: body(shop) == b"canary")


def test_another_agent_with_the_same_state_changes_nothing(tmp_path: Path) -> None:
    shop = application()
    snapshot = resources([shop])
    with serving(tmp_path, shop) as (router, server):
        eventually(lambda: server.nodes_at(snapshot))
        server.stop(0)
        with agent(server.port, snapshot) as successor:
            eventually(lambda: successor.nodes_at(snapshot) == {"router-1"})
        text = router.ask("/stats/prometheus?filter=listener_modified|cluster_modified")[1]
        changes = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert all(line.endswith(" 0") for line in changes), changes


def test_a_router_that_was_killed_is_ready_only_with_its_configuration(tmp_path: Path) -> None:
    with Pod(answers(b"primary")) as primary:
        shop = application(primary=(primary.endpoint,))
        with serving(tmp_path, shop) as (router, server):
            router.kill()
            router.start()
            router.await_ready()
            assert body(shop) == b"primary"
            eventually(lambda: list(server.nodes()) == ["router-1"])


def test_with_all_agents_and_all_pods_dead_the_service_answers(tmp_path: Path) -> None:
    pods = [Pod(answers(b"primary"), f"127.0.0.{number}") for number in range(2, 6)]
    with Pod(answers(b"service"), "127.0.0.9") as service, pods[0], pods[1], pods[2], pods[3]:
        listed = tuple(pod.endpoint for pod in pods)
        shop = application(primary=listed, fallback=service.endpoint)
        with serving(tmp_path, shop) as (_, server):
            assert body(shop) == b"primary"
            server.stop(0)
            for pod in pods:
                pod.die()
                assert {body(shop) for _ in range(25)} <= {b"primary", b"service"}
            assert {body(shop) for _ in range(25)} == {b"service"}


def test_when_everything_is_back_it_is_used_at_once(tmp_path: Path) -> None:
    dead, service = (Endpoint(f"127.0.0.{n}", free_port(f"127.0.0.{n}")) for n in (2, 9))
    shop = application(primary=(dead,), fallback=service)
    with serving(tmp_path, shop):
        for _ in range(10):
            with pytest.raises(urllib.error.HTTPError, match="503"):
                body(shop)
        with Pod(answers(b"primary"), dead.address, dead.port):
            assert [body(shop) for _ in range(20)] == [b"primary"] * 20


def test_what_a_router_refuses_is_said_once(tmp_path: Path) -> None:
    shop = application()
    twin = replace(shop, name="cart")
    with serving(tmp_path, shop, refusals=(LDS,)) as (_, server):
        server.publish(resources([shop, twin]))
        server.publish(wrong := resources([replace(shop, canary_weight=1), twin]))
        eventually(lambda: server.nodes()["router-1"].get(CDS) == wrong.versions[CDS])
        assert body_refused(shop)
        assert not server.nodes_at(wrong)
        server.publish(right := resources([shop, replace(twin, listener=free_port())]))
        eventually(lambda: server.nodes_at(right))


def body_refused(shop: Application) -> bool:
    """The listener that was accepted before still answers, if only that it has no pods."""
    with pytest.raises(urllib.error.HTTPError, match="503"):
        body(shop)
    return True


def test_an_application_that_leaves_is_no_longer_served(tmp_path: Path) -> None:
    with Pod(answers(b"primary")) as primary:
        shop, cart = (application(name=n, primary=(primary.endpoint,)) for n in ("shop", "cart"))
        with serving(tmp_path, shop, cart) as (_, server):
            left = resources([shop])
            server.publish(left)
            eventually(lambda: server.nodes_at(left))
            assert body(shop) == b"primary"
            server.publish(both := resources([shop, cart]))
            eventually(lambda: server.nodes_at(both))
            eventually(lambda: body(cart) == b"primary")


def test_an_address_that_is_taken_is_named() -> None:
    server = AdsServer("127.0.0.1:0", credentials=PRESENTED.credentials(), on_nack=print)
    with pytest.raises(CannotListen, match=str(server.port)):
        AdsServer(f"127.0.0.1:{server.port}", credentials=PRESENTED.credentials(), on_nack=print)
    server.stop(0)
