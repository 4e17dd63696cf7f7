import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from certs.secret import change, encoded, read
from certs.store import Store
from tests.certs.test_store import MADE, TRUSTED, rotation

OTHER = rotation(first=70).first()


def same(one: Store | None, other: Store) -> bool:
    return one is not None and encoded(one) == encoded(other)


def test_what_is_written_is_read_again() -> None:
    assert same(read(encoded(MADE)), MADE)


@pytest.mark.parametrize("missing", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
@pytest.mark.parametrize("value", [None, "", "?", "bm90aGluZw=="])
def test_a_secret_that_cannot_be_read_is_none(missing: str, value: str | None) -> None:
    data = {key: text for key, text in encoded(MADE).items() if key != missing}
    assert read(data if value is None else {**data, missing: value}) is None


@pytest.mark.parametrize("key", ["ca.key", "tls.key"])
def test_a_key_of_another_certificate_is_none(key: str) -> None:
    assert read({**encoded(MADE), key: encoded(OTHER)[key]}) is None


def test_a_key_of_another_kind_is_none() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    form, secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, form, secret)
    assert read({**encoded(MADE), "tls.key": base64.b64encode(text).decode()}) is None


def test_each_step_has_its_word() -> None:
    both, leaf = rotation().with_new_authority(MADE), rotation(61).next(MADE, TRUSTED)
    words = [change(None, MADE), change(MADE, leaf), change(MADE, both), change(both, MADE)]
    assert words == ["made", "leaf", "authority", "authority"]
