"""The Service that clients call: where it led before us, and where it leads now."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from delivery import names
from delivery.canary import Canary
from delivery.observation import Observation
from delivery.pods import annotations_of, labels_of
from delivery.wiring import NOTHING, Wiring, behind, wiring

Service = Mapping[str, Any]

ROUTER_SELECTOR = {"app.kubernetes.io/name": names.ROUTER}


def number(port: Mapping[str, Any]) -> str:
    return str(port["port"])


def ports_of(apex: Service) -> Sequence[Mapping[str, Any]]:
    """None where the Service leads out of the cluster, or is a mere name for pods."""
    return apex["spec"].get("ports") or ()


def own_target(port: Mapping[str, Any]) -> int | str:
    """Kubernetes takes the port itself where no targetPort is given."""
    target: int | str = port.get("targetPort", port["port"])
    return target


def origin(apex: Service) -> Mapping[str, Any]:
    """The user's own selector and target ports, from before or beneath the routed ones.

    What is spoilt is made legible first (origins).
    """
    kept = wiring(annotations_of(apex).get(names.ORIGIN))
    if kept is None:
        return leads_to(apex)
    return {"selector": kept.selector or {}, "targetPorts": dict(own_targets(apex, kept))}


def own_targets(apex: Service, kept: Wiring) -> Iterator[tuple[str, int | str]]:
    """Where a port shows what is ours, it has the target that was kept, else its user wrote it.

    Ports come and change their numbers while they are routed, and a number that is edited by hand
    takes the routers' port along. While admission is down nobody notes any of that.
    """
    route = wiring(annotations_of(apex).get(names.ROUTE)) or NOTHING
    known = behind(route, kept)
    for port in ports_of(apex):
        name, target = number(port), own_target(port)
        ours = target in names.LISTENERS or target == route.ports.get(name)
        own = kept.ports.get(name, target) if ours else target
        yield name, known.get(target, own)


def forgotten(apex: Service) -> list[str]:
    """Ports that were routed while nobody kept where they led."""
    kept, route = (wiring(annotations_of(apex).get(one)) for one in (names.ORIGIN, names.ROUTE))
    if kept is None or route is None:
        return []
    unknown = (port for port in ports_of(apex) if own_target(port) in names.LISTENERS)
    routed = (number(port) for port in unknown if number(port) in route.ports)
    return [port for port in routed if port not in kept.ports]


def home(apex: Service, seen: Observation) -> Mapping[str, Any]:
    """The origin, in the target's labels where Flagger had pointed the Service at its primary."""
    found = origin(apex)
    if seen.primary is None or seen.target is None:
        return found
    if found["selector"] != seen.primary.manifest["spec"]["selector"]["matchLabels"]:
        return found
    labels = labels_of(seen.target.manifest["spec"]["template"])
    selector = {key: labels.get(key, value) for key, value in found["selector"].items()}
    return {**found, "selector": selector}


def own_ports(apex: Service) -> Sequence[Mapping[str, Any]]:
    """The Service's ports as the user wrote them."""
    targets = origin(apex)["targetPorts"]
    return [
        {**port, "targetPort": targets.get(number(port), own_target(port))}
        for port in ports_of(apex)
    ]


def leads_to(apex: Service) -> Mapping[str, Any]:
    """What the Service selects and targets now."""
    spec = apex["spec"]
    targets = {number(port): own_target(port) for port in ports_of(apex)}
    return {"selector": dict(spec.get("selector") or {}), "targetPorts": targets}


def leads_to_routers(apex: Service) -> bool:
    return bool(leads_to(apex)["selector"] == ROUTER_SELECTOR)


def key(main: str, apex: Service, port: str) -> str:
    """Under what the status knows a port: the first Service's by its number alone."""
    name = apex["metadata"]["name"]
    return port if name == main else f"{name}/{port}"


def keys(main: str, apex: Service) -> Mapping[str, str]:
    """Port number -> what the status knows it as."""
    return {number(port): key(main, apex, number(port)) for port in ports_of(apex)}


def owner(main: str, known_as: str) -> str:
    """The name of the Service that such a key is of."""
    name, found, _ = known_as.partition("/")
    return name if found else main


