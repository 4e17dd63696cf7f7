"""Names of what Outrider makes fit into Kubernetes' limits and stay apart."""

import re

from hypothesis import given
from hypothesis import strategies as st

from delivery import names

LONG = "a" * 63
LABEL = "[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?"
NAME = rf"{LABEL}(\.{LABEL})?"


def test_halves_are_named_as_flagger_names_them() -> None:
    assert names.primary_name("web") == "web-primary"
    assert names.canary_name("web") == "web-canary"


def test_a_name_of_sixty_three_characters_is_kept_whole() -> None:
    assert names.primary_name("a" * 55) == "a" * 55 + "-primary"


def test_a_longer_name_is_shortened_with_a_hash_of_the_whole() -> None:
    shortened = names.primary_name(LONG)
    assert len(shortened) == 63
    assert shortened.startswith("a" * 40)
    assert shortened.endswith("-primary")
    assert shortened != names.primary_name("a" * 62)


@given(st.from_regex(NAME, fullmatch=True))
def test_a_half_has_a_valid_name_that_is_not_the_apps(name: str) -> None:
    half = names.primary_name(name)
    assert len(half) <= 63
    assert half != name
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", half)


@given(st.text())
def test_a_digest_is_a_small_number_that_does_not_change(text: str) -> None:
    assert names.digest(text) == names.digest(text) < 2**32


def test_the_digest_of_a_name_is_the_same_in_every_process() -> None:
    assert names.digest("web/80") == 2929284222
