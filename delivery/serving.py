"""From Canaries and pods to what the routers serve: one application for each port of each app."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from delivery import apex, cookies, names, servable, source
from delivery.api.route import route_of
from delivery.canary import RESTING, Canary, Phase
from delivery.pair import Objects, endpoints, named, pods_of
from delivery.pods import Object
from delivery.route import Backend
from delivery.routers.envoy import Application, Endpoint, cluster_name
from delivery.routers.marks import half_name

KEPT = frozenset(Phase) - {Phase.NEW, Phase.TERMINATING, Phase.TERMINATED}
"""The phases of an app that stays."""


def applications(canary: Canary, objects: Objects) -> Iterator[Application]:
    """What the status intends, made safe by what is ready: no share goes to a half without pods."""
    target = named(objects.deployments, canary.target)
    if canary.status.phase is Phase.NEW or target is None:
        return
    primary = named(objects.deployments, names.primary_name(canary.target))
    own = primary_service(canary, objects)
    serving = pods_of(objects, primary) if primary else []
    if closed := is_closed(canary):
        serving = pods_of(objects, target)
    released = pods_of(objects, target, canary.status.observed)
    route = route_of(canary.words)
    copied = tuple(copies(route.mirrors, objects.services))
    for service, port, listener in routed(canary, objects.services):
        first = addresses(serving, port["targetPort"])
        second = addresses(released, port["targetPort"])
        yield Application(
            name=canary.target,
            service=further(canary, servable.name_of(service)),
            port=port["port"],
            listener=listener,
            primary=first,
            canary=second,
            fallback=fallback(service if closed else own, port["targetPort"]),
            canary_weight=weight(canary, first, second),
            closed=closed,
            sticky=service["spec"].get("sessionAffinity") == "ClientIP",
            matches=canary.analysis.match if canary.status.matched and second else (),
            mirror=canary.status.mirror_weight if second else 0,
            cookies=cookies.in_force(canary, has_pods=bool(second)),
            route=route,
            copied_to=copied,
        )


def primary_service(canary: Canary, objects: Objects) -> Object | None:
    found = named(objects.services, half_name(canary, names.PRIMARY))
    return found if found and servable.is_half(found) else None


def copies(wanted: Iterable[Backend], services: Sequence[Object]) -> Iterator[tuple[str, Endpoint]]:
    """Where the Services are that requests are copied to; one that is not there is passed over."""
    for backend in wanted:
        service = named(services, backend.service)
        address = service["spec"].get("clusterIP") if service else None
        port = service_port(service, backend.port) if service else None
        if port and address and address != "None":
            yield backend.service, Endpoint(address, port)


def service_port(service: Object, wanted: int) -> int | None:
    """None where the Service does not have it, or has several and none was named."""
    ports = [port["port"] for port in apex.ports_of(service)]
    if wanted:
        return wanted if wanted in ports else None
    return ports[0] if len(ports) == 1 else None


def routed(
    canary: Canary, services: Sequence[Object]
) -> Iterator[tuple[Object, Mapping[str, Any], int]]:
    """Each Service and port that has a listener, as its user wrote the port."""
    for name in service_names(canary):
        service = named(services, name)
        if service is None:
            continue
        found = apex.listeners(canary, service)
        for port in apex.own_ports(service):
            if (listener := found.get(apex.number(port))) is not None:
                yield service, port, listener


def further(canary: Canary, name: str) -> str:
    """A Service's name, but for the app's own. Whichever comes first, a listener has the same name
    for ever: routers refuse two that change their places.
    """
    return "" if name == canary.target else name


def service_names(canary: Canary) -> Sequence[str]:
    """The Services whose ports have listeners, each once; the first one first."""
    main = canary.status.apex
    return list(dict.fromkeys([main, *(apex.owner(main, key) for key in canary.status.ports)]))


def more_services(
    canary: Canary, target: Object, first: Object | None, objects: Objects
) -> tuple[tuple[Object, ...], tuple[Object, ...]]:
    """Those that are routed beside the first one, and those that were, and no longer can be."""
    reasons = servable.beside(first, target, objects.selecting, objects.deployments)
    able = {name for name, why in reasons.items() if not why}
    beside = (named(objects.services, name) for name in sorted(able))
    others = {*service_names(canary)} - {canary.status.apex, *able}
    strays = (named(objects.services, name) for name in sorted(others))
    return (
        tuple(one for one in beside if one),
        tuple(one for one in strays if one and not apex.is_unmarked(one)),
    )


def unroutable(canary: Canary, objects: Objects) -> Mapping[str, tuple[str, ...]]:
    """Services that an adopted app got later and that cannot be routed, and why."""
    target = named(objects.deployments, canary.target)
    if canary.status.phase not in KEPT or target is None:
        return {}
    first = named(objects.services, canary.status.apex)
    found = servable.beside(first, target, objects.selecting, objects.deployments)
    return {name: reasons for name, reasons in found.items() if reasons}


def still_routed(canary: Canary, services: Sequence[Object]) -> bool:
    """Whether a Service of the app leads to the routers."""
    found = (named(services, name) for name in service_names(canary))
    return any(service is not None and apex.leads_to_routers(service) for service in found)


def untried(canary: Canary, services: Sequence[Object]) -> set[int]:
    """The router's ports that a Service may move to next: only those need to be tried."""
    return {
        listener
        for service, _, listener in routed(canary, services)
        if canary.status.apex_moved is None or not apex.leads_to_routers(service)
    }


def is_moving(canary: Canary) -> bool:
    """Whether a release is under way, or its canary still ends requests."""
    status = canary.status
    return status.phase not in (Phase.NEW, *RESTING, Phase.INITIALIZING) or bool(status.scale)


def is_closed(canary: Canary) -> bool:
    """Given back: what still comes on old connections goes where the Service leads."""
    status = canary.status
    leaving = status.phase in (Phase.TERMINATING, Phase.TERMINATED)
    return leaving and status.scale is None


def weight(canary: Canary, first: tuple[Endpoint, ...], second: tuple[Endpoint, ...]) -> int:
    """The intended share; all of it goes to a canary under way while the primary has no pod."""
    if not second:
        return 0
    return 100 if canary.status.has_users and not first else canary.status.canary_weight


def addresses(found: Sequence[Object], port: int | str) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(address, number) for address, number in endpoints(found, port))


def fallback(service: Object | None, target: int | str) -> Endpoint | None:
    """A Service's way to that target port: kube-proxy knows its pods also when nobody tells the
    routers.
    """
    address = service["spec"].get("clusterIP") if service else None
    if service is None or not address or address == "None":
        return None
    ports = (one["port"] for one in apex.own_ports(service) if one["targetPort"] == target)
    port = next(ports, None)
    return None if port is None else Endpoint(address, port)


def clusters(canary: Canary, role: str) -> tuple[str, ...]:
    """The names of the counters that one half is judged by."""
    if (given := canary.analysis.source) is None:
        return router_clusters(canary, role)
    service = canary.status.apex or canary.service
    return source.series(given, canary.namespace, canary.target, service, role)


def router_clusters(canary: Canary, role: str) -> tuple[str, ...]:
    """The names under which the routers count one half's requests, one for each port; copies of
    requests are the canary's too.
    """
    owners = {key: apex.owner(canary.status.apex, key) for key in canary.status.ports}
    counted = (role, names.MIRROR) if role == names.CANARY else (role,)
    return tuple(
        cluster_name(canary.target, int(key.rpartition("/")[2]), one, further(canary, owner))
        for key, owner in owners.items()
        for one in counted
    )