def listeners(canary: Canary, apex: Service) -> Mapping[str, int]:
    """Port number -> the router's port, where it has one."""
    known = canary.status.ports
    named = keys(canary.status.apex, apex)
    return {port: known[one] for port, one in named.items() if one in known}


def present(main: str, apexes: Sequence[Service]) -> Mapping[str, int]:
    """The router's ports that Services lead to now, by what the status would know them as."""
    return {
        key(main, apex, number(port)): int(port["targetPort"])
        for apex in apexes
        if leads_to_routers(apex)
        for port in ports_of(apex)
        if port.get("targetPort") in names.LISTENERS
    }


def listeners_open(canary: Canary, seen: Observation, apex: Service) -> bool:
    """Whether every ready router serves every port that the Service has, and there is one."""
    if not seen.routers.ready:
        return False
    found = listeners(canary, apex)
    return {found.get(number(port)) for port in ports_of(apex)} <= seen.routers.listening


def may_move(canary: Canary, seen: Observation) -> bool:
    """Whether every Service can lead where it should."""
    open_to_all = (listeners_open(canary, seen, one) for one in seen.apexes)
    return bool(seen.apexes) and (not canary.embedded or all(open_to_all))


def has_moved(canary: Canary, seen: Observation) -> bool:
    if canary.embedded:
        return bool(seen.apexes) and all(map(leads_to_routers, seen.apexes))
    wanted = ((one, wanted_route(canary, seen, one)) for one in seen.apexes)
    return bool(seen.apexes) and all(leads_to(one) == route for one, route in wanted)


def wanted_route(canary: Canary, seen: Observation, apex: Service) -> Mapping[str, Any] | None:
    """Where a Service should lead: the routers; the primary while none is ready; None: untouched.

    Once it leads to routers it stays there while one is ready: a ready router has its whole
    configuration (bootstrap.py), and a probe that failed once must not move users. Where none of
    ours is used it leads to the primary: the user's own selector would find the canary's pods too.
    An unfit app is not moved to them any more: a mesh, say, may not let them through.
    """
    if canary.status.apex_moved is None:
        return None
    routed, found = leads_to_routers(apex), listeners(canary, apex)
    ready = listeners_open(canary, seen, apex) or (routed and seen.routers.ready)
    if canary.embedded and ready and (routed or canary.status.is_asked or not seen.unfit):
        targets = {
            number(port): found.get(number(port), own_target(port)) for port in ports_of(apex)
        }
        return {"selector": ROUTER_SELECTOR, "targetPorts": targets}
    if seen.primary is None:
        return None
    selector = dict(seen.primary.manifest["spec"]["selector"]["matchLabels"])
    targets = {number(port): own_target(port) for port in own_ports(apex)}
    return {"selector": selector, "targetPorts": targets}


def leads_home(apex: Service, seen: Observation) -> bool:
    """Whether no word of ours is on it any more: not the route, not what it was before.

    One that Flagger has pointed at its primary was not there yet.
    """
    return is_unmarked(apex) and home(apex, seen) == origin(apex)


def is_unmarked(apex: Service) -> bool:
    annotations = annotations_of(apex)
    return names.ROUTE not in annotations and names.ORIGIN not in annotations


def said(apex: Service, seen: Observation, route: Mapping[str, Any]) -> Mapping[str, str]:
    """The annotations of a Service that leads where `route` says."""
    return {
        names.ROUTE: json.dumps(route, sort_keys=True),
        names.ORIGIN: json.dumps(home(apex, seen), sort_keys=True),
    }


def shown(apex: Service, route: Mapping[str, Any]) -> Mapping[str, Any]:
    """The merge patch that makes the Service lead where `route` says."""
    targets = route["targetPorts"]
    ports = [
        {**port, "targetPort": targets.get(number(port), port.get("targetPort"))}
        for port in ports_of(apex)
    ]
    # null removes the labels of the other selector: a merge patch would keep them.
    dropped = {key: None for key in apex["spec"].get("selector") or {}}
    return {"spec": {"selector": {**dropped, **route["selector"]}, "ports": ports}}
