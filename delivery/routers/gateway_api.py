"""The Gateway API as a router: a route of the app's name, made by us, or a user's taken over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from delivery import cookies, names
from delivery.api.gateway_api import NO_GATEWAY
from delivery.canary import Canary
from delivery.routers import gateway_parents
from delivery.routers.division import Division
from delivery.routers.gateway_routes import as_made, base
from delivery.routers.gateway_rules import Halves, Share, shares
from delivery.routers.gateway_takeover import given_back, is_taken, released, taken, written
from delivery.routers.interface import Found, Object, Restored
from delivery.routers.marks import apex_name, app_of, half_name, is_made, of_app

RULES, MATCHES, ALL_MATCHES = 16, 64, 128
"""What the API takes: rules in a route, matches in a rule, and matches in all of them."""
ENVOY_GATEWAY = "envoy-gateway"
"""Counts both halves as one where no backend has a filter (dialects.gateways)."""


@dataclass(frozen=True)
class GatewayApi:
    """Of one kind of route: HTTPRoute, or GRPCRoute for an app that speaks gRPC."""

    kind: str = "HTTPRoute"

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.kind,)

    def refused(self, canary: Canary, found: Found) -> str:
        route = self.route(canary, found)
        said = full(self.kind, apex_name(canary), canary.namespace)
        return next(refusals(canary, route, said, self.rules(fullest(canary), route)), "")

    def manifests(self, canary: Canary, found: Found) -> tuple[Object, ...]:
        route, rules = self.route(canary, found), self.rules(canary, self.route(canary, found))
        if route is None or is_made(route):
            return (as_made(canary, self.kind, rules),)
        if is_flaggers(route):
            return (claimed(route, as_made(canary, self.kind, rules)),)
        return (taken(route, rules, halves_of(canary), canary.target),)

    def restored(self, canary: Canary, found: Found) -> Restored:
        ours = [one for one in of_app(canary, found) if one["kind"] == self.kind]
        return Restored(
            written=tuple(given_back(one) for one in ours if not is_made(one)),
            deleted=tuple((self.kind, one["metadata"]["name"]) for one in ours if is_made(one)),
        )

    def unready(self, canary: Canary, found: Found) -> str:
        route = self.route(canary, found)
        return "" if route is None else gateway_parents.unready(route)

    def route(self, canary: Canary, found: Found) -> Object | None:
        return found.get((self.kind, apex_name(canary)))

    def rules(self, canary: Canary, route: Object | None) -> list[Mapping[str, Any]]:
        halves, division = halves_of(canary), intended(canary)
        if route is None or is_made(route) or is_flaggers(route):
            return list(released([base(canary, self.kind)], division, halves))
        return list(released(written(route, halves), division, halves))


def halves_of(canary: Canary) -> Halves:
    primary, second = (half_name(canary, role) for role in (names.PRIMARY, names.CANARY))
    source = canary.analysis.source
    apart = source is not None and source.dialect == ENVOY_GATEWAY
    return Halves(apex_name(canary), primary, second, canary.namespace, apart)


def intended(canary: Canary) -> tuple[Share, ...]:
    status = canary.status
    return shares(
        Division(
            weight=status.canary_weight,
            matches=canary.analysis.match if status.matched else (),
            mirror=status.mirror_weight,
            cookies=cookies.in_force(canary, has_pods=True),
        )
    )


def fullest(canary: Canary) -> Canary:
    """As it is in the middle of a release that needs every rule that it ever will."""
    said = canary.analysis
    status = replace(
        canary.status,
        canary_weight=0 if said.match else 50,
        matched=bool(said.match),
        mirror_weight=50 if said.mirror else 0,
        cookie="a=b",
        primary_cookie="c=d" if said.affinity and said.affinity.primary_cookie else "",
        previous_cookie="a=e",
    )
    return replace(canary, status=status)


def full(kind: str, name: str, namespace: str) -> str:
    return f"{kind} {name}.{namespace}"


def refusals(
    canary: Canary, route: Object | None, said: str, rules: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    if route is None or is_made(route) or is_flaggers(route):
        if not canary.words.gateway_refs:
            yield NO_GATEWAY
    else:
        halves, owner = halves_of(canary), app_of(route)
        if owner not in ("", canary.target):
            yield f"{said} is routed for {owner} already; give one of them another Service"
        if not any(is_taken(one, halves) for one in written(route, halves)):
            yield (
                f"{said}: none of its rules leads to Service {halves.apex}; "
                "add a backendRef to it, or give the route another name"
            )
    yield from too_many(said, rules)


def too_many(said: str, rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    counts = [len(one.get("matches") or ()) for one in rules]
    for found, limit, what in (
        (len(rules), RULES, "rules"),
        (max(counts, default=0), MATCHES, "matches in a rule"),
        (sum(counts), ALL_MATCHES, "matches"),
    ):
        if found > limit:
            yield (
                f"{said} would need {found} {what} in a release, and {limit} are allowed; "
                "say fewer in spec.service.match or spec.analysis.match, or in the route"
            )


def is_flaggers(route: Object) -> bool:
    owners = route["metadata"].get("ownerReferences") or ()
    return any(str(one.get("apiVersion", "")).startswith(names.GROUP) for one in owners)


def claimed(route: Object, ours: Object) -> Object:
    """Flagger's own becomes ours: it must not go with its Canary before nobody is led by it."""
    kept = {key: said for key, said in route["metadata"].items() if key != "ownerReferences"}
    labels = {**(kept.get("labels") or {}), **ours["metadata"]["labels"]}
    return {**route, "metadata": {**kept, "labels": labels}, "spec": ours["spec"]}
