"""The Service that clients call: where it led before us, and where it leads now."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from delivery import names
from delivery.canary import Canary
from delivery.observation import Observation
from delivery.pods import annotations_of, labels_of

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
    """The user's own selector and target ports, from before or beneath the routed ones."""
    kept = annotations_of(apex).get(names.ORIGIN)
    if kept:
        found = json.loads(kept)
        return {key: found.get(key) or {} for key in ("selector", "targetPorts")}
    spec = apex["spec"]
    targets = {number(port): own_target(port) for port in ports_of(apex)}
    return {"selector": dict(spec.get("selector") or {}), "targetPorts": targets}


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


def listeners_open(canary: Canary, seen: Observation) -> bool:
    """Whether every ready router serves every port that the apex has, and there is one."""
    if seen.apex is None or not seen.routers.ready:
        return False
    ports = map(number, ports_of(seen.apex))
    return {canary.status.ports.get(port) for port in ports} <= seen.routers.listening


def wanted_route(canary: Canary, seen: Observation) -> Mapping[str, Any] | None:
    """Where the apex should lead: the routers; the primary while none is ready; None: untouched.

    Once it leads to routers it stays there while one is ready: a ready router has its whole
    configuration (bootstrap.py), and a probe that failed once must not move users.
    """
    if canary.status.apex_moved is None or seen.apex is None:
        return None
    routed = leads_to_routers(seen.apex)
    if listeners_open(canary, seen) or (routed and seen.routers.ready):
        listeners = canary.status.ports
        targets = {
            number(port): listeners.get(number(port), own_target(port))
            for port in ports_of(seen.apex)
        }
        return {"selector": ROUTER_SELECTOR, "targetPorts": targets}
    if seen.primary is None:
        return None
    selector = dict(seen.primary.manifest["spec"]["selector"]["matchLabels"])
    targets = {number(port): own_target(port) for port in own_ports(seen.apex)}
    return {"selector": selector, "targetPorts": targets}


def leads_home(apex: Service, seen: Observation) -> bool:
    """Whether no word of ours is on it any more: not the route, not what it was before.

    One that Flagger has pointed at its primary was not there yet.
    """
    annotations = annotations_of(apex)
    unspoken = names.ROUTE not in annotations and names.ORIGIN not in annotations
    return unspoken and home(apex, seen) == origin(apex)


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


def allocated(name: str, ports: Sequence[str], taken: frozenset[int]) -> Mapping[str, int]:
    """A router port for each port of an app: where its name hashes to, then the next free one.

    Starting from the name's hash keeps a freed port from going to the next app that comes.
    """
    found: dict[str, int] = {}
    used = set(taken)
    for port in ports:
        start = names.digest(f"{name}/{port}")
        candidate = next(
            chosen
            for step in range(len(names.LISTENERS))
            if (chosen := names.LISTENERS[(start + step) % len(names.LISTENERS)]) not in used
        )
        found[port] = candidate
        used.add(candidate)
    return found
