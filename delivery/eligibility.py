"""Which Deployments are adopted: an allow-list, and for all others the reasons why not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from delivery import names, pods
from delivery.pods import Object, annotations_of
from delivery.servable import service_refusals

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
            *service_refusals(deployment, neighbours.services, neighbours.deployments),
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


def neighbour_refusals(deployment: Object, neighbours: Neighbours) -> Iterator[str]:
    name = deployment["metadata"]["name"]
    for scaler in neighbours.autoscalers:
        reference = scaler["spec"]["scaleTargetRef"]
        if reference.get("kind") == "Deployment" and reference.get("name") == name:
            yield f"HorizontalPodAutoscaler {scaler['metadata']['name']} scales it"
    if neighbours.mesh:
        yield f"the namespace is in a mesh ({neighbours.mesh}): name its provider in a Canary"
