import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from certs.authority import AUTHORITY_LIFE, LEAF_LIFE, Fresh, Issued, authority, due, leaf

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
HOST = "outrider-webhook.outrider-system.svc"


def fresh(number: int) -> Fresh:
    return Fresh(ec.derive_private_key(number, ec.SECP256R1()), number, NOW)


AUTHORITY = authority(fresh(1))
LEAF = leaf(AUTHORITY, fresh(2), [HOST])


def believed(found: Issued, by: Issued, when: dt.datetime, host: str = HOST) -> bool:
    policy = PolicyBuilder().store(Store([by.certificate])).time(when)
    try:
        policy.build_server_verifier(x509.DNSName(host)).verify(found.certificate, [])
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("by", "days", "host", "expected"),
    [
        (AUTHORITY, 0, HOST, True),
        (AUTHORITY, 89, HOST, True),
        (AUTHORITY, 91, HOST, False),
        (AUTHORITY, -1, HOST, False),
        (AUTHORITY, 0, "other.svc", False),
        (authority(fresh(3)), 0, HOST, False),
    ],
)
def test_a_leaf_is_believed(by: Issued, days: int, host: str, expected: bool) -> None:
    assert believed(LEAF, by, NOW + dt.timedelta(days=days), host) is expected


@pytest.mark.parametrize(("days", "expected"), [(0, False), (59, False), (60, True), (91, True)])
def test_a_leaf_is_due_when_a_third_is_left(days: int, expected: bool) -> None:
    assert due(LEAF.certificate, NOW + dt.timedelta(days=days)) is expected


def test_the_same_draw_makes_the_same_certificate() -> None:
    assert authority(fresh(1)).certificate == AUTHORITY.certificate


def test_lives_are_ten_years_and_ninety_days() -> None:
    assert AUTHORITY.certificate.not_valid_after_utc == NOW + AUTHORITY_LIFE
    assert LEAF.certificate.not_valid_after_utc == NOW + LEAF_LIFE
    assert (AUTHORITY_LIFE.days, LEAF_LIFE.days) == (3650, 90)
