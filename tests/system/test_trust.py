"""Whom agents and routers answer on a cluster, and how their certificates are kept."""

import datetime as dt
import json
import socket
import ssl
from dataclasses import replace
from functools import partial

import pytest
from cryptography import x509

from agent.certificates import provisional, rotation
from agent.tls import Identity
from certs.authority import Issued, Lives
from certs.secret import drawn, encoded, read
from certs.store import Store
from certs.tls import load
from delivery import names
from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace
from demo.waiting import eventually


@pytest.fixture
def served(namespace: Namespace) -> Namespace:
    """Opted in, with agents and routers and no app."""
    namespace.opt_in()
    eventually("its routers", lambda: namespace.found("Deployment", names.ROUTER))
    namespace.complete(names.ROUTER, timeout=120)
    namespace.complete(names.AGENT, timeout=120)
    return namespace


def stored(place: Namespace, secret: str) -> Store | None:
    return read((place.found("Secret", secret) or {}).get("data") or {})


def identity(place: Namespace) -> Identity:
    agents, routers = stored(place, names.AGENT_TLS), stored(place, names.ROUTER_TLS)
    assert agents
    assert routers
    return Identity(place.name, agents, routers)


def addresses(place: Namespace, program: str) -> list[str]:
    pods = place.list("Pod", f"app.kubernetes.io/name={program}")
    return [pod["status"]["podIP"] for pod in pods]


def spoken(at: tuple[str, int], first: bytes, shown: Issued | None = None) -> bytes:
    """What comes back at once over TLS, to whoever shows this certificate, or none."""
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2"] if at[1] == names.XDS_PORT else ["http/1.1"])
    if shown:
        load(context, shown)
    try:
        with (
            socket.create_connection(at, timeout=10) as plain,
            context.wrap_socket(plain) as connection,
        ):
            return said(connection, first)
    except (ssl.SSLError, ConnectionError):
        return b""


def said(connection: socket.socket, first: bytes) -> bytes:
    connection.sendall(first)
    return connection.recv(64)


def openly(at: tuple[str, int], first: bytes) -> bytes:
    """The same without TLS."""
    with socket.create_connection(at, timeout=10) as plain:
        return said(plain, first)


GRPC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
STATISTICS = b"GET /stats/prometheus HTTP/1.1\r\nHost: router\r\n\r\n"
LISTED = b"GET /stats HTTP/1.1\r\nHost: router\r\n\r\n"
READY = b"GET /ready HTTP/1.1\r\nHost: router\r\n\r\n"
IN_THE_OPEN = (READY, STATISTICS, LISTED)


def test_agents_and_routers_answer_each_other_and_no_one_else(served: Namespace) -> None:
    ours, theirs = identity(served), provisional(served.name)
    agent, router = ours.agents.leaf, ours.routers.leaf
    strangers = (None, theirs.agents.leaf, theirs.routers.leaf)
    for at in addresses(served, names.AGENT):
        refused = [spoken((at, names.XDS_PORT), GRPC, one) for one in (*strangers, agent)]
        assert (refused, spoken((at, names.XDS_PORT), GRPC, router)[3:4]) == ([b""] * 4, b"\x04")
    for at in addresses(served, names.ROUTER):
        port = (at, names.ROUTER_STATS_PORT)
        refused = [spoken(port, STATISTICS, one) for one in (*strangers, router)]
        assert (refused, spoken(port, STATISTICS, agent)[:12]) == ([b""] * 4, b"HTTP/1.1 200")
        found = [openly((at, names.ROUTER_OPEN_PORT), one)[9:12] for one in IN_THE_OPEN]
        assert found == [b"200", b"404", b"404"]


INSTALLERS = (
    "import glob, sys; "
    "places = [base + end for base in {sys.base_prefix, '/usr', '/usr/local'}"
    " for end in ('/lib/python3*/*-packages/pip', '/lib/python3*/ensurepip', '/bin/pip*',"
    " '/bin/gcc', '/bin/make', '/bin/git')]; "
    "print([found for place in places for found in glob.glob(place)])"
)


