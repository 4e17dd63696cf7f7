"""The certificate that is served; a newer one counts from the next connection on."""

import datetime as dt
import ssl
import time

from cryptography import x509

from certs.store import Store
from certs.tls import load


class Served:
    """Holds the newest certificate; read by every connection, replaced by one loop."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.context = context(store)

    def take(self, store: Store) -> None:
        if store.leaf.certificate != self.store.leaf.certificate:
            self.context = context(store)
        self.store = store

    @property
    def leaf(self) -> x509.Certificate:
        return self.store.leaf.certificate

    @property
    def expiry(self) -> dt.datetime:
        return self.leaf.not_valid_after_utc

    @property
    def expired(self) -> bool:
        return self.expiry.timestamp() <= time.time()


def context(store: Store) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return load(made, store.leaf)
