"""Kubernetes quantities as exact numbers: 250m, 1.5, 64Mi, 2e3."""

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

Amounts = Mapping[str, Decimal]

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
WRITTEN = re.compile(r"([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)")
MEBI = Decimal(1024**2)


def quantity(text: Any) -> Decimal:
    found = WRITTEN.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity: write it as 250m, 1.5 or 64Mi")
    number, exponent, suffix = Decimal(found[1]), found[2], found[3] or ""
    if exponent:
        return number.scaleb(int(exponent))
    if suffix in BINARY:
        return number * Decimal(1024 ** BINARY[suffix])
    return number.scaleb(DECIMAL[suffix])


def quantities(found: Mapping[str, Any] | None) -> Amounts:
    return {name: quantity(text) for name, text in (found or {}).items()}


def shown(amount: Decimal) -> str:
    """As a person would write it, rounded up: 3, 250m, 64Mi."""
    if amount >= MEBI:
        return f"{whole(amount / MEBI)}Mi"
    if amount == amount.to_integral_value():
        return str(whole(amount))
    return f"{whole(amount * 1000)}m"


def whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_CEILING))
