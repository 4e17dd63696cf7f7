"""Istio: a VirtualService divides the requests, DestinationRules say how the halves are called.

Source: the reference, 6.2 and 6.3, and Istio's description of its VirtualService.
"""

from typing import Any

from delivery import cookies, names
from delivery.canary import Canary
from delivery.pods import annotations_of
from delivery.routers import istio_taken as taking
from delivery.routers.division import Division
from delivery.routers.interface import Found, Object, Restored
from delivery.routers.istio_rules import (
    LISTS,
    Hosts,
    divided,
    host_of,
    is_divided,
    is_host,
    leads,
    request_match,
)
from delivery.routers.marks import apex_name, half_name, is_made, made, of_app

VERSION = "networking.istio.io/v1beta1"
"""Every Istio since 1.5 serves it, and those that serve v1 keep the same objects under both."""
SERVICE, RULE = "VirtualService", "DestinationRule"
MESH = "mesh"


class Istio:
    """See routers.interface.Router."""

    kinds = (RULE, SERVICE)

    def refused(self, canary: Canary, found: Found) -> str:
        hosts = hosts_of(canary)
        for name in (hosts.primary, hosts.canary):
            if (rule := found.get((RULE, name))) and not is_made(rule) and not is_owned(rule):
                return f"{RULE} {name} is not ours, its name is needed: rename it"
        virtual = found.get((SERVICE, hosts.apex))
        return "" if virtual is None else not_divisible(virtual, hosts)

    def manifests(self, canary: Canary, found: Found) -> tuple[Object, ...]:
        hosts = hosts_of(canary)
        rules = (called(canary, name) for name in (hosts.primary, hosts.canary))
        return (*rules, virtual_service(canary, found.get((SERVICE, hosts.apex)), hosts))

    def restored(self, canary: Canary, found: Found) -> Restored:
        ours = sorted(of_app(canary, found), key=lambda one: one["kind"] == RULE)
        return Restored(
            tuple(taking.restored(one) for one in ours if not is_made(one)),
            tuple((one["kind"], one["metadata"]["name"]) for one in ours if is_made(one)),
        )

    def unready(self, canary: Canary, found: Found) -> str:
        """Istio says nowhere that its proxies have followed; see rules.external.ROUTES_SETTLE."""
        return ""


def hosts_of(canary: Canary) -> Hosts:
    return Hosts(
        apex_name(canary),
        primary=half_name(canary, names.PRIMARY),
        canary=half_name(canary, names.CANARY),
        namespace=canary.namespace,
    )


def is_owned(found: Object) -> bool:
    """By a Canary, which nobody but Flagger writes there."""
    owners = found["metadata"].get("ownerReferences") or ()
    return any(one.get("kind") == "Canary" for one in owners)


def is_whole(virtual: Object, hosts: Hosts) -> bool:
    """Whether all of it is made from the Canary, and nothing in it is a user's."""
    mine = is_made(virtual) or (is_owned(virtual) and names.ORIGIN not in annotations_of(virtual))
    return mine and not any(leads(rule, hosts) for rule in taking.every_rule(virtual))


def not_divisible(virtual: Object, hosts: Hosts) -> str:
    """Why a VirtualService that is there cannot be taken over."""
    rules, where = taking.every_rule(virtual), f"{SERVICE} {hosts.apex}.{hosts.namespace}"
    for target in (one for rule in rules for one in rule.get("route") or ()):
        subset = (target.get("destination") or {}).get("subset")
        if subset and is_host(host_of(target), hosts.apex, hosts.namespace):
            return (
                f"{where} leads to subset {subset} of {hosts.apex}: "
                "the halves of a pair have no subsets, remove it"
            )
    if is_whole(virtual, hosts) or any(
        leads(one, hosts) or is_divided(one, hosts) for one in rules
    ):
        return ""
    return (
        f"{where} has no rule that leads to {hosts.apex}: "
        f"add one whose destination.host is {hosts.apex}, or delete it"
    )


def called(canary: Canary, host: str) -> Object:
    """How a half is called: as `trafficPolicy` says, else by Istio's defaults."""
    policy = {"trafficPolicy": dict(canary.words.traffic_policy)}
    spec = {"host": host, **(policy if canary.words.traffic_policy else {})}
    return made(canary, VERSION, RULE, host, spec, dressed=False)


def division(canary: Canary) -> Division:
    status = canary.status
    return Division(
        weight=status.canary_weight,
        matches=canary.analysis.match if status.matched else (),
        mirror=status.mirror_weight,
        cookies=cookies.in_force(canary, has_pods=True),
    )


def virtual_service(canary: Canary, found: Object | None, hosts: Hosts) -> Object:
    if found is None or is_whole(found, hosts):
        return made(canary, VERSION, SERVICE, hosts.apex, whole(canary, hosts))
    before = taking.as_written(found, hosts)
    if taking.is_flaggers(found, hosts):
        spec = whole(canary, hosts)
    else:
        lists = {key: before[key] for key in LISTS if key in before}
        spec = before | {
            key: divided(key, rules, hosts, division(canary)) for key, rules in lists.items()
        }
    return taking.taken(found, spec, before, app=canary.target, hosts=hosts)


def whole(canary: Canary, hosts: Hosts) -> dict[str, Any]:
    """The spec where no user wrote one: all of it from `spec.service`."""
    said = canary.words
    kind = "tcp" if said.app_protocol.lower() == "tcp" else "http"
    rule = tcp_rule(canary) if kind == "tcp" else http_rule(canary)
    route = {kind: divided(kind, [rule], hosts, division(canary))}
    if said.delegation:
        return route
    own = any(one == "*" or is_host(one, hosts.apex, hosts.namespace) for one in said.hosts)
    names_of = [*said.hosts, *([] if own else [hosts.apex])]
    return {"hosts": names_of, "gateways": list(said.gateways or (MESH,)), **route}


def http_rule(canary: Canary) -> dict[str, Any]:
    """As its user would write it for the app as a whole."""
    said = canary.words
    rewrite = {key: said.rewrite[key] for key in ("uri", "authority") if key in said.rewrite}
    rule = {
        "match": [request_match(one) for one in said.match],
        "rewrite": rewrite,
        "timeout": said.timeout,
        "retries": dict(said.retries),
        "corsPolicy": dict(said.cors_policy),
        "headers": dict(said.headers),
    }
    return {key: value for key, value in rule.items() if value} | {"route": [app(canary)]}


def tcp_rule(canary: Canary) -> dict[str, Any]:
    ports = [{"port": one["port"]} for one in canary.words.match if "port" in one]
    return {**({"match": ports} if ports else {}), "route": [app(canary)]}


def app(canary: Canary) -> dict[str, Any]:
    """A gateway cannot know the port by the caller's."""
    said = canary.words
    called_from_outside = said.delegation or (said.gateways or (MESH,))[0] != MESH
    destination: dict[str, Any] = {"host": apex_name(canary)}
    if said.port_discovery and called_from_outside:
        destination["port"] = {"number": said.port}
    return {"destination": destination}
