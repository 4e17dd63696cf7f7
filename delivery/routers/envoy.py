"""The embedded router: what Envoy must be told so that each app's traffic is split as decided."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from envoy.config.core.v3.address_pb2 import Address, SocketAddress
from envoy.config.endpoint.v3 import endpoint_components_pb2 as endpoints_pb2
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3 import listener_components_pb2 as chains_pb2
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3 import route_components_pb2 as routes_pb2
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.wrappers_pb2 import BoolValue

from delivery.cookies import Cookies
from delivery.matching import Match
from delivery.names import CANARY, MIRROR, PRIMARY, UNMATCHED
from delivery.route import Limits, Route
from delivery.routers import resilience, splits, transparent
from delivery.routers.division import EVERYTHING, Division

_TYPE = "type.googleapis.com/envoy.config."
CDS = f"{_TYPE}cluster.v3.Cluster"
EDS = f"{_TYPE}endpoint.v3.ClusterLoadAssignment"
LDS = f"{_TYPE}listener.v3.Listener"
RDS = f"{_TYPE}route.v3.RouteConfiguration"
MAKE_BEFORE_BREAK = (CDS, EDS, LDS, RDS)
"""The order in which a change is sent, so that nothing names what is not there yet."""
ROLES = (PRIMARY, CANARY, MIRROR, UNMATCHED)


@dataclass(frozen=True)
class Endpoint:
    address: str
    port: int


Pods = tuple[Endpoint, ...]


@dataclass(frozen=True)
class Application:
    """One port of one managed app, as the routers serve it.

    `name` is the target's, `port` the apex Service's, `listener` the router's own; `service` is
    the Service's name where it is not the app's. `primary` and `canary` are the ready
    pods; `fallback` is the X-primary Service's ClusterIP. A `closed` one takes no new connection:
    those it has are served, and told to close with their next answer. A `sticky` one sends each
    caller to one pod, by the address that it calls from. What one of `matches` describes goes to
    the canary, `canary_weight` percent of all else; `mirror` percent of that is copied to it. What
    `route` is not about goes to the primary as it is. `copied_to` are the Services that it copies
    every request to, each by its name and where it is.
    """

    name: str
    port: int
    listener: int
    primary: Pods
    canary: Pods
    fallback: Endpoint | None
    canary_weight: int
    closed: bool = False
    service: str = ""
    sticky: bool = False
    matches: tuple[Match, ...] = ()
    mirror: int = 0
    cookies: Cookies | None = None
    route: Route = Route()
    copied_to: tuple[tuple[str, Endpoint], ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """All that routers are told: type URL -> name -> serialized resource, and a version a type.

    A version is the hash of the content, so agents that hold the same state send the same.
    """

    resources: Mapping[str, Mapping[str, bytes]]
    versions: Mapping[str, str]


class UnknownCluster(ValueError):
    """A cluster name that `cluster_name` did not make."""


def cluster_name(name: str, port: int, role: str, service: str = "") -> str:
    """`shop/80/canary`. Envoy cuts names at dots when it labels its stats, so dots are replaced."""
    return f"{route_name(name, port, service)}/{role}"


def parse_cluster_name(cluster: str) -> tuple[str, int, str, str]:
    """The name, port, role and Service that `cluster_name` was given."""
    match cluster.split("/"):
        case [name, *service, port, role] if (
            role in ROLES and port.isdecimal() and len(service) < 2
        ):
            return name.replace("~", "."), int(port), role, "".join(service)
    raise UnknownCluster(cluster)


def route_name(name: str, port: int, service: str = "") -> str:
    """The name of the listener and of the route configuration of one port of one app."""
    return "/".join((name.replace(".", "~"), *([service] if service else ()), str(port)))


def division(application: Application) -> Division:
    """Nothing is the canary's while no pod of it is ready."""
    found = Division(
        cookies=application.cookies,
        route=application.route,
        scopes=scopes(application),
        copied_to=tuple(copied_to(service) for service, _ in application.copied_to),
    )
    if not application.canary:
        return found
    return replace(
        found,
        weight=application.canary_weight,
        matches=application.matches,
        mirror=application.mirror,
    )


def copied_to(service: str) -> str:
    return f"copies-to-{service}"


def scopes(application: Application) -> tuple[Match, ...]:
    """Which requests of this port the route is about: all, if it names none."""
    said = application.route.matches
    if not said:
        return (EVERYTHING,)
    return tuple(replace(one, port=None) for one in said if one.port in (None, application.port))


