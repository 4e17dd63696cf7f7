"""What all metric providers share: the request to a backend, its settings, and what goes wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from delivery.frozen import frozen

TIMEOUT_SECONDS = 5.0
"""Flagger's, for all providers that do not say otherwise (reference, 7.4)."""
SHOWN = 300
"""Characters of a backend's own words in an error."""
HIDDEN = "***"
SHORTEST_SECRET = 4
"""What is shorter would be found everywhere in a text."""


class QueryError(ValueError):
    """There is no number; the message is the end of Flagger's text for it."""


class NoValues(QueryError):
    """The backend knows of none."""

    def __init__(self) -> None:
        super().__init__("no values found")


class MultipleValues(QueryError):
    """The query was not for one number at one time."""

    def __init__(self) -> None:
        super().__init__("query returned multiple values")


class BadAnswer(QueryError):
    """The backend refused, or said what cannot be read."""


class BadSettings(QueryError):
    """With these settings nothing can be asked; names the field, its value and the fix."""


@dataclass(frozen=True)
class Settings:
    """What a MetricTemplate says of its provider, with the Secret that it names, if any.

    `interval` is the metric's, `now` the moment of the question, both in seconds.
    """

    address: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=frozen, repr=False)
    secret: Mapping[str, str] | None = field(default=None, repr=False)
    insecure: bool = False
    region: str = ""
    interval: float = 60.0
    now: float = 0.0


@dataclass(frozen=True)
class Request:
    """One HTTP request. Nothing secret is shown by `repr`, and `redacted` takes it out of texts."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    timeout: float = TIMEOUT_SECONDS
    verify: bool = True
    proxy: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def redacted(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, HIDDEN)
        return text


@dataclass(frozen=True)
class Provider:
    """A backend: how it is asked, and what it answered.

    `needs` are the fields of `spec.provider` that must be set. `collapses` says that runs of white
    space in a query mean no more than one space.
    """

    request: Callable[[str, Settings], Request]
    parse: Callable[[int, bytes], float]
    needs: tuple[str, ...] = ()
    collapses: bool = False


def http_address(
    address: str,
    path: str = "spec.provider.address",
    example: str = "http://prometheus.monitoring:9090",
) -> Iterator[str]:
    """What is wrong with the URL of something that is to be asked."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", address):
        # The address may hold a password.
        shown = re.sub(r"\?.*", f"?{HIDDEN}", re.sub(r"//.*@", f"//{HIDDEN}@", address))
        yield f'{path}: "{shown}" is no URL; write for example {example}'


def checked_header(name: str, value: str) -> tuple[str, str]:
    """A header as it may be sent; a line break in it would begin another one."""
    if re.search(r"[\r\n\0]", name + value) or not name or not value.isprintable():
        raise BadSettings(f'header "{name}" holds a line break or is empty; take that out')
    return name, value


def secret_value(secret: Mapping[str, str], *keys: str) -> str:
    """The first of these keys that is there, without the line's end that `echo` leaves behind."""
    return next((secret[key].strip("\r\n") for key in keys if secret.get(key)), "")


def beginning(body: bytes) -> str:
    """The first words of an answer, for an error."""
    text = body.decode(errors="replace").strip()
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def refused(status: int, body: bytes) -> None:
    """Raises BadAnswer for what is no success."""
    if not 200 <= status <= 299:
        raise BadAnswer(f"error response: Status {status} text: {beginning(body)}")
