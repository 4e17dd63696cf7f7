"""What is to be done to give an app back, and to clear away what an app left that is gone."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from delivery import apex, external, kept, names, ownership, placement, servable
from delivery.canary import Canary, Phase
from delivery.decision import Annotate, Delete, Disown, Effect, Restore
from delivery.hashing import stripped
from delivery.observation import Observation, Workload
from delivery.pair import Objects
from delivery.pods import annotations_of, labels_of
from delivery.wiring import wiring

MARKS = (
    names.SCALE,
    names.HELD_AT,
    names.LEAVING,
    names.HOLD,
    names.REPLICAS,
    names.CANARY_OF,
    names.WISHED,
    names.ADMITTED,
    names.RELEASE,
    names.CANARY_TEMPLATE,
)


def effects(canary: Canary, seen: Observation, target: Workload) -> Iterator[Effect]:
    """The target serves again; then the Service finds it; then the clone goes; then our marks."""
    status = canary.status
    if status.phase is Phase.TERMINATED:
        if canary.generated:
            yield Delete("Canary", canary.name)
        return
    if status.scale is not None:
        yield from target_effects(canary, seen, target)
    if status.drained_since is not None:
        yield from external.leaving(canary, seen)
        for service in (*seen.apexes, *seen.strays):
            yield from led_home(service, seen)
    if status.scale is None:
        yield from clone_effects(canary, seen)
        if not has_clone(seen):
            yield from unmarked(canary, target)


def refused(canary: Canary, seen: Observation) -> bool:
    """Whether the target still holds what was not promoted when its leave began."""
    status = canary.status
    revision = seen.target.revision if seen.target else ""
    return revision == status.observed and revision != status.promoted


def target_effects(canary: Canary, seen: Observation, target: Workload) -> Iterator[Effect]:
    if refused(canary, seen):
        yield from restored(canary, seen, target)
        return
    scale = canary.status.scale
    marked = names.LEAVING in annotations_of(target.manifest)
    if marked and (target.held, target.replicas) == (scale, scale) and not target.on_hold:
        return
    annotations: dict[str, str | None] = {
        names.LEAVING: "true",
        names.SCALE: str(scale),
        names.HELD_AT: str(target.manifest["metadata"].get("generation", 0)),
        names.HOLD: None,
        names.CANARY_TEMPLATE: None,
    }
    shows: dict[str, Any] = {"replicas": scale, **unlabelled(target)}
    ends = unpaused(target)
    yield annotate(target.manifest, annotations, {"spec": {**shows, **ends}}, ends=ends)


def unpaused(target: Workload) -> Mapping[str, Any]:
    """What ends a hold; a pause that the user has asked for meanwhile stays."""
    ours = target.on_hold and not ownership.pauses(target.manifest)
    return {"paused": None} if ours else {}


def restored(canary: Canary, seen: Observation, target: Workload) -> Iterator[Effect]:
    """Not while some of its pods have users, because a promotion failed and the primary with it."""
    template = seen.revisions.get(canary.status.promoted)
    if template is None or canary.status.has_users:
        return
    spec = {**target.manifest["spec"], "template": stripped(template)}
    why = f"{target.name} is put back to its promoted revision {canary.status.promoted}"
    yield Restore({**target.manifest, "spec": spec}, why)


def unlabelled(target: Workload) -> dict[str, Any]:
    """A template without our label, and without what sent its pods to other nodes."""
    removal = placement.removal(target.manifest["spec"]["template"])
    metadata = {"labels": {names.ROLE: None}, **removal.get("metadata", {})}
    return {"template": {**removal, "metadata": metadata}}


def led_home(service: Mapping[str, Any], seen: Observation) -> Iterator[Effect]:
    """By way of a route of ours where it still leads to a primary that Flagger made."""
    home = apex.home(service, seen)
    if home == apex.origin(service):
        yield from homeward(service)
        return
    said = json.dumps(home, sort_keys=True)
    yield annotate(service, {names.ROUTE: said, names.ORIGIN: said}, apex.shown(service, home))


def homeward(service: Mapping[str, Any]) -> Iterator[Effect]:
    """ORIGIN stays until the Service was seen to be home: a crash in between still knows it."""
    said = annotations_of(service)
    home = apex.origin(service)
    if names.ROUTE in said or (names.ORIGIN in said and away(service, home)):
        annotations = {names.ROUTE: None, **noted(service, home)}
        yield annotate(service, annotations, apex.shown(service, home))
    elif names.ORIGIN in said:
        yield annotate(service, {names.ORIGIN: None, names.WISHED: None}, {})
    else:
        yield from forsaken(service)


def noted(service: Mapping[str, Any], home: Mapping[str, Any]) -> Mapping[str, str]:
    """ORIGIN anew, where it does not know a port that its user has written since."""
    origin = wiring(annotations_of(service).get(names.ORIGIN))
    if origin is None or origin.ports == home["targetPorts"]:
        return {}
    return {names.ORIGIN: json.dumps(home, sort_keys=True)}


def away(service: Mapping[str, Any], home: Mapping[str, Any]) -> bool:
    now = apex.leads_to(service)
    targets = home["targetPorts"]
    same = all(targets.get(port, found) == found for port, found in now["targetPorts"].items())
    return not same or now["selector"] != home["selector"]


def clone_effects(canary: Canary, seen: Observation) -> Iterator[Effect]:
    if has_clone(seen):
        yield Delete("Deployment", names.primary_name(canary.target))
    yield from kept.forgotten(seen)
    for name, service in sorted(seen.services.items()):
        if is_role_service(service, canary.target):
            yield Delete("Service", name)


def has_clone(seen: Observation) -> bool:
    """What is called so once the clone has gone is its user's."""
    return seen.primary is not None and not servable.is_foreign(seen.primary.manifest)


