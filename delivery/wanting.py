"""What a Canary asks of Services that are its user's: it is looked for, and never written there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from delivery import apex, servable
from delivery.api.route import route_of
from delivery.canary import Canary
from delivery.covering import covers
from delivery.pair import Objects, named
from delivery.pods import Object
from delivery.serving import copies

SIDECARS = ("istio-proxy", "envoy")
"""Containers whose ports are nobody's to call, as in Flagger (reference, 5)."""


def wanting(canary: Canary, found: Objects) -> Iterator[str]:
    """Fields that halt a release until the Services are as they say, each with the reason."""
    if canary.embedded:
        yield from mirrors(canary, found)
    yield from taken(canary, found)
    service = named(found.services, canary.service)
    if service is None:
        yield from renamed(canary)
        return
    yield from port(canary, service)
    if canary.status.made and canary.status.apex == canary.service:
        yield from said_anew(canary, service)
    if not canary.external:
        # Else the router's own objects bear it.
        yield from metadata(canary, service)
    target = named(found.deployments, canary.target)
    if canary.words.port_discovery and target is not None:
        yield from ports(service, target)


def renamed(canary: Canary) -> Iterator[str]:
    """An adopted app keeps the Service that its users call, and never loses one to another name."""
    apart = canary.service not in ("", canary.target, canary.status.apex)
    if canary.status.apex and apart:
        yield (
            f"spec.service.name (Service {canary.service} is not there, and the app was adopted "
            f"with {canary.status.apex}: name that one, or write Service {canary.service} "
            "yourself, then both lead to the app)"
        )


def taken(canary: Canary, found: Objects) -> Iterator[str]:
    """Of an adopted app: one that is not yet is refused."""
    for name in occupied(canary, found.services) if canary.status.promoted else ():
        yield (
            f"spec.service.name (Service {name} is yours, and has a name that is needed for the "
            "pair; give it another one, or name another Service)"
        )


def occupied(canary: Canary, services: Iterable[Object]) -> Iterator[str]:
    """The names of the halves' Services that other Services have by chance."""
    needed = servable.pair_names(canary.service or canary.target)
    for service in services:
        if servable.name_of(service) in needed and not servable.is_half(service):
            yield servable.name_of(service)


def port(canary: Canary, service: Object) -> Iterator[str]:
    if leads_nowhere(canary, service):
        yield (
            f"spec.service.port (Service {canary.service} is yours, and has no port "
            f"{canary.words.port}; add it there, or name one that it has)"
        )


def said_anew(canary: Canary, service: Object) -> Iterator[str]:
    """Of a Service that was made as they said: it is not written again, users are on it."""
    words, ports = canary.words, apex.own_ports(service)
    wanted = {
        "targetPort": words.target_port,
        "appProtocol": words.app_protocol,
        "portName": words.port_name or "http",
    }
    for port in (one for one in ports if one["port"] == words.port):
        there = {**port, "portName": port.get("name", "")}
        for field, said in wanted.items():
            if (found := there.get(field, "")) != said:
                back = f"say {found} again" if found else "leave it out again"
                yield (
                    f"spec.service.{field} (Service {canary.service}, which was made, says "
                    f"{found or 'none'} and keeps it; change it there too, or {back})"
                )


def leads_nowhere(canary: Canary, service: Object | None) -> bool:
    """Whether requests to the port that the Canary names would find none."""
    wanted = canary.words.port
    if not wanted or service is None:
        return False
    return wanted not in (one["port"] for one in apex.ports_of(service))


def metadata(canary: Canary, service: Object) -> Iterator[str]:
    for field, said in (
        ("labels", canary.words.labels),
        ("annotations", canary.words.annotations),
    ):
        there = service["metadata"].get(field) or {}
        for key in sorted(said):
            if not covers(there, {key: said[key]}):
                yield (
                    f"spec.service.apex.{field} (Service {canary.service} is yours, and does not "
                    f"say {key}: {said[key]}; write it there)"
                )


def ports(service: Object, target: Object) -> Iterator[str]:
    """Container ports that the Service does not lead to, by number or by name."""
    led = {port["targetPort"] for port in apex.own_ports(service)}
    for port in container_ports(target):
        if not {port["containerPort"], port.get("name")} & led:
            yield (
                f"spec.service.portDiscovery (Service {service['metadata']['name']} is yours, and "
                f"has no port for containerPort {port['containerPort']}; add it there)"
            )


def container_ports(target: Object) -> Iterator[Mapping[str, Any]]:
    """Each with a name: one that has none is named as Flagger does it."""
    for container in target["spec"]["template"]["spec"].get("containers") or ():
        if container.get("name") not in SIDECARS:
            yield from (
                {"name": f"tcp-{container.get('name')}-{index}", **port}
                for index, port in enumerate(container.get("ports") or ())
                if port.get("protocol", "TCP") == "TCP"
            )


def mirrors(canary: Canary, found: Objects) -> Iterator[str]:
    for index, backend in enumerate(route_of(canary.words).mirrors):
        if not any(copies([backend], found.services)):
            yield (
                f"spec.service.mirror[{index}].backendRef (Service {backend.service} has no "
                f"address here, or no port {backend.port or 'of its own'}; create it, or name its "
                "port)"
            )
