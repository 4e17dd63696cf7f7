"""What the Gateway API cannot say of a Canary, told at admission (reference, 6.4)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from delivery.api.canary import Canary, Provider
from delivery.api.duration import seconds
from delivery.api.matching import HTTPMatchRequest, StringMatch
from delivery.api.service import Service

PROVIDERS = (Provider.GATEWAYAPI_V1, Provider.GATEWAYAPI_V1BETA1)
GRPC = "grpc"
PATH = "spec.service"
NO_GATEWAY = (
    f"{PATH}.gatewayRefs: GatewayRefs must be specified when using Gateway API as a provider; "
    "name the Gateway that the route attaches to"
)
"""Flagger's sentence, with the field and the fix."""
HOSTNAME = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
NO_MATCHES = {
    "scheme": "scheme",
    "authority": "authority",
    "port": "port",
    "source_labels": "sourceLabels",
    "gateways": "gateways",
    "ignore_uri_case": "ignoreUriCase",
    "without_headers": "withoutHeaders",
    "source_namespace": "sourceNamespace",
}
NOT_OF_CALLS = {
    "rewrite": "rewrite",
    "cors_policy": "corsPolicy",
    "timeout": "timeout",
    "backend_timeout": "backendTimeout",
}


def speaks_grpc(said: Service) -> bool:
    return (said.app_protocol or "").lower() == GRPC


def gateway_can_say_it(canary: Canary) -> Iterator[str]:
    """Flagger drops what it cannot say, and then too many requests match."""
    if canary.spec.provider not in PROVIDERS:
        return
    said = canary.spec.service
    if said is None or not said.gateway_refs:
        yield NO_GATEWAY
    if said is None:
        return
    for rule in RULES:
        yield from rule(said)
    if speaks_grpc(said):
        yield from call_problems(canary, said)


def host_problems(said: Service) -> Iterator[str]:
    for index, host in enumerate(said.hosts or ()):
        if not HOSTNAME.fullmatch(host):
            yield (
                f'{PATH}.hosts[{index}]: "{host}" is no hostname of the Gateway API; '
                "use one such as shop.example.com, or none for all"
            )


def all_match_problems(said: Service) -> Iterator[str]:
    for index, match in enumerate(said.match or ()):
        yield from match_problems(f"{PATH}.match[{index}]", match, grpc=speaks_grpc(said))


def match_problems(path: str, match: HTTPMatchRequest, *, grpc: bool) -> Iterator[str]:
    for attribute, field in NO_MATCHES.items():
        if getattr(match, attribute):
            yield f"{path}.{field}: the Gateway API has no word for it; remove it"
    method = match.method.exact if match.method else None
    if match.method and method not in METHODS:
        yield (
            f"{path}.method: the Gateway API compares methods exactly; "
            f"use exact with one of {', '.join(METHODS)}"
        )
    uri = match.uri or StringMatch()
    if uri.exact is not None and not uri.exact.startswith("/"):
        yield f'{path}.uri.exact: "{uri.exact}" is no path; begin it with /'
    if grpc and (match.method or match.query_params or uri.regex or uri.suffix):
        yield (
            f"{path}: gRPC calls are matched by headers and by uri exact or prefix, "
            "as /package.Service/Method; use only these"
        )


def mirror_problems(said: Service) -> Iterator[str]:
    for index, mirror in enumerate(said.mirror or ()):
        if mirror.backend_ref.port is None:
            yield f"{PATH}.mirror[{index}].backendRef.port: is missing; add it"


def rewrite_problems(said: Service) -> Iterator[str]:
    if said.rewrite is None or said.rewrite.type != "ReplacePrefixMatch":
        return
    for index, match in enumerate(said.match or ()):
        uri = match.uri or StringMatch(prefix="/")
        if not (uri.prefix or "").startswith("/"):
            yield (
                f"{PATH}.rewrite.type: ReplacePrefixMatch wants a uri.prefix that begins with / "
                f"in match[{index}] too; use it there, or ReplaceFullPath"
            )


def cors_problems(said: Service) -> Iterator[str]:
    if said.cors_policy is None:
        return
    for index, origin in enumerate(said.cors_policy.allow_origins or ()):
        if origin.exact is None:
            yield (
                f"{PATH}.corsPolicy.allowOrigins[{index}]: the Gateway API compares origins "
                "exactly; use exact, also with a wildcard: https://*.example.com"
            )


def timeout_problems(said: Service) -> Iterator[str]:
    """What is no duration is told of every provider (routing_problems)."""
    try:
        whole, each = seconds(said.timeout or "0s"), seconds(said.backend_timeout or "0s")
    except ValueError:
        return
    if 0 < whole < each:
        yield (
            f"{PATH}.backendTimeout: {said.backend_timeout} is longer than timeout "
            f"{said.timeout}, which is of the whole request; exchange them"
        )


def call_problems(canary: Canary, said: Service) -> Iterator[str]:
    """What a GRPCRoute has no field for."""
    for attribute, field in NOT_OF_CALLS.items():
        if getattr(said, attribute):
            yield f"{PATH}.{field}: a route of gRPC calls has no such thing; remove it"
    matches: Any = canary.spec.analysis.match if canary.spec.analysis else ()
    for index, match in enumerate(matches or ()):
        if match.query_params:
            yield (f"spec.analysis.match[{index}].queryParams: gRPC calls have none; use headers")


RULES: tuple[Callable[[Service], Iterator[str]], ...] = (
    host_problems,
    all_match_problems,
    rewrite_problems,
    cors_problems,
    timeout_problems,
    mirror_problems,
)
