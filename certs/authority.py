"""Certificates of our own, from keys and serials that the caller draws."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = dt.timedelta(days=3650)
LEAF_LIFE = dt.timedelta(days=90)
SKEW = dt.timedelta(minutes=5)
"""The API server's clock may be behind ours."""


@dataclass(frozen=True)
class Fresh:
    """What is drawn anew for each certificate, and the time it is made at."""

    key: EllipticCurvePrivateKey
    serial: int
    now: dt.datetime


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def authority(fresh: Fresh) -> Issued:
    name = named(f"outrider-webhook-ca-{fresh.serial % 16**8:08x}")
    builder = (
        begun(fresh, name, AUTHORITY_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
    )
    signed = builder.sign(fresh.key, SHA256(), ecdsa_deterministic=True)
    return Issued(signed, fresh.key)


def leaf(by: Issued, fresh: Fresh, hosts: Sequence[str]) -> Issued:
    """For a server that is called by any of the host names."""
    public = by.key.public_key()
    builder = (
        begun(fresh, named("outrider-webhook"), LEAF_LIFE)
        .issuer_name(by.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, hosts)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    signed = builder.sign(by.key, SHA256(), ecdsa_deterministic=True)
    return Issued(signed, fresh.key)


def due(certificate: x509.Certificate, now: dt.datetime) -> bool:
    """Whether no more than a third of its life is left."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return end - now <= (end - begin) / 3


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def begun(fresh: Fresh, subject: x509.Name, life: dt.timedelta) -> x509.CertificateBuilder:
    public = fresh.key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(fresh.serial)
        .not_valid_before(fresh.now - SKEW)
        .not_valid_after(fresh.now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    signs = signs_certificates
    return x509.KeyUsage(True, False, False, False, False, signs, signs, False, False)
