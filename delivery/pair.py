"""Finds the two halves of a pair among a namespace's objects, and what they say of themselves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from delivery import names, pods, servable
from delivery.hashing import template_hash
from delivery.mapping import LATEST, number
from delivery.observation import Workload
from delivery.pods import Object, annotations_of
from delivery.takeover import as_written

Owned = Mapping[str, Sequence[Object]]
"""What each controller owns, by its uid."""


@dataclass(frozen=True)
class Objects:
    """A namespace as it was read, kind by kind."""

    deployments: Sequence[Object] = ()
    replica_sets: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    services: Sequence[Object] = ()
    autoscalers: Sequence[Object] = ()
    templates: Sequence[Object] = ()

    @cached_property
    def selecting(self) -> servable.Index:
        return servable.index(self.services)

    @cached_property
    def sets(self) -> Owned:
        return by_owner(self.replica_sets)

    @cached_property
    def running(self) -> Owned:
        return by_owner(self.pods)

    @cached_property
    def hashed(self) -> dict[int, tuple[Object, str]]:
        """Hashes of templates, by what is the same object as long as it is kept here."""
        return {}

    def revision(self, template: Object) -> str:
        """A look asks for the same few again and again, and they are large."""
        known = self.hashed.get(id(template))
        if known is None:
            known = self.hashed[id(template)] = (template, template_hash(template))
        return known[1]


def by_owner(items: Iterable[Object]) -> Owned:
    """What nothing owns is left out."""
    found: dict[str, list[Object]] = {}
    for item in items:
        if uid := pods.owner_uid(item):
            found.setdefault(uid, []).append(item)
    return found


def named(items: Sequence[Object], name: str) -> Object | None:
    return next((item for item in items if item["metadata"]["name"] == name), None)


def owned(items: Owned, owner: Object) -> Sequence[Object]:
    return items.get(owner["metadata"].get("uid") or "", ())


def kept(objects: Objects, target: Object) -> Object | None:
    """What has the name of the app's kept template, whoever made it."""
    return named(objects.templates, names.primary_name(target["metadata"]["name"]))


def revisions(
    objects: Objects, target: Object, primary: Object | None
) -> Mapping[str, Mapping[str, Any]]:
    """Template hash -> template: what the halves run now, what their ReplicaSets remember, and what
    was kept of the revision promoted last.
    """
    found: dict[str, Mapping[str, Any]] = {}
    if (last := kept(objects, target)) is not None and servable.is_ours(last):
        found[objects.revision(last["template"])] = last["template"]
    for half in (target, primary):
        if half is None:
            continue
        for source in (*owned(objects.sets, half), half):
            template = written(source, half, target)
            found[objects.revision(template)] = template
    return found


def named_by_admission(objects: Objects, target: Object) -> Mapping[str, str]:
    """The hash that admission gave a template of the target -> the hash that it has now.

    A ReplicaSet bears the mark that its Deployment had; one on two templates says nothing, for
    then one of them slipped past admission.
    """
    found: dict[str, set[str]] = {}
    for source in (*owned(objects.sets, target), target):
        mark = annotations_of(source).get(names.ADMITTED)
        if mark:
            found.setdefault(mark, set()).add(objects.revision(source["spec"]["template"]))
    return {mark: hashes.pop() for mark, hashes in found.items() if len(hashes) == 1}


def written(source: Object, half: Object, target: Object | None) -> Object:
    """A template as its user wrote it, also where Flagger has made a primary of it."""
    template: Object = source["spec"]["template"]
    return template if target is None else as_written(template, half, target)


def serving(objects: Objects, target: Object) -> str:
    """The revision of the target with the most ready pods: what users have now."""
    sets = owned(objects.sets, target)
    best = max(
        sets, key=lambda one: (one.get("status") or {}).get("readyReplicas", 0), default=None
    )
    if best is None or not (best.get("status") or {}).get("readyReplicas"):
        return objects.revision(target["spec"]["template"])
    return objects.revision(best["spec"]["template"])


def pods_of(objects: Objects, half: Object, revision: str | None = None) -> list[Object]:
    """The half's pods, those of one revision alone where one is named."""
    return [
        pod
        for one in owned(objects.sets, half)
        if revision is None or objects.revision(one["spec"]["template"]) == revision
        for pod in owned(objects.running, one)
    ]


def workload(
    objects: Objects, half: Object, *, threshold: int, target: Object | None = None
) -> Workload:
    """One half as a value; `threshold` is percent of its pods that must be ready.

    Of a primary `target` is the other half. `waiting` also waits for old pods of another revision:
    what still ends could answer users.
    """
    current = pods_of(objects, half, objects.revision(half["spec"]["template"]))
    annotations = annotations_of(half)
    why = pods.hindrance(half, current)
    return Workload(
        manifest=half,
        revision=objects.revision(written(half, half, target)),
        replicas=half["spec"].get("replicas", 1),
        held=number(annotations.get(names.SCALE)),
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
    """The replicas that the user wants, where that can be told from what we hold."""
    return asked(target) or number(annotations_of(target).get(names.REPLICAS)) or None


def noted(target: Object) -> int | None:
    """The version of the target at which admission noted the wish, 0 where nobody knows; None
    where the number stands in the target itself.
    """
    at = number(annotations_of(target).get(names.WISHED), LATEST) or 0
    return None if asked(target) else at


def asked(target: Object) -> int | None:
    """The number that stands in the target, where it is not the one that it is held at.

    `kubectl scale` goes past admission: then the number differs from the held one in a generation
    later than our own word. 0 cannot be told from the held number, so it is no wish.
    """
    annotations, replicas = annotations_of(target), int(target["spec"].get("replicas", 1))
    held = number(annotations.get(names.SCALE))
    if held is None:
        return replicas or None
    ours = annotations.get(names.HELD_AT) == str(target["metadata"].get("generation", 0))
    if replicas and replicas != held and not ours:
        return replicas
    return None


def endpoints(found: Sequence[Object], port: int | str) -> tuple[tuple[str, int], ...]:
    """Address and port of each ready pod, sorted; a pod without that named port is left out."""
    addresses = (
        (str(pod["status"]["podIP"]), pods.port_number(pod, port))
        for pod in found
        if pods.is_ready(pod)
    )
    return tuple(sorted((address, number) for address, number in addresses if number is not None))
