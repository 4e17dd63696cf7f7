"""A route as we make it: what the Canary says of the way to its app, in the Gateway API's words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from delivery.api.duration import duration, seconds
from delivery.canary import Canary
from delivery.routers import gateway_matches
from delivery.routers.gateway_filters import filters
from delivery.routers.marks import apex_name, made
from delivery.service_words import ServiceWords

JSON = Mapping[str, Any]

API_VERSION = "gateway.networking.k8s.io/v1"
GRPC = "GRPCRoute"
MATCHES: Mapping[str, Callable[[JSON], JSON]] = {
    "HTTPRoute": gateway_matches.http,
    GRPC: gateway_matches.grpc,
}


def as_made(canary: Canary, kind: str, rules: Sequence[JSON]) -> dict[str, Any]:
    said = canary.words
    spec: dict[str, Any] = {"parentRefs": [dict(one) for one in said.gateway_refs]}
    if said.hosts:
        spec["hostnames"] = list(said.hosts)
    spec["rules"] = list(rules)
    return made(canary, API_VERSION, kind, apex_name(canary), spec)


def base(canary: Canary, kind: str) -> dict[str, Any]:
    """The one rule that leads all requests to the Service; the API's own defaults are spelled out,
    or what it adds would look like somebody's change.
    """
    said = canary.words
    matches = [MATCHES[kind](one) for one in said.match]
    found: dict[str, Any] = {"matches": matches or whole(kind)}
    if filtered := list(filters(said)):
        found["filters"] = filtered
    if limits := timeouts(said):
        found["timeouts"] = limits
    found["backendRefs"] = [{"name": apex_name(canary), "port": said.port}]
    return {key: value for key, value in found.items() if value}


def whole(kind: str) -> list[JSON]:
    """A GRPCRoute means all calls where it has no match at all."""
    return [] if kind == GRPC else [{"path": gateway_matches.EVERY_PATH}]


def timeouts(said: ServiceWords) -> dict[str, str]:
    named = {"request": said.timeout, "backendRequest": said.backend_timeout}
    return {field: duration(seconds(text)) for field, text in named.items() if text}
