import datetime as dt
import itertools
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from certs.authority import Fresh, Issued, Lives, signed
from certs.store import Rotation, Store
from tests.certs.test_authority import HOST, NAME, NOW, fresh

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
QUICK = Lives(60 * SECOND, 30 * SECOND)


class Draws:
    """Keys one after another, at a time that a test may move."""

    def __init__(self, now: dt.datetime = NOW, first: int = 10) -> None:
        self.now = now
        self.numbers = itertools.count(first)

    def __call__(self) -> Fresh:
        return replace(fresh(next(self.numbers)), now=self.now)


def rotation(days: float = 0, *, first: int = 50, hosts: tuple[str, ...] = (HOST,)) -> Rotation:
    return Rotation(NAME, hosts, Lives(), Draws(NOW + days * DAY, first))


MADE = rotation(first=10).first()
TRUSTED = frozenset(MADE.authorities)


@pytest.mark.parametrize("days", [0, 59.9])
def test_a_good_store_stays(days: float) -> None:
    assert rotation(days).next(MADE, TRUSTED) is MADE


def test_a_leaf_is_renewed_by_the_same_authority() -> None:
    store = rotation(61).next(MADE, TRUSTED)
    assert store.published == MADE.published
    assert store.leaf.certificate.not_valid_after_utc == NOW + 151 * DAY


def test_a_leaf_is_not_renewed_before_its_authority_is_trusted() -> None:
    assert rotation(61).next(MADE, ()) is MADE


def test_an_expired_leaf_is_renewed_whatever_is_published() -> None:
    assert rotation(91).next(MADE, ()).leaf.certificate.not_valid_after_utc == NOW + 181 * DAY


def test_a_leaf_for_other_hosts_is_replaced() -> None:
    assert rotation(hosts=(HOST, "other.svc")).next(MADE, ()).covers([HOST, "other.svc"])


def test_a_leaf_of_an_unpublished_authority_is_replaced() -> None:
    mixed = replace(MADE, leaf=rotation(first=70).first().leaf)
    assert signed(rotation().next(mixed, ()).leaf.certificate, MADE.newest)


def test_a_leaf_without_a_host_is_replaced() -> None:
    subject = x509.Name([])
    builder = x509.CertificateBuilder(subject, subject, MADE.authority_key.public_key(), 1)
    bare = builder.not_valid_before(NOW).not_valid_after(NOW + 90 * DAY)
    leaf = Issued(bare.sign(MADE.authority_key, SHA256()), MADE.authority_key)
    assert rotation().next(replace(MADE, leaf=leaf), ()).covers([HOST])


def test_a_new_authority_is_published_before_it_signs() -> None:
    both = rotation(2434).next(MADE, TRUSTED)
    assert both.authorities[0] == MADE.newest
    assert both.leaf == MADE.leaf
    assert both.published.startswith(MADE.published)
    assert both.authority_key.public_key() == both.newest.public_key()


def follow(lives: Lives, *, seconds: int, settle: int) -> list[Store]:
    """What is in the Secret, second by second; an authority is trusted when it has settled."""
    draws = Draws()
    rotating = Rotation(NAME, (HOST,), lives, draws)
    stores = [rotating.first()]
    for second in range(1, seconds):
        draws.now = NOW + second * SECOND
        settled = stores[max(0, second - settle)].authorities
        stores.append(rotating.next(stores[-1], settled if second >= settle else ()))
    return stores


FOLLOWED = follow(QUICK, seconds=300, settle=3)


def test_every_leaf_was_published_long_before_it_is_served() -> None:
    for second in range(3, len(FOLLOWED)):
        leaf, early = FOLLOWED[second].leaf.certificate, FOLLOWED[second - 3]
        assert any(signed(leaf, by) for by in early.authorities), second


def test_an_authority_goes_only_after_its_last_leaf() -> None:
    for second, (before, after) in enumerate(itertools.pairwise(FOLLOWED), start=1):
        for gone in set(before.authorities) - set(after.authorities):
            leaves = [
                one.leaf.certificate for one in FOLLOWED if signed(one.leaf.certificate, gone)
            ]
            assert max(one.not_valid_after_utc for one in leaves) <= NOW + second * SECOND


def test_what_is_served_is_never_at_its_end() -> None:
    for second, store in enumerate(FOLLOWED):
        left = store.leaf.certificate.not_valid_after_utc - NOW - second * SECOND
        assert left > 3 * SECOND, second


def test_both_rotate_and_nothing_piles_up() -> None:
    assert len({one.leaf.certificate for one in FOLLOWED}) >= 12
    assert len({one.newest for one in FOLLOWED}) >= 6
    assert max(len(one.authorities) for one in FOLLOWED) == 2


def test_what_was_lost_is_made_anew_beside_what_is_believed() -> None:
    store = rotation().with_new_authority(MADE)
    assert (store.leaf, store.authorities[0]) == (MADE.leaf, MADE.newest)
    after = rotation(first=80).next(store, store.authorities)
    assert signed(after.leaf.certificate, store.newest)


def test_after_years_switched_off_it_starts_again() -> None:
    store, late = MADE, rotation(3651)
    for _ in range(3):
        store = late.next(store, ())
    assert store.leaf.certificate.not_valid_after_utc == NOW + 3741 * DAY


def test_clocks_that_differ_by_minutes_agree() -> None:
    """Whoever renews, every other finds it good, and renews nothing again."""
    for ahead in range(-4, 5):
        made = rotation(61 + ahead / 1440).next(MADE, TRUSTED)
        for other in range(-4, 1):
            assert rotation(61 + (ahead + other) / 1440, first=90).next(made, TRUSTED) is made


@pytest.mark.parametrize("hours", [0.1, 24, 24 * 30])
def test_what_a_clock_far_ahead_has_made_is_made_again(hours: float) -> None:
    """Nobody else would believe it yet; the clock that is ahead finds the new one good too."""
    ahead = rotation(61 + hours / 24).next(MADE, TRUSTED)
    right = rotation(61, first=90).next(ahead, TRUSTED)
    assert right.leaf.certificate.not_valid_before_utc < NOW + 61 * DAY
    assert rotation(61 + hours / 24, first=95).next(right, TRUSTED) is right


def test_an_authority_from_the_future_is_followed_by_one_that_counts() -> None:
    future = rotation(1, first=40).first()
    store = rotation(0, first=90).next(future, ())
    assert store.authorities[0] == future.newest
    assert rotation(0, first=95).next(store, store.authorities).covers([HOST])
    assert store.newest.not_valid_before_utc < NOW
