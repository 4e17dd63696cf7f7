"""Whose counters are read: found, opened with a release, closed with it, and told in the status."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.clock import Clock
from agent.envoy import Scraper
from agent.sources import Sources
from agent.traffic import Windows
from cluster.api import Api, TimedClient
from delivery import names, serving
from delivery.canary import Analysis, Canary, Metric, Phase, Status
from delivery.pair import Objects
from delivery.source import Source
from tests.agent.pods import Pod, answers
from tests.agent.running_router import application, eventually
from tests.agent.running_router import serving as routing
from tests.agent.test_xds import body
from tests.cluster.loopback import serving as api_server

RATE = Metric("request-success-rate", minimum=99.0)


def canary(source: Source | None, phase: Phase = Phase.PROGRESSING) -> Canary:
    return Canary("web", "shop", "web", Analysis(source=source), status=Status(phase=phase))


def pod(name: str, address: str = "127.0.0.1", owner: str = "", **labels: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True"}]
    owners = [{"uid": owner, "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "labels": labels, "ownerReferences": owners},
        "status": {"podIP": address, "conditions": conditions},
    }


GATE = Objects(pods=[pod("gate", app="gate")])


@contextmanager
def sources(api: Api | None = None) -> Iterator[Sources]:
    clock = Clock()
    routers = Windows(Scraper(), failed=lambda address: None, clock=clock)
    made = Sources(api or Api(TimedClient()), "shop", routers, lambda address: None, clock)
    yield made
    made.look([], Objects())


def requests(made: Sources, of: Canary, role: str) -> int:
    windows = made.of(of)
    assert windows
    return windows.traffic(serving.clusters(of, role), 0.0, limits=RATE).requests


def test_any_envoy_is_read_by_the_names_that_the_user_gives_its_clusters(tmp_path: Path) -> None:
    with Pod(answers(b"ok")) as old, Pod(answers(b"ok")) as new, sources() as made:
        shop = application(primary=(old.endpoint,), canary=(new.endpoint,), weight=100)
        with routing(tmp_path, shop, open_statistics=True) as (router, _):
            body(shop)
            halves = {"canary": "shop/80/canary", "primary": "shop/80/primary"}
            labels = {"app": "gate"}
            web = canary(Source("envoy", labels=labels, port=router.open_port, **halves))
            made.look([web], GATE)
            windows = made.of(web)
            assert windows
            eventually(lambda: len(windows.looks) > 0)
            for _ in range(3):
                body(shop)
            eventually(lambda: requests(made, web, names.CANARY) == 3)
            assert requests(made, web, names.PRIMARY) == 0
            assert set(made.counted(web, GATE)) == {"gate/0"}
            assert made.counted(canary(None), GATE) == {}


def told(requested: int, failed: int) -> str:
    labels = (
        'reporter="destination",destination_workload_namespace="shop",destination_workload="web"'
    )
    return "".join(
        f'istio_requests_total{{{labels},response_code="{code}"}} {count}\n'
        for code, count in ((200, requested - failed), (500, failed))
    )


def test_the_apps_own_sidecars_are_read_where_nobody_else_is_named() -> None:
    deployment = {"metadata": {"name": "web", "uid": "d"}, "spec": {}}
    replica_set = {
        "metadata": {"uid": "r", "ownerReferences": [{"uid": "d", "controller": True}]},
        "spec": {"template": {}},
    }
    found = Objects(
        deployments=[deployment],
        replica_sets=[replica_set],
        pods=[pod("web-1", owner="r"), pod("other", "127.0.0.2")],
    )
    with Pod(answers(told(10, 0).encode())) as sidecar, sources() as made:
        web = canary(Source("istio", port=sidecar.endpoint.port))
        made.look([web], found)
        windows = made.of(web)
        assert windows
        assert windows.addresses == ("127.0.0.1",)
        eventually(lambda: len(windows.looks) > 0)
        sidecar.behaviour = answers(told(14, 3).encode())
        eventually(lambda: requests(made, web, names.CANARY) == 4)
        assert made.counted(web, found)["web-1/0"]["shop/web"].completed == 14
        assert windows.traffic(["shop/web"], 0.0, limits=RATE).bad == 3


def test_a_source_is_read_only_while_a_release_runs() -> None:
    source = Source("envoy", labels={"app": "gate"}, port=1, canary="new", primary="old")
    with sources() as made:
        made.look([canary(source, Phase.SUCCEEDED)], GATE)
        assert made.of(canary(source)) is None
        assert made.counted(canary(source), GATE) == {}
        made.look([canary(source)], GATE)
        windows = made.of(canary(source))
        assert windows
        made.look([canary(source, Phase.SUCCEEDED)], GATE)
        assert made.of(canary(source)) is None
        assert windows.stopped.is_set()


def test_the_status_tells_what_was_found_and_that_it_does_not_answer() -> None:
    source = Source("envoy", labels={"app": "gate"}, port=1, canary="new", primary="old")
    web = canary(source)
    with sources() as made:
        made.look([web], GATE)
        said = "envoy on port 1 of pods with app=gate: 1 found"
        assert made.told(web).status.source == said
        windows = made.of(web)
        assert windows
        eventually(lambda: bool(windows.silent))
        made.look([web], GATE)
        assert made.told(web).status.source.startswith(f"{said}, 1 not read, among them 127.0.0.1")
        made.look([web], Objects())
        assert made.told(web).status.source.endswith("no ready pod found")
        assert made.told(canary(None)).status.source == ""


def test_an_app_without_a_source_is_counted_by_the_routers() -> None:
    with sources() as made:
        assert made.of(canary(None)) is made.routers


def test_while_nothing_moves_the_clock_is_set() -> None:
    with sources() as made:
        made.clock.set = lambda: said.append("set")  # type: ignore[method-assign]  # only counted
        said: list[str] = []
        made.look([canary(None)], Objects())
        assert said == []
        made.look([canary(None, Phase.SUCCEEDED)], Objects())
        assert said == ["set"]
        made.look([], Objects())


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "istio-gateway on port 1 of Service gate in namespace edge: 1 found"),
        (
            403,
            "istio-gateway on port 1 of Service gate in namespace edge: not readable; bind "
            "ServiceAccount outrider-agent of namespace shop to a Role that lists pods and "
            "services there",
        ),
    ],
)
def test_pods_of_another_namespace_are_listed_where_that_is_granted(status: int, text: str) -> None:
    gate = {"metadata": {"name": "gate"}, "spec": {"selector": {"app": "gate"}}}
    core = "/api/v1/namespaces/edge"
    with api_server() as server, sources(server.api()) as made:
        server.pages[f"{core}/pods"] = (status, {"items": [pod("gate-1", app="gate")]})
        server.pages[f"{core}/services"] = (status, {"items": [gate]})
        web = canary(Source("istio-gateway", service="gate", namespace="edge", port=1))
        for _ in range(3):
            made.look([web], Objects())
        assert made.told(web).status.source.startswith(text)
        assert len(server.asked) <= 2
        same = replace(web, name="other")
        made.look([web, same], Objects())
        assert len(made.others) == 1
