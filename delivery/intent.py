"""What is to be done, from the intent alone: what the world does not show yet, in safe order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from delivery import (
    apex,
    described,
    external,
    kept,
    leaving,
    names,
    ownership,
    placement,
    servable,
    takeover,
    workload,
)
from delivery.by_hand import consumption
from delivery.canary import RESTING, Canary, Phase, Status
from delivery.covering import covers
from delivery.decision import Apply, Disown, Effect, Replace
from delivery.leaving import annotate, unpaused
from delivery.mapping import mapping
from delivery.observation import Observation, Workload
from delivery.pods import annotations_of

ADOPTED = frozenset(Phase) - {Phase.NEW, Phase.INITIALIZING}


def effects(canary: Canary, seen: Observation) -> tuple[Effect, ...]:
    """Every effect still missing; none when the world is as intended.

    The order is the safe one: what serves first, then what leads to it, then what may go.
    """
    return (*consumption(canary), *missing(canary, seen))


def missing(canary: Canary, seen: Observation) -> tuple[Effect, ...]:
    if seen.target is None:
        return ()
    if canary.status.phase is Phase.NEW:
        return tuple(described.effects(canary, seen))
    if canary.status.phase in (Phase.TERMINATING, Phase.TERMINATED):
        routed = canary.status.apex_moved is not None
        kept = pair_effects(canary, seen, seen.target) if routed else ()
        return (*kept, *leaving.effects(canary, seen, seen.target))
    halves = pair_effects(canary, seen, seen.target)
    return (*halves, *(target_effects(canary, seen.target) if seen.apexes else ()))


def pair_effects(canary: Canary, seen: Observation, target: Workload) -> Iterator[Effect]:
    """What serves, and what leads to it."""
    yield from takeover.claims(canary, seen, workload.marks(canary))
    yield from kept.effects(canary, seen)
    yield from primary_effects(canary, seen, target)
    yield from described.effects(canary, seen)
    if seen.apex is not None:
        yield from service_effects(canary, seen, seen.apex)
    for service in seen.apexes:
        yield from apex_effects(canary, seen, service)
    for service in seen.strays:
        yield from leaving.homeward(service)
    yield from external.effects(canary, seen)


def primary_revision(status: Status) -> str:
    """The revision that the primary should run: the analysed one from promotion on."""
    promoting = status.phase in (Phase.PROMOTING, Phase.FINALISING)
    return status.observed if promoting else status.promoted


def primary_size(canary: Canary) -> int:
    stopped = canary.stop and canary.status.stopped
    return 0 if stopped else canary.status.replicas or 1


def primary_effects(canary: Canary, seen: Observation, target: Workload) -> Iterator[Effect]:
    revision = primary_revision(canary.status)
    template = seen.revisions.get(revision)
    if template is None:
        return
    if seen.primary:
        selector = seen.primary.manifest["spec"]["selector"]["matchLabels"]
        template = takeover.as_primary(template, seen.primary.manifest, target.manifest)
    else:
        selector = workload.primary_labels(target.manifest)
    manifest = workload.primary(
        canary,
        target.manifest,
        template=template,
        selector=selector,
        replicas=primary_size(canary),
    )
    if seen.primary is None:
        yield Replace(manifest)
    elif seen.primary.revision != revision:
        yield Replace(over(seen.primary, manifest), put_back(canary, seen.primary))
    elif differs(seen.primary, manifest):
        # What runs the revision already is not touched: another word for the same restarts pods.
        template = seen.primary.manifest["spec"]["template"]
        yield Replace(over(seen.primary, {"spec": {**manifest["spec"], "template": template}}))


def over(primary: Workload, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """As wanted, with the labels and annotations that others have put on the Deployment itself."""
    found = primary.manifest["metadata"]
    labels = {**(found.get("labels") or {}), **mapping(wanted, "metadata", "labels")}
    return {**primary.manifest, "metadata": {**found, "labels": labels}, "spec": wanted["spec"]}


def put_back(canary: Canary, primary: Workload) -> str:
    """What is told of a revision that nobody has released; empty for any other."""
    status = canary.status
    ours = (status.promoted, status.observed, status.failed, status.previous)
    if primary.revision in ours or not servable.is_ours(primary.manifest):
        return ""
    return (
        f"Deployment {primary.name} was changed by somebody else, and is put back: what it runs is "
        f"what was promoted; change Deployment {canary.target} instead"
    )


def differs(primary: Workload, wanted: Mapping[str, Any]) -> bool:
    """Whether the primary is not as wanted in what else we own: its size, and how it rolls."""
    found, spec = primary.manifest["spec"], wanted["spec"]
    ours = (key for key in spec if key not in ("template", "selector"))
    return bool(found.get("paused")) or any(found.get(key) != spec[key] for key in ours)


def service_effects(
    canary: Canary, seen: Observation, service: Mapping[str, Any]
) -> Iterator[Effect]:
    ports = (*apex.own_ports(service), *more_ports(canary, seen, service))
    own = apex.home(service, seen)["selector"]
    selectors = {names.CANARY: {**own, names.ROLE: names.CANARY}}
    if seen.primary:
        selectors[names.PRIMARY] = seen.primary.manifest["spec"]["selector"]["matchLabels"]
    for role, selector in selectors.items():
        router = external.wanted_mark(canary, seen) if role == names.PRIMARY else ""
        manifest = workload.role_service(
            canary, role, selector=selector, ports=ports, router=router
        )
        found = seen.services.get(manifest["metadata"]["name"])
        if found is None or (servable.is_half(found) and not is_as_said(found, manifest, router)):
            yield Apply(manifest)


def is_as_said(found: Mapping[str, Any], manifest: Mapping[str, Any], router: str) -> bool:
    """Nothing of it is missing, and nothing is left of what was said before."""
    same = annotations_of(found).get(names.ROUTED_BY, "") == router
    said = {key: manifest["metadata"].get(key) or {} for key in ("labels", "annotations")}
    left = any(
        ownership.applied_keys(found, names.AGENT_MANAGER, key) - said[key].keys() for key in said
    )
    written = covers(found["metadata"], {key: value for key, value in said.items() if value})
    return same and not left and written and covers(found["spec"], manifest["spec"])


def more_ports(
    canary: Canary, seen: Observation, service: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """What other Services of the app target and the first one does not, each under the router's
    own number for it, which no port of theirs has: so that routers without news find the primary.
    """
    known = {apex.own_target(port) for port in apex.own_ports(service)}
    used = set(map(apex.number, apex.ports_of(service)))
    for other in seen.beside:
        listeners = apex.listeners(canary, other)
        for port in apex.own_ports(other):
            listener = listeners.get(apex.number(port))
            if listener and port["targetPort"] not in known and str(listener) not in used:
                known.add(port["targetPort"])
                yield {**port, "name": f"{names.OUTRIDER}-{listener}", "port": listener}


def apex_effects(canary: Canary, seen: Observation, service: Mapping[str, Any]) -> Iterator[Effect]:
    route = apex.wanted_route(canary, seen, service)
    if route is None:
        return
    if apex.leads_to(service) == route:
        yield from disowned(service, ownership.APEX)
        return
    yield annotate(service, apex.said(service, seen, route), apex.shown(service, route))


def target_effects(canary: Canary, target: Workload) -> Iterator[Effect]:
    """The hold while the app is adopted, the held number of replicas ever after."""
    status = canary.status
    annotations: dict[str, str | None] = {}
    shows: dict[str, Any] = {}
    ends: Mapping[str, Any] = {}
    holding = status.phase is Phase.INITIALIZING and status.scale is None
    if holding and not target.paused:
        annotations[names.HOLD], shows["paused"] = "true", True
        annotations[names.CANARY_OF] = canary.name
    if not holding and target.on_hold:
        annotations[names.HOLD], ends = None, unpaused(target)
        shows |= ends
    if status.scale is not None and not is_held(canary, target):
        annotations[names.SCALE] = str(status.scale)
        annotations[names.HELD_AT] = str(target.manifest["metadata"].get("generation", 0))
        annotations[names.REPLICAS] = str(status.replicas or 1)
        annotations[names.CANARY_OF] = canary.name
        shows["replicas"] = status.scale
        shows["template"] = {"metadata": {"labels": {names.ROLE: names.CANARY}}}
    if names.LEAVING in annotations_of(target.manifest):
        # Somebody else's word: as long as it stands there, admission keeps the role away.
        annotations[names.LEAVING] = None
    placing = placed(canary, target) if status.scale is not None else {}
    annotations |= placing
    if annotations:
        said = annotate(target.manifest, annotations, {"spec": shows}, ends=ends)
        yield replace(said, hopes=hoped(target, placing))
    elif status.scale is not None:
        template = target.manifest["spec"]["template"]
        more = ownership.PLACED if placement.is_placed(template) else ()
        yield from disowned(target.manifest, (*ownership.TARGET, *more))


def placed(canary: Canary, target: Workload) -> dict[str, str | None]:
    """Where the canary's pods shall run, said while none runs: a release is not disturbed by it."""
    wanted = canary.analysis.placement or None
    said = annotations_of(target.manifest).get(names.CANARY_TEMPLATE)
    at_rest = canary.status.phase in RESTING and not canary.status.scale
    return {names.CANARY_TEMPLATE: wanted} if wanted != said and at_rest else {}


def hoped(target: Workload, placing: Mapping[str, str | None]) -> Mapping[str, Any]:
    """What the template bears then; the pods run anywhere until it does."""
    if not placing:
        return {}
    template = target.manifest["spec"]["template"]
    mark = placement.added(template, placing[names.CANARY_TEMPLATE] or "")
    marks = {"annotations": {names.CANARY_TEMPLATE: mark}}
    return {"spec": {"template": {"metadata": marks}}} if mark else {}


def disowned(found: Mapping[str, Any], held: Sequence[ownership.Path]) -> Iterator[Effect]:
    fields = ownership.disowned(found, held)
    if fields is not None:
        metadata = found["metadata"]
        version = metadata.get("resourceVersion", "")
        yield Disown(found["kind"], metadata["name"], tuple(fields), version)


def is_held(canary: Canary, target: Workload) -> bool:
    """At the intended number, and in the name of this Canary: another one may have held it."""
    name = annotations_of(target.manifest).get(names.CANARY_OF)
    scale = canary.status.scale
    return (name, target.held, target.replicas) == (canary.name, scale, scale)