def test_nothing_can_be_installed_in_our_images(served: Namespace) -> None:
    look = ("--", "python", "-c", INSTALLERS)
    agent = served.kubectl("exec", f"deployment/{names.AGENT}", *look)
    webhook = Kubectl(SYSTEM)("exec", f"deployment/{WEBHOOK}", *look)
    assert (agent.strip(), webhook.strip()) == ("[]", "[]")


def test_what_keeps_the_certificates_away_is_said(namespace: Namespace) -> None:
    namespace.kubectl("create", "quota", "none", "--hard=count/secrets=0")
    namespace.opt_in()
    said = eventually("an Event", lambda: events(namespace, "NoCertificates"), timeout=120)
    assert names.AGENT_TLS in said[0]
    assert "exceeded quota" in said[0]
    namespace.kubectl("delete", "quota", "none")
    eventually("its routers", lambda: namespace.found("Deployment", names.ROUTER), timeout=120)


def events(place: Namespace, reason: str) -> list[str]:
    return [one["message"] for one in place.list("Event") if one["reason"] == reason]


@pytest.mark.soak
def test_what_expires_or_is_deleted_heals_without_a_restart(served: Namespace) -> None:
    before = [pod["metadata"]["uid"] for pod in routers(served)]
    held = identity(served).routers
    data = encoded(replace(held, leaf=expired(served, held)))
    served.kubectl("patch", "secret", names.ROUTER_TLS, "-p", json.dumps({"data": data}))
    renewed = eventually("a newer one", lambda: newer_than(served, held), timeout=90)
    for at in addresses(served, names.ROUTER):
        eventually("it is shown", partial(is_shown, at, renewed), timeout=240, pause=2)
    assert_made_again(served, identity(served))
    assert [pod["metadata"]["uid"] for pod in routers(served)] == before
    counts = [one["restartCount"] for pod in routers(served) for one in statuses(pod)]
    assert counts == [0, 0]


def assert_made_again(place: Namespace, before: Identity) -> None:
    """Secrets deleted by hand come back beside what is believed, and go when the agents go."""
    for secret, known in ((names.AGENT_TLS, before.agents), (names.ROUTER_TLS, before.routers)):
        place.kubectl("delete", "secret", secret)
        found = eventually(f"{secret} is back", partial(stored, place, secret), timeout=90)
        assert (found.leaf.certificate, found.authorities[0]) == (
            known.leaf.certificate,
            known.newest,
        )
        (owner,) = place.read("Secret", secret)["metadata"]["ownerReferences"]
        assert owner["uid"] == place.read("Deployment", names.AGENT)["metadata"]["uid"]


def expired(place: Namespace, held: Store) -> Issued:
    """As if every agent had been dead for months."""
    past = dt.datetime.now(dt.UTC) - Lives.leaf - dt.timedelta(days=1)
    rotating = replace(rotation(names.ROUTER, place.name), draw=lambda: replace(drawn(), now=past))
    return rotating.issued(Issued(held.newest, held.authority_key))


def newer_than(place: Namespace, held: Store) -> x509.Certificate | None:
    leaf = identity(place).routers.leaf.certificate
    return leaf if leaf.not_valid_before_utc > held.leaf.certificate.not_valid_before_utc else None


def is_shown(address: str, certificate: x509.Certificate) -> bool:
    text = ssl.get_server_certificate((address, names.ROUTER_STATS_PORT), timeout=10)
    return x509.load_pem_x509_certificate(text.encode()) == certificate


def routers(place: Namespace) -> list[JSON]:
    return list(place.list("Pod", f"app.kubernetes.io/name={names.ROUTER}"))


def statuses(pod: JSON) -> list[JSON]:
    found: list[JSON] = pod["status"]["containerStatuses"]
    return found
