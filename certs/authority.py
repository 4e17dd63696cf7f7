"""Certificates of our own, from keys and serials that the caller draws."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SKEW = dt.timedelta(minutes=5)
"""Another clock may be behind ours: that long before it was made, a certificate counts."""

BOTH_ENDS = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True)
class Lives:
    """How long an authority and a leaf count; a leaf ends with its authority at the latest."""

    authority: dt.timedelta = dt.timedelta(days=3650)
    leaf: dt.timedelta = dt.timedelta(days=90)


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


def authority(fresh: Fresh, name: str, life: dt.timedelta) -> Issued:
    """`name` is that of the one program whose certificates it signs."""
    subject = named(f"{name}-ca-{fresh.serial % 16**8:08x}")
    builder = (
        begun(fresh, subject, fresh.now + life)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
    )
    return Issued(builder.sign(fresh.key, SHA256(), ecdsa_deterministic=True), fresh.key)


def leaf(by: Issued, fresh: Fresh, name: str, hosts: Sequence[str], life: dt.timedelta) -> Issued:
    """For a program that is called by any of the host names, and that calls others."""
    public = by.key.public_key()
    end = min(fresh.now + life, by.certificate.not_valid_after_utc)
    builder = (
        begun(fresh, named(name), end)
        .issuer_name(by.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(BOTH_ENDS), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, hosts)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    return Issued(builder.sign(by.key, SHA256(), ecdsa_deterministic=True), fresh.key)


def made_at(certificate: x509.Certificate) -> dt.datetime:
    return certificate.not_valid_before_utc + SKEW


def due(certificate: x509.Certificate, now: dt.datetime) -> bool:
    """Whether no more than a third of its life is left."""
    end = certificate.not_valid_after_utc
    return end - now <= (end - made_at(certificate)) / 3


def early(certificate: x509.Certificate, now: dt.datetime) -> bool:
    """Whether it does not count yet: whoever made it has a clock that is far ahead."""
    return now < certificate.not_valid_before_utc


def signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def begun(fresh: Fresh, subject: x509.Name, end: dt.datetime) -> x509.CertificateBuilder:
    public = fresh.key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(fresh.serial)
        .not_valid_before(fresh.now - SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    signs = signs_certificates
    return x509.KeyUsage(True, False, False, False, False, signs, signs, False, False)
