"""A real Envoy on loopback, as the tests need it: started, awaited, asked, killed."""

import http.client
import importlib.util
import itertools
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.tls import Identity, client_context
from agent.xds import AdsServer
from delivery.api.route import route_of
from delivery.api.service import Service
from delivery.api.service_words import service_words
from delivery.api.shape import read
from delivery.route import Route
from delivery.routers.bootstrap import ENVOY, Surroundings, files
from delivery.routers.envoy import Application, Endpoint, resources
from delivery.routers.mutual import Files
from tests.agent.identities import OURS, PRESENTED, mounted

# Below the ports that the kernel gives to whoever connects, and each process begins elsewhere: what
# is free when it is looked at stays free until it is listened on.
PORTS = range(10_000, 32_000)
BEGIN = os.getpid() * 977 % len(PORTS)
candidates: Iterator[int] = itertools.cycle((*PORTS[BEGIN:], *PORTS[:BEGIN]))


def free_port(address: str = "127.0.0.1") -> int:
    return next(port for port in itertools.islice(candidates, len(PORTS)) if is_free(address, port))


def is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def eventually(fact: Callable[[], object], within: float = 30.0) -> None:
    """Returns as soon as `fact()` holds."""
    deadline = time.monotonic() + within
    while not fact():
        assert time.monotonic() < deadline, f"not within {within} s: {fact}"
        time.sleep(0.005)


def envoy_program() -> Path:
    found = importlib.util.find_spec("envoy")
    assert found
    assert found.submodule_search_locations
    return Path(next(iter(found.submodule_search_locations))) / "_bin" / "envoy"


@dataclass
class Router:
    """One Envoy process."""

    folder: Path
    xds_port: int
    node: str = "router-1"
    held: Identity = OURS
    stats_port: int = field(default_factory=free_port)
    open_port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    open_statistics: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self.folder / self.node
        config.mkdir(exist_ok=True)
        mounted(self.certificates, self.held)
        around = Surroundings(
            xds_host="127.0.0.1",
            xds_port=self.xds_port,
            stats_port=self.stats_port,
            open_port=self.open_port,
            admin_port=self.admin_port,
            files=Files(str(config), str(self.certificates)),
            open_statistics=self.open_statistics,
        )
        for name, content in files("shop", around).items():
            (config / name).write_text(json.dumps(content))
        with (self.folder / f"{self.node}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(str(envoy_program()), "-c", str(config / ENVOY), "--service-node", self.node),
                    *("--disable-hot-restart", "--concurrency", "1", "-l", "warning"),
                ],
                stdout=log,
                stderr=log,
            )

    @property
    def certificates(self) -> Path:
        """Where the kubelet would keep them."""
        return self.folder / f"{self.node}-tls"

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def status(self, path: str) -> int:
        """Of the listener for the kubelet; 0 while nothing listens."""
        return self.ask(path, port=self.open_port)[0]

    def ask(
        self, path: str, method: str = "GET", *, port: int = 0, by: Identity | None = None
    ) -> tuple[int, str]:
        """As an agent asks for statistics, `by` whoever it is; or in plain HTTP at another port."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.stats_port, timeout=5)
        try:
            if not port:
                connection.connect()
                shown, host = client_context(by or self.held), self.held.router_host
                connection.sock = shown.wrap_socket(connection.sock, server_hostname=host)
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (ConnectionError, ssl.SSLError):
            return 0, ""
        finally:
            connection.close()

    def await_ready(self) -> None:
        eventually(lambda: self.status("/ready") == 200, within=10)

    def stats(self, pattern: str = "^cluster\\.") -> str:
        return self.ask(f"/stats/prometheus?usedonly&filter={pattern}")[1]


@contextmanager
def serving(
    folder: Path,
    *applications: Application,
    node: str = "router-1",
    refusals: tuple[str, ...] = (),
    ipv6: bool = False,
    open_statistics: bool = False,
) -> Iterator[tuple[Router, AdsServer]]:
    """An agent's ADS server with these applications, and a router that has them.

    `refusals`: the kinds of resource that the router is expected to refuse, in order.
    """
    refused: list[str] = []
    server = AdsServer(
        "127.0.0.1:0",
        credentials=PRESENTED.credentials(),
        on_nack=lambda _, kind, __: refused.append(kind),
    )
    server.publish(resources(applications, ipv6=ipv6))
    server.start()
    router = Router(folder, server.port, node, open_statistics=open_statistics)
    router.start()
    try:
        router.await_ready()
        yield router, server
    finally:
        router.kill()
        server.stop(0)
    assert tuple(refused) == refusals


def said(**service: Any) -> Route:
    """The route that a Canary's user writes in spec.service."""
    return route_of(service_words(read(Service, {"port": 80, **service})))


def application(
    *,
    primary: tuple[Endpoint, ...] = (),
    canary: tuple[Endpoint, ...] = (),
    weight: int = 0,
    fallback: Endpoint | None = None,
    name: str = "shop",
) -> Application:
    return Application(name, 80, free_port(), primary, canary, fallback, weight)
