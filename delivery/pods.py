"""What pods and Deployments say of themselves, read off plain mappings (reference, 2.9)."""

from collections.abc import Iterable, Mapping
from typing import Any

from delivery import names
from delivery.api.instant import epoch

CRASHED = ("CrashLoopBackOff", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
"""Reasons to wait that waiting does not mend."""

Object = Mapping[str, Any]


def labels_of(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def annotations_of(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def owner_uid(item: Object) -> str:
    """The uid of the controller that owns the object, empty without one."""
    owners = item["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def is_ready(pod: Object) -> bool:
    """Ready, and not on its way out."""
    if pod["metadata"].get("deletionTimestamp") or not pod.get("status", {}).get("podIP"):
        return False
    conditions = pod["status"].get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def addresses(pods: Iterable[Object]) -> dict[str, str]:
    """The names of those that have an address, by it."""
    placed = (pod for pod in pods if (pod.get("status") or {}).get("podIP"))
    return {str(pod["status"]["podIP"]): str(pod["metadata"]["name"]) for pod in placed}


def ready_since(pod: Object) -> float:
    """When it became ready, in seconds since the epoch; 0 where nobody says."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    said = (one.get("lastTransitionTime") for one in conditions if one["type"] == "Ready")
    return next((epoch(one) for one in said if one), 0.0)


def restarts(pod: Object) -> int:
    """How often its containers began anew."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return sum(int(one.get("restartCount", 0)) for one in statuses)


def failure(pods: Iterable[Object]) -> str:
    """Why the first pod that cannot run cannot: "pod X: CrashLoopBackOff: message"; else empty."""
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp"):
            continue
        status = pod.get("status") or {}
        every = [
            *(status.get("initContainerStatuses") or ()),
            *(status.get("containerStatuses") or ()),
        ]
        for container in every:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in CRASHED:
                said = f"pod {pod['metadata']['name']}: {waiting['reason']}"
                return f"{said}: {waiting['message']}" if waiting.get("message") else said
    return ""


def hindrance(deployment: Object, pods: Iterable[Object]) -> str:
    """Why it does not get its pods: none may be made (a quota, a policy), or no node takes one."""
    refused = condition(deployment, "ReplicaFailure")
    if refused.get("status") == "True":
        return str(refused.get("message", ""))
    for pod in pods:
        for one in (pod.get("status") or {}).get("conditions") or ():
            if (one["type"], one["status"], one.get("reason")) == UNSCHEDULABLE:
                return f"pod {pod['metadata']['name']}: {one.get('message', '')}{placed(pod)}"
    return ""


def placed(pod: Object) -> str:
    """What else keeps it from nodes that its user has not named."""
    said = annotations_of(pod).get(names.CANARY_TEMPLATE)
    return f"; spec.analysis.canaryTemplate of its Canary says {said}" if said else ""


UNSCHEDULABLE = ("PodScheduled", "False", "Unschedulable")


def port_number(pod: Object, port: int | str) -> int | None:
    """The number of a target port in this pod; a name is looked up among its containers."""
    if isinstance(port, int):
        return port
    for container in pod["spec"]["containers"]:
        for one in container.get("ports") or ():
            if one.get("name") == port:
                return int(one["containerPort"])
    return None


def condition(deployment: Object, kind: str) -> Mapping[str, Any]:
    conditions = (deployment.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == kind), {})


def is_observed(deployment: Object) -> bool:
    """Whether the status speaks of the spec that is there."""
    seen = (deployment.get("status") or {}).get("observedGeneration", 0)
    return bool(deployment["metadata"].get("generation", 0) <= seen)


def has_made_its_pods(deployment: Object | None) -> bool:
    """Whether all its pods are there, ready or not, or more of them cannot be made."""
    if deployment is None or not is_observed(deployment):
        return False
    there = (deployment.get("status") or {}).get("replicas", 0)
    refused = condition(deployment, "ReplicaFailure").get("status") == "True"
    return bool(refused or there >= deployment["spec"].get("replicas", 1))


def stuck(deployment: Object) -> str:
    """Why the rollout will not end by itself; empty while it may.

    What is said of an earlier generation is said of another template.
    """
    if not is_observed(deployment):
        return ""
    if condition(deployment, "Progressing").get("reason") != "ProgressDeadlineExceeded":
        return ""
    return f'deployment "{deployment["metadata"]["name"]}" exceeded its progress deadline'


def waiting(deployment: Object, threshold: int) -> str:
    """What the rollout waits for, in kubectl's words; empty when `threshold` percent are ready."""
    status = deployment.get("status") or {}
    wanted = deployment["spec"].get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    start = "waiting for rollout to finish:"
    if not is_observed(deployment):
        return f"{start} observed deployment generation less than desired generation"
    if updated < wanted:
        return f"{start} {updated} out of {wanted} new replicas have been updated"
    if total > updated:
        return f"{start} {total - updated} old replicas are pending termination"
    if available < updated * threshold // 100:
        ready = f"{available} of {updated} (readyThreshold {threshold}%)"
        return f"{start} {ready} updated replicas are available"
    return ""
