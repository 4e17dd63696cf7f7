"""What all notifiers share: what is told, where to, and what goes wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from delivery.providers.interface import beginning

JSON = dict[str, Any]

TIMED_OUT, TOO_MANY = 408, 429
LONG = 8
"""Characters from which on a part of a path may be a key."""


class Undelivered(ValueError):
    """An alert did not arrive; `lasting` says that trying again changes nothing."""

    def __init__(self, text: str, *, lasting: bool = False) -> None:
        super().__init__(text)
        self.lasting = lasting


@dataclass(frozen=True)
class Notice:
    """All that is told of an alert; `at` is seconds since the epoch, `key` is the same each time
    that it is told.
    """

    name: str
    namespace: str
    target: str
    severity: str
    text: str
    phase: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    at: float = 0.0
    key: str = ""

    @property
    def whose(self) -> str:
        return f"{self.name}.{self.namespace}"


@dataclass(frozen=True)
class Destination:
    """What an AlertProvider says, with its Secret. Its address is a secret by itself: whoever
    knows it may write there."""

    address: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    channel: str = "general"
    username: str = "flagger"

    def secrets(self) -> Iterator[str]:
        """What no error may show."""
        yield from (self.address, self.token)
        if self.address:
            parts = urlsplit(self.address)
            long = (one for one in parts.path.split("/") if len(one) >= LONG)
            yield from (parts.path, parts.query, *long)
            yield from (one for one in (parts.username, parts.password) if one)


def accepted(status: int, body: bytes) -> None:
    """Raises Undelivered for what is no success; a receiver that is busy or broken may recover."""
    if 200 <= status <= 299:
        return
    passing = status >= 500 or status in (TIMED_OUT, TOO_MANY)
    raise Undelivered(f"Status {status} text: {beginning(body)}", lasting=not passing)


def as_given(address: str) -> str:
    return address


@dataclass(frozen=True)
class Notifier:
    """A chat system: the body of a message, where it is posted, and how its answer is read.

    `address` is where it is when nobody says; `needs_token` that a Secret must hold one.
    """

    body: Callable[[Notice, Destination], JSON]
    url: Callable[[str], str] = as_given
    read: Callable[[int, bytes], None] = accepted
    address: str = ""
    needs_token: bool = False
    shows_token: bool = True
    """Whether the token is said in a header; else it is part of the body."""
