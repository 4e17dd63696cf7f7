import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from certs.authority import Fresh, Issued, Lives, authority, due, leaf, made_at, signed

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
NAME = "outrider-webhook"
HOST = "outrider-webhook.outrider-system.svc"


def fresh(number: int) -> Fresh:
    return Fresh(ec.derive_private_key(number, ec.SECP256R1()), number, NOW)


LIVES = Lives()
AUTHORITY = authority(fresh(1), NAME, LIVES.authority)
LEAF = leaf(AUTHORITY, fresh(2), NAME, [HOST], LIVES.leaf)


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
        (authority(fresh(3), NAME, LIVES.authority), 0, HOST, False),
    ],
)
def test_a_leaf_is_believed(by: Issued, days: int, host: str, expected: bool) -> None:
    assert believed(LEAF, by, NOW + dt.timedelta(days=days), host) is expected


@pytest.mark.parametrize(("days", "expected"), [(0, False), (59, False), (60, True), (91, True)])
def test_a_leaf_is_due_when_a_third_is_left(days: int, expected: bool) -> None:
    assert due(LEAF.certificate, NOW + dt.timedelta(days=days)) is expected


def test_who_serves_with_it_may_call_with_it() -> None:
    policy = PolicyBuilder().store(Store([AUTHORITY.certificate])).time(NOW)
    assert policy.build_client_verifier().verify(LEAF.certificate, []).subjects


def test_the_same_draw_makes_the_same_certificate() -> None:
    assert authority(fresh(1), NAME, LIVES.authority).certificate == AUTHORITY.certificate


def test_lives_are_ten_years_and_ninety_days() -> None:
    assert AUTHORITY.certificate.not_valid_after_utc == NOW + dt.timedelta(days=3650)
    assert LEAF.certificate.not_valid_after_utc == NOW + dt.timedelta(days=90)


def test_a_leaf_ends_with_its_authority() -> None:
    by = authority(fresh(1), NAME, dt.timedelta(seconds=60))
    found = leaf(by, fresh(2), NAME, [HOST], dt.timedelta(seconds=90))
    assert found.certificate.not_valid_after_utc == by.certificate.not_valid_after_utc


@pytest.mark.parametrize(("minutes", "expected"), [(-6, False), (-5, True), (0, True)])
def test_a_clock_may_be_five_minutes_behind(minutes: int, expected: bool) -> None:
    assert believed(LEAF, AUTHORITY, NOW + dt.timedelta(minutes=minutes)) is expected


@pytest.mark.parametrize(("seconds", "expected"), [(0, False), (19, False), (20, True)])
def test_the_skew_is_no_part_of_a_life(seconds: int, expected: bool) -> None:
    found = leaf(AUTHORITY, fresh(2), NAME, [HOST], dt.timedelta(seconds=30)).certificate
    assert made_at(found) == NOW
    assert due(found, NOW + dt.timedelta(seconds=seconds)) is expected


def test_a_signature_tells_whose_leaf_it_is() -> None:
    other = authority(fresh(3), NAME, LIVES.authority).certificate
    assert signed(LEAF.certificate, AUTHORITY.certificate)
    assert not signed(LEAF.certificate, other)
    assert not signed(LEAF.certificate, LEAF.certificate)
