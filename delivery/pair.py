"""Finds the two halves of a pair among a namespace's objects, and what they say of themselves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from delivery import names, pods, servable
from delivery.hashing import template_hash
from delivery.observation import Workload
from delivery.pods import Object, annotations_of
from delivery.takeover import as_written


@dataclass(frozen=True)
class Objects:
    """A namespace as it was read, kind by kind."""

    deployments: Sequence[Object] = ()
    replica_sets: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    services: Sequence[Object] = ()
    autoscalers: Sequence[Object] = ()

    @cached_property
    def selecting(self) -> servable.Index:
        return servable.index(self.services)


def named(items: Sequence[Object], name: str) -> Object | None:
    return next((item for item in items if item["metadata"]["name"] == name), None)


def owned(items: Sequence[Object], owner: Object) -> Iterator[Object]:
    uid = owner["metadata"].get("uid")
    return (item for item in items if uid and pods.owner_uid(item) == uid)


def revisions(
    objects: Objects, target: Object, primary: Object | None
) -> Mapping[str, Mapping[str, Any]]:
    """Template hash -> template: what the halves run now, and what their ReplicaSets remember."""
    found: dict[str, Mapping[str, Any]] = {}
    for half in (target, primary):
        if half is None:
            continue
        for source in (*owned(objects.replica_sets, half), half):
            template = written(source, half, target)
            found[template_hash(template)] = template
    return found


def named_by_admission(objects: Objects, target: Object) -> Mapping[str, str]:
    """The hash that admission gave a template of the target -> the hash that it has now.

    A ReplicaSet bears the mark that its Deployment had; one on two templates says nothing, for
    then one of them slipped past admission.
    """
    found: dict[str, set[str]] = {}
    for source in (*owned(objects.replica_sets, target), target):
        mark = annotations_of(source).get(names.ADMITTED)
        if mark:
            found.setdefault(mark, set()).add(template_hash(source["spec"]["template"]))
    return {mark: hashes.pop() for mark, hashes in found.items() if len(hashes) == 1}


def written(source: Object, half: Object, target: Object | None) -> Object:
    """A template as its user wrote it, also where Flagger has made a primary of it."""
    template: Object = source["spec"]["template"]
    return template if target is None else as_written(template, half, target)


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


def workload(
    objects: Objects, half: Object, *, threshold: int, target: Object | None = None
) -> Workload:
    """One half as a value; `threshold` is percent of its pods that must be ready.

    Of a primary `target` is the other half. `waiting` also waits for old pods of another revision:
    what still ends could answer users.
    """
    current = pods_of(objects, half, template_hash(half["spec"]["template"]))
    annotations = annotations_of(half)
    held = annotations.get(names.SCALE, "")
    why = pods.hindrance(half, current)
    return Workload(
        manifest=half,
        revision=template_hash(written(half, half, target)),
        replicas=half["spec"].get("replicas", 1),
        held=int(held) if held.isdigit() else None,
        failing=pods.failure(current),
        stuck=because(pods.stuck(half), why),
        waiting=because(pods.waiting(half, threshold), why),
        ready_pods=sum(pods.is_ready(pod) for pod in current),
        fresh=max((pods.ready_since(pod) for pod in current if pods.is_ready(pod)), default=0.0),
        pods=pods.addresses(current),
        on_hold=names.HOLD in annotations,
        paused=bool(half["spec"].get("paused")),
    )


def because(text: str, why: str) -> str:
    """What is missing, and why where that is known; nothing where nothing is missing."""
    return f"{text}: {why}" if text and why else text


def wished(target: Object) -> int | None:
    """The replicas that the user wants, where that can be told from what we hold (design, Wishes).

    `kubectl scale` goes past admission: then the number differs from the held one in a generation
    later than our own word. 0 cannot be told from the held number, so it is no wish.
    """
    annotations, replicas = annotations_of(target), int(target["spec"].get("replicas", 1))
    held = annotations.get(names.SCALE, "")
    if not held.isdigit():
        return replicas or None
    ours = annotations.get(names.HELD_AT) == str(target["metadata"].get("generation", 0))
    if replicas and replicas != int(held) and not ours:
        return replicas
    said = annotations.get(names.REPLICAS, "")
    return int(said) or None if said.isdigit() else None


def endpoints(found: Sequence[Object], port: int | str) -> tuple[tuple[str, int], ...]:
    """Address and port of each ready pod, sorted; a pod without that named port is left out."""
    addresses = (
        (str(pod["status"]["podIP"]), pods.port_number(pod, port))
        for pod in found
        if pods.is_ready(pod)
    )
    return tuple(sorted((address, number) for address, number in addresses if number is not None))
