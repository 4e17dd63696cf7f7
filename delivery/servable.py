"""Which Services can be routed: what each one selects, and why one is left as it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from delivery import names
from delivery.apex import origin, own_ports
from delivery.mapping import mapping
from delivery.pods import Object, labels_of
from delivery.takeover import is_canary

HTTP_NAMES = ("http", "http2", "grpc", "h2c", "ws", "web")
"""Port names, up to their first dash, that say the protocol (as Istio reads them)."""
HTTP_PROTOCOLS = (
    *("http", "http2", "h2c", "grpc", "grpc-web", "ws"),
    *("kubernetes.io/h2c", "kubernetes.io/ws"),
)
TLS_NAMES = ("https", "tls", "ssl", "wss")
TLS_PROTOCOLS = (*TLS_NAMES, "kubernetes.io/wss")
TLS_PORTS = (443, 8443)
POLICIES = ("externalTrafficPolicy", "internalTrafficPolicy")


def is_ours(item: Object) -> bool:
    return labels_of(item).get(names.MANAGED_BY) == names.OUTRIDER


def name_of(item: Object) -> str:
    return str(item["metadata"]["name"])


def selects(service: Object, deployment: Object) -> bool:
    """By what its user selects with, also while we route it."""
    selector = origin(service)["selector"]
    labels = labels_of(deployment["spec"]["template"])
    return bool(selector) and selector.items() <= labels.items()


def services_of(deployment: Object, services: Sequence[Object]) -> list[Object]:
    return [
        service for service in services if not is_ours(service) and selects(service, deployment)
    ]


Index = Mapping[tuple[str, str], Sequence[Object]]
"""The users' Services by one label that each of them selects."""


def index(services: Sequence[Object]) -> Index:
    """Made once a turn, so that a namespace of many apps is not a square of them."""
    found: dict[tuple[str, str], list[Object]] = {}
    for service in services:
        if not is_ours(service) and (selector := origin(service)["selector"]):
            found.setdefault(min(selector.items()), []).append(service)
    return found


def indexed(deployment: Object, known: Index) -> list[Object]:
    """`services_of`, without a look at those of other apps."""
    labels = labels_of(deployment["spec"]["template"]).items()
    near = [service for label in labels for service in known.get(label, ())]
    return sorted((one for one in near if selects(one, deployment)), key=name_of)


def refusals(service: Object, *, opaque: bool = False) -> Iterator[str]:
    """Why this Service cannot be routed, whatever it selects; `opaque` is any TCP."""
    name, spec = name_of(service), service["spec"]
    if spec.get("type") == "ExternalName":
        yield f"Service {name} is of type ExternalName: it leads out of the cluster"
        return
    if spec.get("clusterIP") == "None":
        yield f"Service {name} is headless: make it anew without clusterIP: None"
    for policy in POLICIES:
        if spec.get(policy) == "Local":
            yield f"Service {name} has {policy} Local: set it to Cluster"
    for port in own_ports(service):
        if why := protocol_refusal(port) if opaque else port_refusal(port):
            yield f"port {port['port']} of Service {name} {why}"


def port_refusal(port: Mapping[str, Any]) -> str:
    """Why a port cannot be split; empty when it is HTTP by its appProtocol, else by its name."""
    if why := protocol_refusal(port):
        return why
    said = str(port.get("appProtocol") or "").lower()
    named = [first_word(port.get(key)) for key in ("name", "targetPort")]
    if said in TLS_PROTOCOLS or (not said and any(word in TLS_NAMES for word in named)):
        return f"is TLS ({said or port.get('name') or port.get('targetPort')}): it cannot be judged"
    if said in HTTP_PROTOCOLS:
        return ""
    if said or named[0] not in HTTP_NAMES:
        return "is not known to be HTTP: name it http-…, or set its appProtocol to http"
    if port["port"] in TLS_PORTS or port.get("targetPort") in TLS_PORTS:
        return "is probably TLS by its number: set its appProtocol to http if it is not"
    return ""


def protocol_refusal(port: Mapping[str, Any]) -> str:
    protocol = port.get("protocol", "TCP")
    return "" if protocol == "TCP" else f"is {protocol}: only TCP can be routed"


def first_word(name: Any) -> str:
    """Of a port's name up to its first dash; a number says nothing."""
    return str(name or "").split("-")[0].lower()


def service_refusals(
    deployment: Object,
    services: Sequence[Object],
    deployments: Sequence[Object],
    *,
    opaque: bool = False,
) -> Iterator[str]:
    """Why a Deployment's Services keep it from being adopted."""
    found = services_of(deployment, services)
    if not found:
        labels = deployment["spec"]["selector"].get("matchLabels") or {}
        wanted = ",".join(f"{key}={labels[key]}" for key in sorted(labels))
        yield (
            f"selected by 0 Services, one is needed: write one that selects {wanted}, or say "
            "spec.service.port in a Canary"
        )
    for service in sorted(found, key=name_of):
        yield from unservable(service, deployment, deployments, opaque=opaque)
    yield from in_the_way(name_of(deployment), services)


def unservable(
    service: Object, deployment: Object, deployments: Sequence[Object], *, opaque: bool = False
) -> Iterator[str]:
    """Why a Service cannot be routed for this Deployment."""
    others = [
        name_of(other)
        for other in deployments
        if name_of(other) != name_of(deployment) and not is_ours(other) and selects(service, other)
    ]
    if others:
        yield f"Service {name_of(service)} selects {', '.join(sorted(others))} too"
    yield from refusals(service, opaque=opaque)


def in_the_way(name: str, services: Sequence[Object]) -> Iterator[str]:
    """A user's Service that has the name of one that we would make; Flagger's are taken over."""
    for service in services:
        needed = name_of(service)
        if is_foreign(service) and needed in pair_names(name):
            yield f"the name of Service {needed} is needed for its pair: give it another one"


def is_half(service: Object) -> bool:
    """Whether it is a half's, and not called so by chance; by its selector also without labels."""
    return not is_foreign(service) or names.ROLE in mapping(service, "spec", "selector")


def is_flaggers(item: Object) -> bool:
    return any(map(is_canary, item["metadata"].get("ownerReferences") or ()))


def is_foreign(item: Object) -> bool:
    """Neither ours nor Flagger's: what has the name of a part of a pair may be another app's.

    A primary of ours selects by its role, also when somebody has taken its labels off.
    """
    selected = mapping(item, "spec", "selector", "matchLabels")
    return not is_ours(item) and not is_flaggers(item) and names.ROLE not in selected


def pair_names(name: str) -> frozenset[str]:
    """Of the Services that tell the halves apart."""
    return frozenset({names.primary_name(name), names.canary_name(name)})


def first(deployment: Object, services: Sequence[Object]) -> Object | None:
    """The Service that the app is called by: its own name's, else the first by name."""
    own = name_of(deployment)
    found = [
        one for one in services_of(deployment, services) if name_of(one) not in pair_names(own)
    ]
    return min(found, key=lambda one: (name_of(one) != own, name_of(one)), default=None)


def beside(
    first: Object | None, deployment: Object, known: Index, deployments: Sequence[Object]
) -> Mapping[str, tuple[str, ...]]:
    """The app's other Services by name, each with the reasons why it cannot be routed, if any."""
    named = name_of(first) if first else ""
    reserved = pair_names(name_of(deployment)) | (pair_names(named) if first else frozenset())
    return {
        name_of(service): tuple(unservable(service, deployment, deployments))
        for service in indexed(deployment, known)
        if name_of(service) != named and name_of(service) not in reserved
    }
