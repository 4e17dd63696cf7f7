"""Which requests are meant: by their headers, Cookie among them, and their query parameters."""

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a text is compared. CONTAINS is not for users; PRESENT asks for no text at all."""

    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"
    CONTAINS = "contains"
    PRESENT = "present"


@dataclass(frozen=True)
class Comparison:
    """Of the whole value of the header or parameter `name`; a regular expression is RE2's."""

    name: str
    way: Way
    text: str = ""


@dataclass(frozen=True)
class Match:
    """Conditions of which all must hold; in the order of their names, so that equal ones are so.

    `labels` are those of the caller's pod, which only a mesh can know.
    """

    headers: tuple[Comparison, ...] = ()
    parameters: tuple[Comparison, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
