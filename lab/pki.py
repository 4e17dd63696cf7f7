"""Keys and certificates of a lab: an authority, a leaf for each program, and their kubeconfigs."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.layout import (
    API_ADDRESS,
    API_SERVICE_ADDRESS,
    CLUSTER_DOMAIN,
    NODE,
    NODE_ADDRESS,
    Layout,
)

LIFETIME = timedelta(days=365)
# Clocks of two programs on one machine agree, but a clock may be set back a little.
LEEWAY = timedelta(hours=1)

# program -> (user, group): what RBAC's built-in bindings expect.
CLIENTS = {
    "admin": ("lab-admin", "system:masters"),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "coredns": ("coredns", "system:masters"),
    "apiserver-kubelet": ("apiserver-kubelet", "system:masters"),
}
SERVERS = {
    "apiserver": (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
        "localhost",
        "127.0.0.1",
        NODE_ADDRESS,
        API_SERVICE_ADDRESS,
    ),
    "kubelet-server": (NODE, NODE_ADDRESS, "127.0.0.1"),
}


Extensions = tuple[tuple[x509.ExtensionType, bool], ...]

_CA_EXTENSIONS: Extensions = (
    (x509.BasicConstraints(ca=True, path_length=None), True),
    (
        x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        ),
        True,
    ),
)


class Pair(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def write(layout: Layout) -> None:
    """All of it, anew: nothing of an earlier lab is trusted."""
    layout.pki.mkdir(parents=True, exist_ok=True)
    layout.pki.chmod(0o700)
    authority = _authority("outrider-lab")
    front_proxy = _authority("outrider-lab-front-proxy")
    _save(layout, "ca", authority)
    _save(layout, "front-proxy-ca", front_proxy)
    _save(layout, "front-proxy", _client(front_proxy, "front-proxy", ""))
    _save(layout, "service-accounts", _authority("service-accounts"))
    for name, hosts in SERVERS.items():
        _save(layout, name, _server(authority, name, hosts))
    for name, (user, group) in CLIENTS.items():
        _save(layout, name, _client(authority, user, group))
        _write_private(kubeconfig(layout, name), json.dumps(_kubeconfig(layout, name), indent=1))


def kubeconfig(layout: Layout, name: str) -> Path:
    return layout.kubeconfig if name == "admin" else layout.pki / f"{name}.kubeconfig"


def _authority(name: str) -> Pair:
    return _sign(None, ((NameOID.COMMON_NAME, name),), _CA_EXTENSIONS)


def _client(authority: Pair, user: str, group: str) -> Pair:
    names = ((NameOID.COMMON_NAME, user), (NameOID.ORGANIZATION_NAME, group))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return _sign(authority, names[: 2 if group else 1], ((usage, False),))


def _server(authority: Pair, name: str, hosts: tuple[str, ...]) -> Pair:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    return _sign(authority, ((NameOID.COMMON_NAME, name),), ((usage, False), (names, False)))


def _sign(
    authority: Pair | None,
    names: tuple[tuple[x509.ObjectIdentifier, str], ...],
    extensions: Extensions,
) -> Pair:
    """By the authority, or by itself; with the key identifiers that strict verifiers demand."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in names])
    issuer = authority.key if authority else key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LEEWAY)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Pair(key, builder.sign(issuer, hashes.SHA256()))


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _save(layout: Layout, name: str, pair: Pair) -> None:
    private = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate = pair.certificate.public_bytes(serialization.Encoding.PEM)
    _write_private(layout.pki / f"{name}.key", private.decode())
    (layout.pki / f"{name}.crt").write_bytes(certificate)


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def _kubeconfig(layout: Layout, name: str) -> dict[str, object]:
    """JSON is YAML too; the keys stand inside, so that one file is all a client needs."""

    def inside(file: str) -> str:
        return base64.b64encode((layout.pki / file).read_bytes()).decode()

    cluster = {"server": API_ADDRESS, "certificate-authority-data": inside("ca.crt")}
    user = {
        "client-certificate-data": inside(f"{name}.crt"),
        "client-key-data": inside(f"{name}.key"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": name}}],
        "current-context": "lab",
    }