def is_role_service(service: Mapping[str, Any], app: str) -> bool:
    labels = labels_of(service)
    return labels.get(names.MANAGED_BY) == names.OUTRIDER and labels.get(names.APP) == app


def unmarked(canary: Canary, target: Workload) -> Iterator[Effect]:
    if is_marked(target):
        found = [mark for mark in MARKS if mark in annotations_of(target.manifest)]
        shows = {"spec": {"replicas": canary.status.replicas or 1, **unlabelled(target)}}
        yield annotate(target.manifest, dict.fromkeys(found), shows)
    else:
        yield from forsaken(target.manifest)


def forsaken(found: Mapping[str, Any]) -> Iterator[Effect]:
    """Of a map that we wrote into, an entry of our own is left although all its keys are gone."""
    fields = ownership.forsaken(found, names.AGENT_MANAGER)
    if fields is not None:
        metadata = found["metadata"]
        version = metadata.get("resourceVersion", "")
        yield Disown(found["kind"], metadata["name"], tuple(fields), version)


def is_marked(target: Workload) -> bool:
    """By an annotation, or by a role left in the template: one may go without the other."""
    template = target.manifest["spec"]["template"]
    placed = names.CANARY_TEMPLATE in annotations_of(template)
    return (
        placed
        or names.ROLE in labels_of(template)
        or any(mark in annotations_of(target.manifest) for mark in MARKS)
    )


def remains(canary: Canary, seen: Observation) -> bool:
    """Whether something of ours is still to be removed."""
    services = any(is_role_service(one, canary.target) for one in seen.services.values())
    marked = seen.target is not None and is_marked(seen.target)
    users = (*([seen.target.manifest] if seen.target else ()), *seen.apexes, *seen.strays)
    owned = any(next(forsaken(one), None) for one in users)
    remembered = any(kept.forgotten(seen))
    return has_clone(seen) or services or marked or owned or remembered


def annotate(
    found: Mapping[str, Any],
    annotations: Mapping[str, str | None],
    shows: Mapping[str, Any],
    *,
    ends: Mapping[str, Any] | None = None,
) -> Annotate:
    """Holds for just the version that was seen: a wish that came since is not written over.

    `ends` are fields of the spec that go with the annotations, in one write.
    """
    metadata = found["metadata"]
    version = metadata.get("resourceVersion", "")
    gone = {"spec": ends} if ends else {}
    return Annotate(found["kind"], metadata["name"], annotations, shows, version, gone)


def leftovers(objects: Objects) -> Iterator[Effect]:
    """What belongs to apps whose Deployment is gone: their users deleted them."""
    living = {deployment["metadata"]["name"] for deployment in objects.deployments}
    for kind, items in (
        ("Deployment", objects.deployments),
        ("Service", objects.services),
        (kept.KIND, objects.templates),
    ):
        for item in items:
            labels = labels_of(item)
            ours = labels.get(names.MANAGED_BY) == names.OUTRIDER
            if ours and names.APP in labels and labels[names.APP] not in living:
                yield Delete(kind, item["metadata"]["name"])
    users = [one for one in objects.deployments if not servable.is_ours(one)]
    for service in objects.services:
        if not servable.is_ours(service) and not any(
            servable.selects(service, deployment) for deployment in users
        ):
            yield from homeward(service)


def is_over(canaries: Iterable[Canary], objects: Objects) -> bool:
    """Whether every app of the namespace is given back, and no trace of us is left on any."""
    busy = any(
        one.generated or one.status.phase not in (Phase.NEW, Phase.TERMINATED) for one in canaries
    )
    items = (*objects.deployments, *objects.services)
    marked = any(
        mark in annotations_of(item)
        for item in items
        for mark in (*MARKS, names.ROUTE, names.ORIGIN)
    )
    clones = any(
        names.APP in labels_of(item) and servable.is_ours(item)
        for item in (*items, *objects.templates)
    )
    return not busy and not marked and not clones
