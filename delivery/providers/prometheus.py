"""Prometheus, and whatever speaks its HTTP API: Thanos, Mimir, VictoriaMetrics (reference, 7.4)."""

import json
from base64 import b64encode
from collections.abc import Iterator
from math import isnan
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode, urlsplit, urlunsplit

from delivery.providers.interface import (
    BadAnswer,
    BadSettings,
    MultipleValues,
    NoValues,
    Provider,
    Request,
    Settings,
    beginning,
    checked_header,
    http_address,
    refused,
    secret_value,
)

PATH = "/api/v1/query"
AUTHORIZATION = "Authorization"


def request(query: str, settings: Settings) -> Request:
    """An instant query; of a login in the Secret and one in the address the Secret's counts."""
    for problem in http_address(settings.address, "address"):
        raise BadSettings(problem)
    parts = urlsplit(settings.address)
    own = [
        checked_header(name, value) for name, values in settings.headers.items() for value in values
    ]
    login = credentials(settings, parts)
    if login:
        own = [(name, value) for name, value in own if name.title() != AUTHORIZATION]
        own.append(checked_header(AUTHORIZATION, login))
    host = parts.netloc.rpartition("@")[2]
    path = parts.path.rstrip("/") + PATH
    url = urlunsplit((parts.scheme, host, path, urlencode({"query": query}), ""))
    secrets = (*hidden(settings, parts), login, login.partition(" ")[2])
    return Request("GET", url, tuple(own), verify=not settings.insecure, secrets=secrets)


def credentials(settings: Settings, parts: SplitResult) -> str:
    """The Authorization header: a token, or a user name and a password."""
    if settings.secret is None:
        name, password = (unquote(part or "") for part in (parts.username, parts.password))
        return basic(name, password) if name or password else ""
    if token := secret_value(settings.secret, "token"):
        return f"Bearer {token}"
    name = secret_value(settings.secret, "username")
    password = secret_value(settings.secret, "password")
    if not name or not password:
        raise BadSettings('credentials have neither "token" nor "username" and "password"; add one')
    return basic(name, password)


def basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def hidden(settings: Settings, parts: SplitResult) -> Iterator[str]:
    """What no error may show: every value of the Secret and of the headers."""
    yield from (value.strip("\r\n") for value in (settings.secret or {}).values())
    yield from (value for values in settings.headers.values() for value in values)
    yield unquote(parts.password or "")


def parse(status: int, body: bytes) -> float:
    """The last series' value, as in Flagger; a query for one number sums its series up itself."""
    refused(status, body)
    values = list(numbers(results(body), body))
    if not values or isnan(values[-1]):
        raise NoValues
    return values[-1]


def results(body: bytes) -> list[Any]:
    try:
        match json.loads(body):
            case {"data": {"resultType": "scalar", "result": [_, str()] as value}}:
                return [{"value": value}]
            case {"data": {"result": list() as found}}:
                return found
    except (ValueError, RecursionError):
        pass
    raise unreadable(body)


def numbers(found: list[Any], body: bytes) -> Iterator[float]:
    for series in found:
        match series:
            case {"values": list()}:
                raise MultipleValues
            case {"value": [_, str() as text]}:
                try:
                    yield float(text)
                except ValueError:
                    raise unreadable(body) from None
            case _:
                raise unreadable(body)


def unreadable(body: bytes) -> BadAnswer:
    return BadAnswer(f"error unmarshaling result: no answer of Prometheus: '{beginning(body)}'")


PROMETHEUS = Provider(request, parse, needs=("address",), collapses=True)
