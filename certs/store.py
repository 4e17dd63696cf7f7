"""What the one Secret holds: the authorities, the newest one's key, the leaf and its key."""

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from certs.authority import Fresh, Issued, authority, due, leaf

AUTHORITIES, AUTHORITY_KEY, CHAIN, KEY = "ca.crt", "ca.key", "tls.crt", "tls.key"


@dataclass(frozen=True)
class Store:
    """All authorities are published, the last of them signs: the next can be trusted beforehand."""

    authorities: tuple[x509.Certificate, ...]
    authority_key: EllipticCurvePrivateKey
    leaf: Issued

    @property
    def published(self) -> bytes:
        """The caBundle: whoever holds a leaf of any of these authorities is believed."""
        return b"".join(map(pem, self.authorities))


def renewed(found: Store | None, hosts: Sequence[str], draw: Callable[[], Fresh]) -> Store:
    """The same store while it is good; else a new leaf, and a new authority where none can sign."""
    if found is None:
        first = authority(draw())
        return Store((first.certificate,), first.key, leaf(first, draw(), hosts))
    fresh = draw()
    if not due(found.leaf.certificate, fresh.now) and covers(found, hosts):
        return found
    signer = Issued(found.authorities[-1], found.authority_key)
    return Store(found.authorities, found.authority_key, leaf(signer, fresh, hosts))


def covers(store: Store, hosts: Sequence[str]) -> bool:
    """Whether the leaf is for these hosts and of a published authority."""
    certificate = store.leaf.certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    issuers = {one.subject for one in store.authorities}
    return set(hosts) <= set(names.get_values_for_type(x509.DNSName)) and (
        certificate.issuer in issuers
    )


def read(data: Mapping[str, str], now: dt.datetime) -> Store | None:
    """A Secret's data; None where it is empty, cannot be read, or its authority is at its end."""
    try:
        texts = {
            key: base64.b64decode(data[key]) for key in (AUTHORITIES, AUTHORITY_KEY, CHAIN, KEY)
        }
        authorities = tuple(x509.load_pem_x509_certificates(texts[AUTHORITIES]))
        certificate = x509.load_pem_x509_certificates(texts[CHAIN])[0]
        store = Store(
            authorities, key_of(texts[AUTHORITY_KEY]), Issued(certificate, key_of(texts[KEY]))
        )
    except (KeyError, ValueError, TypeError, binascii.Error):
        return None
    alive = authorities[-1].not_valid_after_utc > certificate.not_valid_after_utc
    paired = certificate.public_key() == store.leaf.key.public_key()
    return store if alive and paired and now < authorities[-1].not_valid_after_utc else None


def written(store: Store) -> dict[str, str]:
    texts = {
        AUTHORITIES: store.published,
        AUTHORITY_KEY: key_pem(store.authority_key),
        CHAIN: pem(store.leaf.certificate),
        KEY: key_pem(store.leaf.key),
    }
    return {key: base64.b64encode(text).decode() for key, text in texts.items()}


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_of(text: bytes) -> EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(text, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("not a key of ours")
    return key
