"""Quantities as Kubernetes writes them."""

from decimal import Decimal

import pytest

from delivery.quantity import quantities, quantity, shown


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", "3"),
        (2, "2"),
        ("250m", "0.25"),
        ("1.5", "1.5"),
        ("100n", "0.0000001"),
        ("2k", "2000"),
        ("1Ki", "1024"),
        ("64Mi", "67108864"),
        ("2e3", "2000"),
        ("1E", "1000000000000000000"),
        ("5E-1", "0.5"),
    ],
)
def test_a_quantity_is_exact(text: object, number: str) -> None:
    assert quantity(text) == Decimal(number)


def test_what_is_no_quantity_says_how_one_is_written() -> None:
    with pytest.raises(ValueError, match="'many' is no quantity: write it as 250m"):
        quantity("many")


def test_nothing_said_is_nothing() -> None:
    assert quantities(None) == {}
    assert quantities({"cpu": "1"}) == {"cpu": Decimal(1)}


@pytest.mark.parametrize(
    ("text", "seen"),
    [("3", "3"), ("300m", "300m"), ("1500m", "1500m"), ("64Mi", "64Mi"), ("1.5Gi", "1536Mi")],
)
def test_it_is_shown_as_a_person_writes_it(text: str, seen: str) -> None:
    assert shown(quantity(text)) == seen
