import datetime as dt
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from certs.authority import Fresh
from certs.store import Store, key_of, read, renewed, written
from tests.certs.test_authority import HOST, NOW, fresh

DAY = dt.timedelta(days=1)


class Draws:
    """Keys one after another, at a time that a test may move."""

    def __init__(self, now: dt.datetime = NOW, first: int = 10) -> None:
        self.now = now
        self.numbers: Iterator[int] = iter(range(first, first + 100))

    def __call__(self) -> Fresh:
        drawn = fresh(next(self.numbers))
        return Fresh(drawn.key, drawn.serial, self.now)


def made() -> Store:
    return renewed(None, [HOST], Draws())


def same(one: Store | None, other: Store) -> bool:
    return one is not None and written(one) == written(other)


def test_what_is_written_is_read_again() -> None:
    assert same(read(written(made()), NOW), made())


def test_a_good_store_stays() -> None:
    store = made()
    assert renewed(store, [HOST], Draws(NOW + 59 * DAY)) is store


def test_a_leaf_is_renewed_by_the_same_authority() -> None:
    store = renewed(made(), [HOST], Draws(NOW + 61 * DAY, first=50))
    assert store.published == made().published
    assert store.leaf.certificate.not_valid_after_utc == NOW + 151 * DAY


def test_a_leaf_for_other_hosts_is_replaced() -> None:
    assert not same(renewed(made(), [HOST, "other.svc"], Draws(first=50)), made())


def test_a_leaf_of_an_unpublished_authority_is_replaced() -> None:
    other = renewed(None, [HOST], Draws(first=70))
    mixed = Store(made().authorities, made().authority_key, other.leaf)
    store = renewed(mixed, [HOST], Draws(first=50))
    assert store.leaf.certificate.issuer == made().authorities[0].subject


def test_all_authorities_are_published() -> None:
    old, new = made(), renewed(None, [HOST], Draws(first=70))
    both = Store((*old.authorities, *new.authorities), new.authority_key, old.leaf)
    assert both.published == old.published + new.published
    assert renewed(both, [HOST], Draws()) is both


@pytest.mark.parametrize("missing", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
@pytest.mark.parametrize("value", [None, "", "?", "bm90aGluZw=="])
def test_a_secret_that_cannot_be_read_is_none(missing: str, value: str | None) -> None:
    data = {key: text for key, text in written(made()).items() if key != missing}
    assert read(data if value is None else {**data, missing: value}, NOW) is None


def test_a_key_that_is_not_the_leafs_is_none() -> None:
    other = written(renewed(None, [HOST], Draws(first=70)))
    assert read({**written(made()), "tls.key": other["tls.key"]}, NOW) is None


def test_an_authority_at_its_end_is_none() -> None:
    assert read(written(made()), NOW + 3651 * DAY) is None


def test_a_key_of_another_kind_is_refused() -> None:
    text = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(TypeError):
        key_of(text)
