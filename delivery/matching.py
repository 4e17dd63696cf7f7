"""Which requests are meant: by headers, Cookie among them, query parameters, path and port."""

from dataclasses import dataclass, replace
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
    None of `without` may hold. The `path` is compared without the query, in `any_case` if so said;
    `:method`, `:authority` and `:scheme` count as headers. A `port` is the Service's.
    """

    headers: tuple[Comparison, ...] = ()
    parameters: tuple[Comparison, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    without: tuple[Comparison, ...] = ()
    path: Comparison | None = None
    any_case: bool = False
    port: int | None = None


def both(first: Match, second: Match) -> Match:
    """What either asks; a path is asked for by the first alone."""
    return replace(
        first,
        headers=first.headers + second.headers,
        parameters=first.parameters + second.parameters,
    )
