"""From Canaries and pods to what the routers serve: one application for each port of each app."""

from collections.abc import Iterator, Sequence

from delivery import apex, names
from delivery.canary import Canary, Phase
from delivery.pair import Objects, endpoints, named, pods_of
from delivery.pods import Object
from delivery.routers.envoy import Application, Endpoint, cluster_name


def applications(canary: Canary, objects: Objects) -> Iterator[Application]:
    """What the status intends, made safe by what is ready: no share goes to a half without pods."""
    service = named(objects.services, canary.status.apex)
    target = named(objects.deployments, canary.target)
    if canary.status.phase is Phase.NEW or service is None or target is None:
        return
    primary = named(objects.deployments, names.primary_name(canary.target))
    own = named(objects.services, names.suffixed(canary.service or canary.target, names.PRIMARY))
    serving = pods_of(objects, primary) if primary else []
    if closed := is_closed(canary):
        serving, own = pods_of(objects, target), service
    released = pods_of(objects, target, canary.status.observed)
    for port in apex.own_ports(service):
        listener = canary.status.ports.get(apex.number(port))
        if listener is None:
            continue
        first = addresses(serving, port["targetPort"])
        second = addresses(released, port["targetPort"])
        yield Application(
            name=canary.target,
            port=port["port"],
            listener=listener,
            primary=first,
            canary=second,
            fallback=fallback(own, port["port"]),
            canary_weight=weight(canary, first, second),
            closed=closed,
        )


def is_closed(canary: Canary) -> bool:
    """Given back: what still comes on old connections goes where the Service leads."""
    status = canary.status
    leaving = status.phase in (Phase.TERMINATING, Phase.TERMINATED)
    return leaving and status.scale is None


def weight(canary: Canary, first: tuple[Endpoint, ...], second: tuple[Endpoint, ...]) -> int:
    """The intended share; all of it goes to a canary under way while the primary has no pod."""
    intended = canary.status.canary_weight if second else 0
    return 100 if intended and not first else intended


def addresses(found: Sequence[Object], port: int | str) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(address, number) for address, number in endpoints(found, port))


def fallback(service: Object | None, port: int) -> Endpoint | None:
    """The primary's Service: kube-proxy knows its pods also when nobody tells the routers."""
    address = service["spec"].get("clusterIP") if service else None
    return Endpoint(address, port) if address and address != "None" else None


def clusters(canary: Canary, role: str) -> tuple[str, ...]:
    """The names under which the routers count one half's requests, one for each port."""
    return tuple(cluster_name(canary.target, int(port), role) for port in canary.status.ports)
