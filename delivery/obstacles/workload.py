"""What in a Deployment itself keeps it from being doubled."""

from collections.abc import Iterator, Mapping
from typing import Any

from delivery import pods
from delivery.obstacles.grounds import ROLLING
from delivery.obstacles.mesh import of_pods
from delivery.pods import Object


def of_deployment(deployment: Object) -> Iterator[str]:
    """How it is rolled, who owns it, what it selects."""
    spec = deployment["spec"]
    strategy = (spec.get("strategy") or {}).get("type", "RollingUpdate")
    if strategy != "RollingUpdate":
        yield f"spec.strategy.type is {strategy}, only RollingUpdate keeps users served"
    if pods.owner_uid(deployment):
        yield f"it is owned by another controller{owner_of(deployment)}"
    if not spec["selector"].get("matchLabels") or spec["selector"].get("matchExpressions"):
        yield "spec.selector must be matchLabels alone" + selector_help(spec["selector"])


def selector_help(selector: Mapping[str, Any]) -> str:
    """Kubernetes does not let a selector be changed."""
    keys = ", ".join(str(one.get("key")) for one in selector.get("matchExpressions") or ())
    said = f"it has matchExpressions ({keys})" if keys else "it has none"
    return f": {said}; delete the Deployment and apply it with labels that it selects by"


def owner_of(deployment: Object) -> str:
    owner = next(one for one in deployment["metadata"]["ownerReferences"] if one.get("controller"))
    known = "kind" in owner and "name" in owner
    return f" ({owner['kind']} {owner['name']})" if known else ""


def of_template(template: Mapping[str, Any], *, external: bool = False) -> Iterator[str]:
    """What a second set of the same pods would fight over with the first.

    With an `external` router their mesh may divide the traffic. A generic ephemeral volume is no
    such thing: each pod has a claim of its own.
    """
    pod = template["spec"]
    if pod.get("hostNetwork"):
        yield "it uses the host's network: take hostNetwork: true out of its pods"
    if found := ", ".join(claims(pod)):
        yield f"it mounts a PersistentVolumeClaim: {found}; give each pod an ephemeral volume"
    if found := ", ".join(host_ports(pod)):
        yield f"it uses a hostPort: {found}; take it out, a Service needs the containerPort alone"
    if not external and (mesh := of_pods(template)):
        yield f"its pods are in a mesh ({mesh}): name its provider in a Canary"


def claims(pod: Mapping[str, Any]) -> Iterator[str]:
    for volume in pod.get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            yield f"volume {volume['name']} is claim {claim['claimName']}"


def host_ports(pod: Mapping[str, Any]) -> Iterator[str]:
    for box in (*pod["containers"], *(pod.get("initContainers") or ())):
        for port in box.get("ports") or ():
            if number := port.get("hostPort"):
                yield f"container {box['name']} has hostPort {number}"


def of_rollout(deployment: Object) -> Iterator[str]:
    """A Deployment that is not held yet must be complete, or what serves could not be told."""
    if not deployment["spec"].get("replicas", 1):
        yield "it is scaled to 0: set spec.replicas to 1 or more"
    elif deployment["spec"].get("paused"):
        yield "it is paused: take spec.paused: true out, or run kubectl rollout resume"
    elif why := pods.stuck(deployment) or pods.waiting(deployment, 100):
        yield f"{ROLLING}: {why}"