def resources(applications: Iterable[Application], *, ipv6: bool = False) -> Snapshot:
    """Everything the routers need to serve these applications; by IPv6 too where pods have it."""
    made: dict[str, dict[str, bytes]] = {kind: {} for kind in MAKE_BEFORE_BREAK}
    for application in applications:
        for kind, name, message in _described(application, ipv6=ipv6):
            made[kind][name] = message.SerializeToString(deterministic=True)
    return Snapshot(
        MappingProxyType({kind: MappingProxyType(named) for kind, named in made.items()}),
        MappingProxyType({kind: _version(named) for kind, named in made.items()}),
    )


def _version(named: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(named):
        digest.update(f"{len(name)} {len(named[name])} {name}".encode())
        digest.update(named[name])
    return digest.hexdigest()[:16]


def _described(application: Application, *, ipv6: bool) -> Iterable[tuple[str, str, Any]]:
    name = route_name(application.name, application.port, application.service)
    for role, pods, fallback in _halves(application):
        cluster = f"{name}/{role}"
        limited = application.route.limits if role in (PRIMARY, CANARY) else Limits()
        made = resilience.cluster(cluster, role, sticky=application.sticky, limited=limited)
        yield CDS, cluster, made
        yield EDS, cluster, _assignment(cluster, pods, fallback)
    for service, endpoint in application.copied_to:
        cluster = f"{name}/{copied_to(service)}"
        yield CDS, cluster, resilience.cluster(cluster, MIRROR)
        yield EDS, cluster, _assignment(cluster, (endpoint,), None)
    if not application.closed:
        yield LDS, name, _listener(name, application, ipv6=ipv6)
    yield RDS, name, _routes(name, application)


def _halves(application: Application) -> Iterator[tuple[str, Pods, Endpoint | None]]:
    """A copy may never fall back on the primary, which has had the request already."""
    divided = division(application)
    yield PRIMARY, application.primary, application.fallback
    yield CANARY, application.canary, application.fallback
    if divided.mirror:
        yield MIRROR, application.canary, None
    if EVERYTHING not in divided.scopes:
        rest = application.primary or (application.canary if divided.weight == 100 else ())
        yield UNMATCHED, rest, application.fallback


def _listener(name: str, application: Application, *, ipv6: bool) -> Listener:
    manager = chains_pb2.Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=transparent.packed(
            transparent.connection_manager(
                name, sticky=application.sticky, cors=application.route.cors is not None
            )
        ),
    )
    return Listener(
        name=name,
        address=_everywhere(application.listener, ipv6=ipv6),
        filter_chains=[chains_pb2.FilterChain(filters=[manager])],
        ignore_global_conn_limit=True,
    )


def _everywhere(port: int, *, ipv6: bool) -> Address:
    """A kernel without IPv6 refuses `::`: it is asked for only where pods have such addresses."""
    if not ipv6:
        return _address(Endpoint("0.0.0.0", port))
    both = SocketAddress(address="::", port_value=port, ipv4_compat=True)
    return Address(socket_address=both)


def _routes(name: str, application: Application) -> RouteConfiguration:
    routes = splits.routes(name, division(application), sticky=application.sticky)
    host = routes_pb2.VirtualHost(name=name, domains=["*"], routes=routes)
    return RouteConfiguration(
        name=name, virtual_hosts=[host], validate_clusters=BoolValue(value=False)
    )


def _assignment(cluster: str, pods: Pods, fallback: Endpoint | None) -> ClusterLoadAssignment:
    """Pods first; the ClusterIP, which kube-proxy keeps true without us, when they fail."""
    priorities = [pods, *([(fallback,)] if fallback else [])]
    return ClusterLoadAssignment(
        cluster_name=cluster,
        endpoints=[
            endpoints_pb2.LocalityLbEndpoints(
                priority=priority,
                lb_endpoints=[
                    endpoints_pb2.LbEndpoint(
                        endpoint=endpoints_pb2.Endpoint(address=_address(endpoint))
                    )
                    for endpoint in sorted(
                        members, key=lambda member: (member.address, member.port)
                    )
                ],
            )
            for priority, members in enumerate(priorities)
        ],
    )


def _address(endpoint: Endpoint) -> Address:
    return Address(socket_address=SocketAddress(address=endpoint.address, port_value=endpoint.port))
