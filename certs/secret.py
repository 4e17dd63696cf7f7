"""Keeps the Secret good, whichever replica comes first; all replicas serve what it holds."""

import base64
import datetime as dt
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from certs.authority import Fresh, Issued
from certs.store import Rotation, Store
from cluster.api import Api, Object
from cluster.errors import ClusterError, Conflict
from delivery.names import AUTHORITIES, CERTIFICATE, KEY

log = logging.getLogger(__name__)

TRIES = 5
AUTHORITY_KEY = "ca.key"


def drawn() -> Fresh:
    key = ec.generate_private_key(ec.SECP256R1())
    return Fresh(key, x509.random_serial_number(), dt.datetime.now(dt.UTC))


@dataclass(frozen=True)
class Installed:
    """The Secret's content, made or renewed where that is due.

    `metadata` is what a Secret that must be made gets beside its name; `renewed` hears what was
    done, in a word.
    """

    api: Api
    namespace: str
    secret: str
    rotation: Rotation
    manager: str
    metadata: Callable[[], Mapping[str, Any]]
    renewed: Callable[[str], None] = lambda what: None

    def store(
        self, known: Store | None = None, trusted: Collection[x509.Certificate] = ()
    ) -> Store:
        """Reads, takes the next step and writes; where another replica was faster, its word counts.

        `known` is what this replica serves: where the Secret is gone or holds rubbish, all is made
        anew beside it, so that nobody who believes it is disappointed.
        """
        for _ in range(TRIES):
            secret = self.found()
            found = read(secret.get("data") or {})
            store = self.following(found, known, trusted)
            if store is found or self.written(secret["metadata"]["resourceVersion"], store):
                if store is not found:
                    self.tell(found, store)
                return store
        raise Conflict(f"Secret {self.namespace}/{self.secret} changes all the time", 409)

    def following(
        self, found: Store | None, known: Store | None, trusted: Collection[x509.Certificate]
    ) -> Store:
        if found is not None:
            return self.rotation.next(found, trusted)
        return self.rotation.with_new_authority(known) if known else self.rotation.first()

    def found(self) -> Object:
        """The Secret; where it is gone, an empty one, as the manifests have it."""
        found = self.api.read("Secret", self.secret, namespace=self.namespace)
        if found is not None:
            return found
        log.warning("Secret %s/%s is not there; it is made anew", self.namespace, self.secret)
        manifest = {"apiVersion": "v1", "type": "Opaque", **self.target(**self.metadata())}
        return self.api.apply(manifest, manager=self.manager)

    def target(self, **metadata: Any) -> Object:
        named = {"name": self.secret, "namespace": self.namespace}
        return {"kind": "Secret", "metadata": {**named, **metadata}}

    def written(self, version: str, store: Store) -> bool:
        patch = {"metadata": {"resourceVersion": version}, "data": encoded(store)}
        try:
            self.api.merge(self.target(), patch, manager=self.manager)
        except ClusterError as error:
            if isinstance(error, Conflict) or error.status == 404:
                return False
            raise
        return True

    def tell(self, before: Store | None, after: Store) -> None:
        what = change(before, after)
        end = after.leaf.certificate.not_valid_after_utc
        log.info("rotation, step %s: the served certificate is good until %s", what, end)
        self.renewed(what)


def change(before: Store | None, after: Store) -> str:
    """What was done, in a word."""
    if before is None:
        return "made"
    if before.leaf.certificate != after.leaf.certificate:
        return "leaf"
    return "authority" if before.newest != after.newest else "retired"


def read(data: Mapping[str, str]) -> Store | None:
    """A Secret's data; None where it is empty, cannot be read, or does not fit together."""
    keys = (AUTHORITIES, AUTHORITY_KEY, CERTIFICATE, KEY)
    try:
        authorities, authority_key, chain, key = (base64.b64decode(data[one]) for one in keys)
        leaf = Issued(x509.load_pem_x509_certificates(chain)[0], key_of(key))
        known = tuple(x509.load_pem_x509_certificates(authorities))
        signer = Issued(known[-1], key_of(authority_key))
        fits = paired(leaf) and paired(signer)
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return Store(known, signer.key, leaf) if fits else None


def paired(issued: Issued) -> bool:
    return issued.certificate.public_key() == issued.key.public_key()


def encoded(store: Store) -> dict[str, str]:
    texts = {
        AUTHORITIES: store.published,
        AUTHORITY_KEY: key_pem(store.authority_key),
        CERTIFICATE: pem(store.leaf.certificate),
        KEY: key_pem(store.leaf.key),
    }
    return {key: base64.b64encode(text).decode() for key, text in texts.items()}


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: EllipticCurvePrivateKey) -> bytes:
    form, secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, secret)


def key_of(text: bytes) -> EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(text, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("not a key of ours")
    return key
