"""Whom agents and routers believe, with a real Envoy; users depend on none of it."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from agent.certificates import rotation
from agent.tls import Identity, Presented, client_context
from agent.xds import AdsServer
from certs.authority import Issued, Lives
from delivery import names
from delivery.routers.envoy import Application, resources
from tests.agent.identities import OURS, identity, mounted, store
from tests.agent.pods import Pod, answers
from tests.agent.running_router import Router, application, eventually, serving
from tests.agent.test_xds import body

OTHER = identity("other")
STATS = "/stats/prometheus"
EXPIRED = replace(OURS, routers=store(names.ROUTER, made=Lives.leaf + dt.timedelta(days=1)))


def disguised(shown: Identity) -> Identity:
    """Believes whom we believe, and shows what somebody else has."""
    routers = replace(OURS.routers, leaf=shown.routers.leaf)
    return replace(OURS, agents=replace(OURS.agents, leaf=shown.agents.leaf), routers=routers)


STRANGERS = {
    "another namespace's agent": disguised(OTHER),
    "a router": disguised(replace(OURS, agents=OURS.routers)),
}


@contextmanager
def agent(shown: Identity, *applications: Application, port: int = 0) -> Iterator[AdsServer]:
    credentials = Presented(shown).credentials()
    server = AdsServer(f"127.0.0.1:{port}", credentials=credentials, on_nack=print)
    server.publish(resources(applications))
    server.start()
    yield server
    server.stop(0)


@contextmanager
def started(folder: Path, server: AdsServer, held: Identity) -> Iterator[Router]:
    router = Router(folder, server.port, held=held)
    router.start()
    try:
        yield router
    finally:
        router.kill()


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    with serving(tmp_path_factory.mktemp("router")) as (router, _):
        yield router


def test_an_agent_of_the_namespace_may_read_the_statistics(router: Router) -> None:
    assert router.ask(STATS)[0] == 200


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_who_is_no_agent_of_the_namespace_may_not(router: Router, stranger: Identity) -> None:
    assert router.ask(STATS, by=stranger)[0] == 0


def test_who_shows_nothing_may_not_either(router: Router) -> None:
    assert router.ask(STATS, port=router.stats_port)[0] == 0
    with socket.create_connection(("127.0.0.1", router.stats_port), timeout=5) as plain:
        assert answer(ssl._create_unverified_context(), plain) == b""


def answer(shown: ssl.SSLContext, plain: socket.socket) -> bytes:
    """The first bytes, if any; in TLS 1.3 the refusal of a client comes with the first read."""
    try:
        with shown.wrap_socket(plain) as wrapped:
            wrapped.sendall(f"GET {STATS} HTTP/1.1\r\nHost: router\r\n\r\n".encode())
            return wrapped.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


MISMATCHED = {
    "a router of another namespace": (OURS, disguised(OTHER)),
    "an agent as a router": (OURS, disguised(replace(OURS, routers=OURS.agents))),
    "a router that has expired": (OURS, EXPIRED),
    "an agent of another namespace": (disguised(OTHER), OURS),
    "a router as an agent": (disguised(replace(OURS, agents=OURS.routers)), OURS),
}


@pytest.mark.parametrize(("shown", "held"), MISMATCHED.values(), ids=MISMATCHED)
def test_no_stranger_is_told_what_to_serve_and_none_tells(
    tmp_path: Path, shown: Identity, held: Identity
) -> None:
    with agent(shown) as server, started(tmp_path, server, held) as router:
        eventually(lambda: tries(router) > 2, within=10)
        assert router.ask("/ready", port=router.admin_port)[0] == 503
        assert not server.nodes()


def tries(router: Router) -> int:
    """How often a router has connected to an agent."""
    text = router.ask(f"{STATS}?filter=outrider-agent.upstream_cx_total", port=router.admin_port)[1]
    counts = [line.rpartition(" ")[2] for line in text.splitlines() if not line.startswith("#")]
    return sum(map(int, counts))


def test_a_newer_certificate_counts_without_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as (router, server):
        newer = replace(OURS, routers=replace(OURS.routers, leaf=newer_leaf(OURS)))
        mounted(router.certificates, newer)
        eventually(lambda: shown_by(router) == newer.routers.leaf.certificate)
        assert router.ask(STATS)[0] == 200
        assert list(server.nodes()) == ["router-1"]


def newer_leaf(held: Identity) -> Issued:
    signer = Issued(held.routers.newest, held.routers.authority_key)
    return rotation(names.ROUTER, held.namespace).issued(signer)


def shown_by(router: Router) -> x509.Certificate:
    with (
        socket.create_connection(("127.0.0.1", router.stats_port), timeout=5) as plain,
        client_context(OURS).wrap_socket(plain, server_hostname=OURS.router_host) as wrapped,
    ):
        return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")


def test_users_are_served_when_everything_has_expired_and_it_heals(tmp_path: Path) -> None:
    with Pod(answers(b"primary")) as primary, Pod(answers(b"canary")) as canary:
        shop = application(primary=(primary.endpoint,), canary=(canary.endpoint,))
        with serving(tmp_path, shop) as (router, server):
            server.stop(0)
            mounted(router.certificates, EXPIRED)
            moved = replace(shop, canary_weight=100)
            with agent(OURS, moved, port=server.port) as back:
                before = tries(router)
                eventually(lambda: tries(router) > before + 2, within=10)
                assert ({body(shop) for _ in range(20)}, back.nodes()) == ({b"primary"}, {})
                mounted(router.certificates, OURS)
                eventually(lambda: body(shop) == b"canary", within=10)


def test_an_agent_shows_and_believes_what_is_newer_from_the_next_handshake(tmp_path: Path) -> None:
    presented = Presented(OTHER)
    server = AdsServer("127.0.0.1:0", credentials=presented.credentials(), on_nack=print)
    server.publish(resources([]))
    server.start()
    with started(tmp_path, server, OURS) as router:
        eventually(lambda: tries(router) > 2, within=10)
        assert not server.nodes()
        presented.take(OURS)
        router.await_ready()
        kept = presented.client
        presented.take(replace(OURS))
        assert presented.client is kept
    server.stop(0)
