"""What is wrong with the route of `spec.service`, told at admission with the fix."""

import re
from collections.abc import Iterator, Mapping, Sequence

from delivery.api.canary import Canary, Provider
from delivery.api.duration import seconds
from delivery.api.matching import HTTPMatchRequest, StringMatch
from delivery.api.service import CorsPolicy, HeaderOperations, HTTPRetry, HTTPRewrite, Service
from delivery.api.strategies import (
    HEADER,
    parameters_can_be_compared,
    texts_can_be_compared,
)

SERVICE = "spec.service"
WORDS = (
    *("5xx", "gateway-error", "reset", "reset-before-request", "connect-failure"),
    *("refused-stream", "retriable-4xx", "retriable-status-codes", "retriable-headers"),
    *("envoy-ratelimited", "http3-post-connect-failure"),
    *("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"),
)
"""Envoy's, of HTTP and of gRPC; a status such as 503 is Istio's way to name that alone."""
STATUSES = range(100, 600)
MOST_ATTEMPTS = 100
REWRITES = ("ReplaceFullPath", "ReplacePrefixMatch")
COMMAND = re.compile(r"%[A-Z][A-Z0-9_]*(\([^)]*\))?(:\d+)?%")
UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
PATH = re.compile(r"/[!-~]*")


def route_problems(canary: Canary) -> Iterator[str]:
    service = canary.spec.service
    if service is None:
        return
    yield from lengths_can_be_waited(service)
    if service.retries:
        yield from retries_can_be_made(f"{SERVICE}.retries", service.retries)
    for index, one in enumerate(service.match or ()):
        yield from match_can_be_told(f"{SERVICE}.match[{index}]", one)
    if service.rewrite:
        yield from rewrite_leads_somewhere(f"{SERVICE}.rewrite", service.rewrite)
    if service.cors_policy:
        yield from origins_can_be_compared(f"{SERVICE}.corsPolicy", service.cors_policy)
    is_ours = canary.spec.provider in (None, Provider.ENVOY)
    headers = service.headers
    for side, said in (
        ("request", headers.request if headers else None),
        ("response", headers.response if headers else None),
    ):
        yield from headers_can_be_changed(f"{SERVICE}.headers.{side}", said, side, is_ours=is_ours)


def lengths_can_be_waited(service: Service) -> Iterator[str]:
    """None means no limit, and so does 0s."""
    retries, cors = service.retries, service.cors_policy
    for name, text in (
        ("timeout", service.timeout),
        ("backendTimeout", service.backend_timeout),
        ("retries.perTryTimeout", retries.per_try_timeout if retries else None),
        ("corsPolicy.maxAge", cors.max_age if cors else None),
    ):
        try:
            length = seconds(text or "0s")
        except ValueError as error:
            yield f"{SERVICE}.{name}: {error}"
            continue
        if 0 < length < 0.001:
            yield f'{SERVICE}.{name}: "{text}" is too short; use 1ms or more, or 0s for no limit'


def retries_can_be_made(path: str, said: HTTPRetry) -> Iterator[str]:
    attempts = said.attempts or 0
    if not 0 <= attempts <= MOST_ATTEMPTS:
        yield f"{path}.attempts: {attempts} is out of range; use 0 to {MOST_ATTEMPTS}"
    for word in (said.retry_on or "").split(","):
        asked = word.strip()
        known = int(asked) in STATUSES if asked.isdecimal() else asked in ("", *WORDS)
        if not known:
            yield (
                f'{path}.retryOn: "{asked}" is not known; use {", ".join(WORDS)}, '
                "or a status such as 503"
            )


def match_can_be_told(path: str, said: HTTPMatchRequest) -> Iterator[str]:
    single = {
        name: one
        for name, one in (
            ("uri", said.uri),
            ("method", said.method),
            ("authority", said.authority),
            ("scheme", said.scheme),
        )
        if one is not None
    }
    yield from texts_can_be_compared(path, single)
    for name, several in (("headers", said.headers), ("withoutHeaders", said.without_headers)):
        yield from texts_can_be_compared(f"{path}.{name}", several or {})
        yield from headers_are_named(f"{path}.{name}", several or {})
    yield from parameters_can_be_compared(f"{path}.queryParams", said.query_params or {})


def headers_are_named(path: str, names: Sequence[str] | Mapping[str, object]) -> Iterator[str]:
    for name in names:
        if not HEADER.fullmatch(name):
            yield f'{path}: "{name}" is no header; use a name such as x-beta'


def rewrite_leads_somewhere(path: str, said: HTTPRewrite) -> Iterator[str]:
    if said.uri and (not PATH.fullmatch(said.uri) or set("?#") & set(said.uri)):
        yield f'{path}.uri: "{said.uri}" is no path; begin with /, without a query or blanks'
    if said.authority and not HOST.fullmatch(said.authority):
        yield f'{path}.authority: "{said.authority}" is no host; write shop.example.com'
    if said.type and said.type not in REWRITES:
        yield f'{path}.type: "{said.type}" is not known; use {" or ".join(REWRITES)}'


def origins_can_be_compared(path: str, said: CorsPolicy) -> Iterator[str]:
    for index, one in enumerate(said.allow_origins or ()):
        named: Mapping[str, StringMatch] = {f"allowOrigins[{index}]": one}
        yield from texts_can_be_compared(path, named)
    for name, words in (
        ("allowMethods", said.allow_methods),
        ("allowHeaders", said.allow_headers),
        ("exposeHeaders", said.expose_headers),
    ):
        for word in words or ():
            if not all(HEADER.fullmatch(one.strip()) for one in word.split(",")):
                yield f'{path}.{name}: "{word}" is no word of HTTP; use a name such as GET, x-token'


def headers_can_be_changed(
    path: str, said: HeaderOperations | None, side: str, *, is_ours: bool
) -> Iterator[str]:
    if said is None:
        return
    for name, pairs in (("add", said.add or {}), ("set", said.set or {})):
        settable = (
            {one for one in pairs if is_host(one)} if (name, side) == ("set", "request") else set()
        )
        yield from headers_may_be_changed(
            f"{path}.{name}", [one for one in pairs if one not in settable]
        )
        for header, value in pairs.items():
            yield from value_can_be_sent(f"{path}.{name}.{header}", value, is_ours=is_ours)
    yield from headers_may_be_changed(f"{path}.remove", said.remove or ())


def is_host(name: str) -> bool:
    return name.lower() in ("host", ":authority")


def headers_may_be_changed(path: str, names: Sequence[str]) -> Iterator[str]:
    """Envoy would refuse the whole route."""
    for name in names:
        if is_host(name) or name.startswith(":"):
            yield f'{path}: "{name}" cannot be changed there; use spec.service.rewrite.authority'
        else:
            yield from headers_are_named(path, [name])


def value_can_be_sent(path: str, value: str, *, is_ours: bool) -> Iterator[str]:
    if UNSENDABLE.search(value):
        yield f"{path}: has a character that no header may have; leave line breaks out"
    elif is_ours and (found := COMMAND.search(value)):
        yield f"{path}: {found[0]} would be sent as it is written; write a text"
