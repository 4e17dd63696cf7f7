"""Which Deployments are adopted: an allow-list, and for all others the reasons why not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery import names, pods
from delivery.apex import origin
from delivery.pods import Object, annotations_of, labels_of

HTTP_NAMES = ("http", "http2", "grpc", "h2c", "ws", "web")
"""Port names, up to their first dash, that say the protocol (as Istio reads them)."""
HTTP_PROTOCOLS = ("http", "http2", "grpc", "kubernetes.io/h2c", "kubernetes.io/ws")
MESH_LABELS = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode", "linkerd.io/inject")
PASSING = "a rollout is under way"
"""A reason that ends by itself, and so is not worth an Event."""


@dataclass(frozen=True)
class Neighbours:
    """What stands in the namespace beside a Deployment, and what its labels say of it.

    `mesh` is a label that names a mesh; `enrolled` and `selected_only` are the opt-in.
    """

    services: Sequence[Object]
    deployments: Sequence[Object]
    autoscalers: Sequence[Object]
    mesh: str = ""
    selected_only: bool = False
    enrolled: bool = True


def is_ours(item: Object) -> bool:
    return labels_of(item).get(names.MANAGED_BY) == names.OUTRIDER


def opted_out(deployment: Object, neighbours: Neighbours) -> bool:
    """By its own annotation, or for want of one where only selected ones are adopted."""
    said = annotations_of(deployment).get(names.ENABLED)
    return said != "true" if neighbours.selected_only else said == "false"


def leaving(deployment: Object, neighbours: Neighbours, *, generated: bool) -> str:
    """Why a managed app is to be given back; empty while it stays.

    Who wrote a Canary has opted in by it, also where only selected Deployments are adopted.
    """
    if not neighbours.enrolled:
        return f"the namespace is not labelled {names.ENABLED}=true or =selected"
    said = annotations_of(deployment).get(names.ENABLED)
    if said == "false":
        return f"its annotation {names.ENABLED} is false"
    if generated and opted_out(deployment, neighbours):
        return f"its annotation {names.ENABLED} is not true"
    return ""


def refusals(deployment: Object, neighbours: Neighbours) -> tuple[str, ...]:
    """Why the Deployment is left alone; empty when it can be adopted."""
    return tuple(
        (
            *workload_refusals(deployment),
            *service_refusals(deployment, neighbours),
            *neighbour_refusals(deployment, neighbours),
        )
    )


def is_passing(reason: str) -> bool:
    return reason.startswith(PASSING)


def workload_refusals(deployment: Object) -> Iterator[str]:
    spec = deployment["spec"]
    pod = spec["template"]["spec"]
    strategy = (spec.get("strategy") or {}).get("type", "RollingUpdate")
    if strategy != "RollingUpdate":
        yield f"spec.strategy.type is {strategy}, only RollingUpdate keeps users served"
    if pods.owner_uid(deployment):
        yield "it is owned by another controller"
    if not spec["selector"].get("matchLabels") or spec["selector"].get("matchExpressions"):
        yield "spec.selector must be matchLabels alone"
    if pod.get("hostNetwork"):
        yield "it uses the host's network"
    if any("persistentVolumeClaim" in volume for volume in pod.get("volumes") or ()):
        yield "it mounts a PersistentVolumeClaim"
    if any(port.get("hostPort") for box in pod["containers"] for port in box.get("ports") or ()):
        yield "it uses a hostPort"
    if names.SCALE not in annotations_of(deployment):
        yield from rollout_refusals(deployment)


def rollout_refusals(deployment: Object) -> Iterator[str]:
    """A Deployment that is not held yet must be complete, or what serves could not be told."""
    if not deployment["spec"].get("replicas", 1):
        yield "it is scaled to 0"
    elif deployment["spec"].get("paused"):
        yield "it is paused"
    elif why := pods.stuck(deployment) or pods.waiting(deployment, 100):
        yield f"{PASSING}: {why}"


def service_refusals(deployment: Object, neighbours: Neighbours) -> Iterator[str]:
    found = services_of(deployment, neighbours.services)
    if len(found) != 1:
        every = ", ".join(sorted(service["metadata"]["name"] for service in found))
        yield f"selected by {len(found)} Services{f' ({every})' if every else ''}, one is needed"
        return
    service = found[0]
    others = [
        other["metadata"]["name"]
        for other in neighbours.deployments
        if other["metadata"]["name"] != deployment["metadata"]["name"]
        and not is_ours(other)
        and selects(service, other)
    ]
    if others:
        yield f"Service {service['metadata']['name']} selects {', '.join(sorted(others))} too"
    yield from kind_refusals(service)


def kind_refusals(service: Object) -> Iterator[str]:
    name, spec = service["metadata"]["name"], service["spec"]
    if spec.get("clusterIP") == "None":
        yield f"Service {name} is headless"
    if spec.get("externalTrafficPolicy") == "Local":
        yield f"Service {name} has externalTrafficPolicy Local"
    for port in spec.get("ports") or ():
        if not is_http(port):
            yield (
                f"port {port['port']} of Service {name} is not known to be HTTP: name it http-…,"
                " or set its appProtocol to http"
            )


def is_http(port: Mapping[str, Any]) -> bool:
    """By appProtocol, else by the port's name up to its first dash, and never UDP."""
    if port.get("protocol", "TCP") != "TCP":
        return False
    if said := port.get("appProtocol"):
        return str(said).lower() in HTTP_PROTOCOLS
    return str(port.get("name", "")).split("-")[0].lower() in HTTP_NAMES


def neighbour_refusals(deployment: Object, neighbours: Neighbours) -> Iterator[str]:
    name = deployment["metadata"]["name"]
    for scaler in neighbours.autoscalers:
        reference = scaler["spec"]["scaleTargetRef"]
        if reference.get("kind") == "Deployment" and reference.get("name") == name:
            yield f"HorizontalPodAutoscaler {scaler['metadata']['name']} scales it"
    if neighbours.mesh:
        yield f"the namespace is in a mesh ({neighbours.mesh}): name its provider in a Canary"


def selects(service: Object, deployment: Object) -> bool:
    """By what its user selects with, also while we route it."""
    selector = origin(service)["selector"]
    labels = labels_of(deployment["spec"]["template"])
    return bool(selector) and selector.items() <= labels.items()


def services_of(deployment: Object, services: Sequence[Object]) -> list[Object]:
    return [
        service for service in services if not is_ours(service) and selects(service, deployment)
    ]
