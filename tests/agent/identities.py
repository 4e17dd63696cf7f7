"""Certificates of a namespace, and a router's files as the kubelet keeps them."""

import datetime as dt
import itertools
import ssl
from dataclasses import replace
from pathlib import Path

from agent.certificates import rotation
from agent.tls import Identity, Presented
from certs.secret import drawn, key_pem, pem
from certs.store import Store
from certs.tls import load
from delivery import names

NUMBERS = itertools.count()


def store(program: str, namespace: str = "shop", *, made: dt.timedelta = dt.timedelta()) -> Store:
    """As if it had been made that long ago."""
    now = dt.datetime.now(dt.UTC) - made
    return replace(rotation(program, namespace), draw=lambda: replace(drawn(), now=now)).first()


def identity(namespace: str = "shop") -> Identity:
    agents, routers = (store(one, namespace) for one in (names.AGENT, names.ROUTER))
    return Identity(namespace, agents, routers)


OURS = identity()
PRESENTED = Presented(OURS)
"""Of an agent of the namespace."""


def router_context(held: Identity = OURS) -> ssl.SSLContext:
    """As a router answers: to agents of its namespace only."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=held.agents.published.decode())
    return load(made, held.routers.leaf)


def mounted(folder: Path, held: Identity) -> None:
    """What a router sees: links into a folder that is replaced as a whole, by a rename."""
    folder.mkdir(exist_ok=True)
    content = folder / f"..{next(NUMBERS)}"
    content.mkdir()
    shown = held.routers.leaf
    for name, text in (
        (names.AUTHORITIES, held.agents.published),
        (names.CERTIFICATE, pem(shown.certificate)),
        (names.KEY, key_pem(shown.key)),
    ):
        (content / name).write_bytes(text)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data_tmp").symlink_to(content.name)
    (folder / "..data_tmp").rename(folder / "..data")
