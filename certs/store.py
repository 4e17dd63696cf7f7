"""Authorities and a leaf, and what is done next so that both are always good and believed."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from certs.authority import Fresh, Issued, Lives, authority, due, early, leaf, made_at, signed

Draw = Callable[[], Fresh]


@dataclass(frozen=True)
class Store:
    """All authorities are published, the last of them signs: the next can be trusted beforehand."""

    authorities: tuple[x509.Certificate, ...]
    authority_key: EllipticCurvePrivateKey
    leaf: Issued

    @property
    def newest(self) -> x509.Certificate:
        return self.authorities[-1]

    @property
    def published(self) -> bytes:
        """The caBundle: whoever holds a leaf of any of these authorities is believed."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.authorities)

    def covers(self, hosts: Collection[str]) -> bool:
        """Whether the leaf is for these hosts and of an authority that is published."""
        certificate = self.leaf.certificate
        try:
            said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, ValueError):
            return False
        named = set(said.value.get_values_for_type(x509.DNSName))
        return set(hosts) <= named and any(signed(certificate, by) for by in self.authorities)


@dataclass(frozen=True)
class Rotation:
    """One step at a time, each from the store alone: whichever replica comes first takes it.

    A new authority is published beside the old one; when that has been seen for a while
    (`trusted`), it signs a leaf; when the last leaf of the old one is at its end, the old one goes.
    """

    name: str
    hosts: Sequence[str]
    lives: Lives
    draw: Draw

    def first(self) -> Store:
        made = authority(self.draw(), self.name, self.lives.authority)
        return Store((made.certificate,), made.key, self.issued(made))

    def issued(self, by: Issued) -> Issued:
        return leaf(by, self.draw(), self.name, self.hosts, self.lives.leaf)

    def with_new_authority(self, store: Store) -> Store:
        made = authority(self.draw(), self.name, self.lives.authority)
        return Store((*store.authorities, made.certificate), made.key, store.leaf)

    def next(self, store: Store, trusted: Collection[x509.Certificate]) -> Store:
        """The same store while nothing is due."""
        now, current = self.draw().now, store.leaf.certificate
        if due(store.newest, now) or early(store.newest, now):
            return self.with_new_authority(store)
        over = now >= current.not_valid_after_utc or early(current, now)
        broken = over or not store.covers(self.hosts)
        follows = due(current, now) or not signed(current, store.newest)
        if broken or (follows and store.newest in trusted):
            made = self.issued(Issued(store.newest, store.authority_key))
            return replace(store, leaf=made)
        # All leaves but those of the newest authority were issued before it was made.
        if len(store.authorities) > 1 and now >= made_at(store.newest) + self.lives.leaf:
            return store if follows else replace(store, authorities=(store.newest,))
        return store
