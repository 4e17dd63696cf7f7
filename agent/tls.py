"""What this agent shows and believes towards routers; what is newer counts from the next handshake.

Agents and routers have an authority each: whoever shows a certificate of the one is one of those.
"""

import ssl
from dataclasses import dataclass

import grpc

from certs.secret import key_pem, pem
from certs.store import Store
from certs.tls import load
from delivery.names import ROUTER


@dataclass(frozen=True)
class Identity:
    """The certificates of one namespace, as they stand in its two Secrets."""

    namespace: str
    agents: Store
    routers: Store

    @property
    def router_host(self) -> str:
        """The name that a router's certificate is for."""
        return host(ROUTER, self.namespace)

    def same(self, other: "Identity") -> bool:
        return all(
            (one.authorities, one.leaf.certificate) == (two.authorities, two.leaf.certificate)
            for one, two in ((self.agents, other.agents), (self.routers, other.routers))
        )


def host(program: str, namespace: str) -> str:
    return f"{program}.{namespace}"


class Presented:
    """Replaced by one thread, read by every handshake."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.client = client_context(identity)
        self._given = identity

    def take(self, identity: Identity) -> None:
        if not identity.same(self.identity):
            self.client = client_context(identity)
            self.identity = identity

    def credentials(self) -> grpc.ServerCredentials:
        """For the ADS server: nobody is served who is no router of this namespace."""
        return grpc.dynamic_ssl_server_credentials(
            configuration(self.identity), self._newer, require_client_authentication=True
        )

    def _newer(self) -> grpc.ServerCertificateConfiguration | None:
        """Asked by gRPC at each handshake; None keeps what it has."""
        identity = self.identity
        if identity is self._given:
            return None
        self._given = identity
        return configuration(identity)


def configuration(identity: Identity) -> grpc.ServerCertificateConfiguration:
    shown = identity.agents.leaf
    pair = (key_pem(shown.key), pem(shown.certificate))
    return grpc.ssl_server_certificate_configuration([pair], identity.routers.published)


def client_context(identity: Identity) -> ssl.SSLContext:
    """For reading the routers' statistics."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.load_verify_locations(cadata=identity.routers.published.decode())
    return load(made, identity.agents.leaf)
