"""Finds the two halves of a pair among a namespace's objects, and what they say of themselves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery import names, pods
from delivery.canary import Status
from delivery.hashing import template_hash
from delivery.observation import Workload
from delivery.pods import Object, annotations_of


@dataclass(frozen=True)
class Objects:
    """A namespace as it was read, kind by kind."""

    deployments: Sequence[Object] = ()
    replica_sets: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    services: Sequence[Object] = ()
    autoscalers: Sequence[Object] = ()


def named(items: Sequence[Object], name: str) -> Object | None:
    return next((item for item in items if item["metadata"]["name"] == name), None)


def owned(items: Sequence[Object], owner: Object) -> Iterator[Object]:
    uid = owner["metadata"].get("uid")
    return (item for item in items if uid and pods.owner_uid(item) == uid)


def revisions(objects: Objects, *halves: Object | None) -> Mapping[str, Mapping[str, Any]]:
    """Template hash -> template: what the halves run now, and what their ReplicaSets remember."""
    found: dict[str, Mapping[str, Any]] = {}
    for half in halves:
        if half is None:
            continue
        for source in (*owned(objects.replica_sets, half), half):
            template = source["spec"]["template"]
            found[template_hash(template)] = template
    return found


def serving(objects: Objects, target: Object) -> str:
    """The revision of the target with the most ready pods: what users have now."""
    sets = list(owned(objects.replica_sets, target))
    best = max(
        sets, key=lambda one: (one.get("status") or {}).get("readyReplicas", 0), default=None
    )
    if best is None or not (best.get("status") or {}).get("readyReplicas"):
        return template_hash(target["spec"]["template"])
    return template_hash(best["spec"]["template"])


def pods_of(objects: Objects, half: Object, revision: str | None = None) -> list[Object]:
    """The half's pods, those of one revision alone where one is named."""
    sets = [
        one["metadata"].get("uid")
        for one in owned(objects.replica_sets, half)
        if revision is None or template_hash(one["spec"]["template"]) == revision
    ]
    return [pod for pod in objects.pods if pods.owner_uid(pod) in sets]


def workload(objects: Objects, half: Object, *, threshold: int, revision: str = "") -> Workload:
    """One half as a value; `revision` narrows its pods, `threshold` is percent that must be ready.

    `waiting` also waits for old pods of another revision: what still ends could answer users.
    """
    own = template_hash(half["spec"]["template"])
    current = pods_of(objects, half, revision or own)
    annotations = annotations_of(half)
    held = annotations.get(names.SCALE, "")
    return Workload(
        manifest=half,
        revision=own,
        replicas=half["spec"].get("replicas", 1),
        held=int(held) if held.isdigit() else None,
        failing=pods.failure(current),
        stuck=pods.stuck(half),
        waiting=pods.waiting(half, threshold),
        ready_pods=sum(pods.is_ready(pod) for pod in current),
        on_hold=names.HOLD in annotations,
        paused=bool(half["spec"].get("paused")),
    )


def wished(target: Object, status: Status, max_size: int) -> int | None:
    """The replicas that the user wants, where that can be told from what we hold (design, Wishes).

    `kubectl scale` goes past admission: then the number differs from the held one, and its
    field manager is newer than ours. 0 cannot be told from the held number, so it is no wish.
    """
    annotations = annotations_of(target)
    held, replicas = annotations.get(names.SCALE), target["spec"].get("replicas", 1)
    if held is None or not held.isdigit():
        return int(replicas) or None
    ours = replicas in (0, int(held), max_size, status.replicas)
    if replicas and str(replicas) != held and (scaled_since(target) or not ours):
        return int(replicas)
    said = annotations.get(names.REPLICAS, "")
    return int(said) or None if said.isdigit() else None


def scaled_since(target: Object) -> bool:
    """Whether the scale subresource was written after our last word."""
    times = {"": "", "scale": ""}
    for entry in target["metadata"].get("managedFields") or ():
        when = str(entry.get("time", ""))
        if entry.get("subresource") == "scale":
            times["scale"] = max(times["scale"], when)
        elif entry.get("manager") == names.AGENT_MANAGER:
            times[""] = max(times[""], when)
    return bool(times["scale"]) and times["scale"] >= times[""]


def endpoints(found: Sequence[Object], port: int | str) -> tuple[tuple[str, int], ...]:
    """Address and port of each ready pod, sorted; a pod without that named port is left out."""
    addresses = (
        (str(pod["status"]["podIP"]), pods.port_number(pod, port))
        for pod in found
        if pods.is_ready(pod)
    )
    return tuple(sorted((address, number) for address, number in addresses if number is not None))
