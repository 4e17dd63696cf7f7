"""Keeps the Secret good, whichever replica comes first; all replicas serve what it holds."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.authority import Fresh
from certs.store import Store, read, renewed, written
from cluster.api import Api
from cluster.errors import Conflict, Missing
from delivery import names

log = logging.getLogger(__name__)

TRIES = 5


def clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Installed:
    """The Secret's content, made or renewed where that is due; it must exist, empty at first."""

    api: Api
    namespace: str
    secret: str
    hosts: Sequence[str]
    now: Callable[[], dt.datetime] = clock

    def draw(self) -> Fresh:
        key = ec.generate_private_key(ec.SECP256R1())
        return Fresh(key, x509.random_serial_number(), self.now())

    def store(self) -> Store:
        """Reads, renews and writes; where another replica was faster, its content counts."""
        for _ in range(TRIES):
            secret = self.api.read("Secret", self.secret, namespace=self.namespace)
            if secret is None:
                raise Missing(f"Secret {self.namespace}/{self.secret} is not there", 404)
            found = read(secret.get("data") or {}, self.now())
            store = renewed(found, self.hosts, self.draw)
            if store is found or self.written(secret["metadata"]["resourceVersion"], store):
                return store
        raise Conflict(f"Secret {self.namespace}/{self.secret} changes all the time", 409)

    def written(self, version: str, store: Store) -> bool:
        metadata = {"name": self.secret, "namespace": self.namespace}
        target = {"kind": "Secret", "metadata": metadata}
        patch = {"metadata": {"resourceVersion": version}, "data": written(store)}
        try:
            self.api.merge(target, patch, manager=names.WEBHOOK_MANAGER)
        except Conflict:
            return False
        log.info(
            "wrote a new certificate, good until %s", store.leaf.certificate.not_valid_after_utc
        )
        return True
