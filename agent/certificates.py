"""Keeps the certificates of the namespace's agents and routers, in two Secrets of fixed names."""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from agent.tls import Identity, Presented, host
from certs.authority import Lives, made_at
from certs.secret import Installed, drawn
from certs.store import Rotation, Store
from cluster.api import Api
from cluster.errors import Missing
from delivery import names
from delivery.optin import NAME

log = logging.getLogger(__name__)

SECONDS = 30.0
"""Between two looks at the Secrets."""
RETRY_SECONDS = 1.0
SETTLE = dt.timedelta(minutes=10)
"""So long a new authority is published before it signs: kubelets bring it to the routers first."""
TRIES = 5
"""What fails so often is said to the user: an API server that restarts is no news."""
UNABLE = (
    f"the Secrets {names.AGENT_TLS} and {names.ROUTER_TLS}, without which agents and routers do "
    "not answer each other, cannot be kept"
)


def rotation(program: str, namespace: str) -> Rotation:
    return Rotation(program, (host(program, namespace),), Lives(), drawn)


def provisional(namespace: str) -> Identity:
    """Until the Secrets have been read: good certificates that nobody believes."""
    made = (rotation(program, namespace).first() for program in (names.AGENT, names.ROUTER))
    return Identity(namespace, *made)


@dataclass
class Certificates:
    """Every agent does the same: whoever comes first writes, and the others take that over.

    `expires` hears, by Secret, when the certificate in it ends; `unable`, once each time that
    they cannot be kept any more, why.
    """

    api: Api
    namespace: str
    presented: Presented
    expires: Callable[[str, dt.datetime], None]
    unable: Callable[[str], None]
    known: dict[str, Store] = field(default_factory=dict)
    failures: int = 0
    ready: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self.run, name="certificates", daemon=True).start()

    def run(self) -> None:
        while True:
            threading.Event().wait(SECONDS if self.tried() else RETRY_SECONDS)

    def tried(self) -> bool:
        try:
            self.turn()
        except Exception as error:
            # Fail open: what is shown and believed stays, for weeks if it must; tried again.
            log.warning("certificates: %s", error)
            self.failures += 1
            if self.failures == TRIES:
                self.unable(f"{UNABLE}: {error}")
            return False
        self.ready.set()
        self.failures = 0
        return True

    def turn(self) -> None:
        agents = self.kept(names.AGENT_TLS, names.AGENT)
        routers = self.kept(names.ROUTER_TLS, names.ROUTER)
        self.presented.take(Identity(self.namespace, agents, routers))

    def kept(self, secret: str, program: str) -> Store:
        installed = Installed(
            self.api,
            self.namespace,
            secret,
            rotation(program, self.namespace),
            names.AGENT_MANAGER,
            self.metadata,
        )
        before = self.known.get(secret)
        store = installed.store(before, settled(before))
        self.known[secret] = store
        self.expires(secret, store.leaf.certificate.not_valid_after_utc)
        return store

    def metadata(self) -> Mapping[str, Any]:
        """Tied to the agents' Deployment, as all that the namespace has of ours."""
        agents = self.api.read("Deployment", names.AGENT, namespace=self.namespace)
        if agents is None:
            raise Missing(f"Deployment {self.namespace}/{names.AGENT} is not there", 404)
        owner = {key: agents[key] for key in ("apiVersion", "kind")}
        owner |= {"name": names.AGENT, "uid": agents["metadata"]["uid"]}
        labels = {NAME: names.AGENT, names.MANAGED_BY: names.OUTRIDER}
        return {"labels": labels, "ownerReferences": [owner]}


def settled(store: Store | None) -> Collection[x509.Certificate]:
    """Those that every router and every agent has heard of by now."""
    authorities = store.authorities if store else ()
    now = dt.datetime.now(dt.UTC)
    return frozenset(one for one in authorities if now - made_at(one) >= SETTLE)
