"""Apps whose traffic a router of somebody else's divides: what its objects should say, and do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from delivery import names, ownership
from delivery.apex import ports_of
from delivery.canary import Canary, Phase
from delivery.covering import covers
from delivery.decision import Apply, Delete, Disown, Effect, Write
from delivery.dropped import Answer, is_kept, why
from delivery.eligibility import Neighbours
from delivery.mapping import mapping
from delivery.observation import Observation, Routes
from delivery.pods import annotations_of
from delivery.routers.interface import Object
from delivery.routers.marks import app_of, half_name, is_made
from delivery.routers.table import ROUTERS, router_of
from delivery.switching import held
from delivery.wanting import leads_nowhere, occupied, port

UNROUTED = (Phase.NEW, Phase.TERMINATED)
"""Phases in which nothing of a router's is ours."""

Claims = Mapping[str, str]
"""The external router of each app that is routed by one."""


def neighbours(canary: Canary, around: Neighbours) -> Neighbours:
    """What stands beside an app, as far as it matters to the one that divides its traffic."""
    opaque = canary.external and canary.words.app_protocol.lower() == "tcp"
    return replace(around, external=canary.external, opaque=opaque)


def refusals(canary: Canary, service: Object | None, routes: Routes) -> tuple[str, ...]:
    """Why an app that is not ours yet cannot be routed."""
    if not canary.external or service is None:
        return ()
    status = replace(canary.status, apex=service["metadata"]["name"])
    found = obstacle(replace(canary, status=status), routes)
    return (found,) if found else ()


def effects(canary: Canary, seen: Observation) -> Iterator[Effect]:
    """What the objects do not say yet. The mark on the primary's Service comes first: it tells
    whoever finds no Canary any more which kinds to look at.
    """
    if not canary.external or canary.status.apex_moved is None or obstacle(canary, seen.routes):
        return
    if held_back(canary, seen) or any(occupied(canary, seen.services.values())):
        return
    if mark_of(canary, seen) == canary.provider:
        yield from missing(canary, seen)


def missing(canary: Canary, seen: Observation) -> Iterator[Apply | Write]:
    """But for what would not be stored as it is asked for."""
    for one in differing(canary, seen):
        answer = answer_to(one, seen.routes)
        if answer is None or answer.due:
            yield one


def answer_to(effect: Apply | Write, routes: Routes) -> Answer | None:
    """What would become of it; None where nothing is known, or it is kept as it is."""
    answer = routes.answers.get(key(effect.manifest))
    if answer is None or is_kept(answer):
        return None
    return answer if answer.asked["spec"] == effect.manifest["spec"] else None


def dropped(canary: Canary, seen: Observation) -> str:
    """What the API server would not keep of what is intended, and what helps; else empty."""
    if not canary.external or canary.status.apex_moved is None or obstacle(canary, seen.routes):
        return ""
    due = () if held_back(canary, seen) else differing(canary, seen)
    answers = (answer_to(one, seen.routes) for one in due)
    return next((said for one in answers if one and (said := why(one))), "")


def is_routers(manifest: Object) -> bool:
    """Whether an object is one that a router of somebody else's reads."""
    return any(manifest["kind"] in router.kinds for router in ROUTERS.values())


def differing(canary: Canary, seen: Observation) -> Iterator[Apply | Write]:
    objects = seen.routes.objects
    for wanted in ROUTERS[canary.provider].manifests(led(safe(canary, seen), seen), objects):
        found = objects.get(key(wanted))
        if "resourceVersion" in wanted["metadata"]:
            if found != wanted:
                yield Write(wanted)
        elif found is None or not says(found, wanted):
            yield Apply(wanted)


def safe(canary: Canary, seen: Observation) -> Canary:
    """No share goes to a canary without pods: the status is as it was, the objects are not."""
    if seen.target is not None and seen.target.ready_pods:
        return canary
    nobody = replace(canary.status, canary_weight=0, matched=False, mirror_weight=0)
    return replace(canary, status=nobody)


def held_back(canary: Canary, seen: Observation) -> str:
    """Why nothing is begun: the port that is named is not there, and no object leads to another."""
    if seen.apex is None or any(of_app(canary.target, canary.provider, seen.routes)):
        return ""
    return next(port(canary, seen.apex), "")


def led(canary: Canary, seen: Observation) -> Canary:
    """To a port that is there, where the named one is not: a rollback may not wait until that is
    mended. Of several ports nobody knows which is meant: the objects keep theirs.
    """
    if seen.apex is None or not leads_nowhere(canary, seen.apex):
        return canary
    there = [one["port"] for one in ports_of(seen.apex)]
    objects = list(of_app(canary.target, canary.provider, seen.routes))
    kept = next(ports_to(half_name(canary, names.PRIMARY), objects), canary.words.port)
    number = there[0] if len(there) == 1 else kept
    return replace(canary, words=replace(canary.words, port=number))


def ports_to(service: str, found: Any) -> Iterator[int]:
    """Wherever in a router's object a destination is named with its port."""
    if isinstance(found, Mapping):
        if service in (found.get("host"), found.get("name")) and "port" in found:
            said = found["port"]
            yield said["number"] if isinstance(said, Mapping) else said
        found = list(found.values())
    if isinstance(found, list | tuple):
        for one in found:
            yield from ports_to(service, one)


def key(item: Object) -> tuple[str, str]:
    return str(item["kind"]), str(item["metadata"]["name"])


def says(found: Object, wanted: Object) -> bool:
    """All of the spec is ours: what is there too much, in a list, would count as well."""
    return bool(found.get("spec") == wanted["spec"]) and covers(
        found["metadata"], wanted["metadata"]
    )


def obstacle(canary: Canary, routes: Routes) -> str:
    """Why nothing can be written, or is known; empty where there is no such reason."""
    if canary.provider in routes.missing:
        return routes.missing[canary.provider]
    return ROUTERS[canary.provider].refused(canary, routes.objects)


def unshown(canary: Canary, seen: Observation) -> str:
    """Why the router does not do yet what the status intends; empty once it does."""
    refused = obstacle(canary, seen.routes) or held_back(canary, seen)
    if said := refused or dropped(canary, seen):
        return said
    if found := next(differing(canary, seen), None):
        kind, name = key(found.manifest)
        return f"{kind} {name} is being written"
    return ROUTERS[canary.provider].unready(canary, seen.routes.objects)


def mark_of(canary: Canary, seen: Observation) -> str:
    own = seen.services.get(half_name(canary, names.PRIMARY))
    return "" if own is None else annotations_of(own).get(names.ROUTED_BY, "")


def wanted_mark(canary: Canary, seen: Observation) -> str:
    """One that another router left stays until nothing of that is ours any more."""
    return canary.provider if canary.external else lingering(canary, seen)


def lingering(canary: Canary, seen: Observation) -> str:
    """Another router whose objects still speak of this app, or may do so."""
    mark = mark_of(canary, seen)
    if mark not in ROUTERS or (canary.external and mark == canary.provider):
        return ""
    unknown = is_unknown(mark, seen.routes)
    return mark if unknown or any(of_app(canary.target, mark, seen.routes)) else ""


def of_app(app: str, provider: str, routes: Routes) -> Iterator[Object]:
    kinds = ROUTERS[provider].kinds
    return (
        one for (kind, _), one in routes.objects.items() if kind in kinds and app_of(one) == app
    )


def restoring(app: str, namespace: str, provider: str, routes: Routes) -> Iterator[Effect]:
    """The objects as they were before us; users' ones first, for they lead to what stays."""
    gone = Canary(app, namespace, app, provider=provider)
    back = ROUTERS[provider].restored(gone, routes.objects)
    yield from (Write(one, last=True) for one in back.written)
    yield from (Delete(kind, name) for kind, name in back.deleted)


def is_restored(canary: Canary, seen: Observation) -> bool:
    """Whether nothing in the objects is of our making; what cannot be read is not known to be."""
    if not canary.external:
        return True
    if is_unknown(canary.provider, seen.routes):
        return False
    return not any(of_app(canary.target, canary.provider, seen.routes))


def is_unknown(provider: str, routes: Routes) -> bool:
    """Whether there may be objects that nobody could read."""
    return provider in routes.missing and provider not in routes.absent


def leaving(canary: Canary, seen: Observation) -> Iterator[Effect]:
    """Before the Services that they name go."""
    if canary.external and canary.provider not in seen.routes.missing:
        yield from restoring(canary.target, canary.namespace, canary.provider, seen.routes)


def leftovers(claimed: Claims, routes: Routes, namespace: str) -> Iterator[Effect]:
    """What is restored of apps that are not routed so any more: whose Canary was deleted, or names
    another provider. Wherever the apex Service leads then, it does not lead to a canary.
    """
    for provider, router in ROUTERS.items():
        of_kind = [one for (kind, _), one in routes.objects.items() if kind in router.kinds]
        for app in sorted({app_of(one) for one in of_kind} - {""}):
            if claimed.get(app) != provider:
                yield from restoring(app, namespace, provider, routes)
        yield from disowned(one for one in of_kind if not app_of(one))


def claims(canaries: Iterable[Canary], manifests: Iterable[Object]) -> Claims:
    """Where no Canary decides, one that cannot be read keeps the objects as they are."""
    read = [(target_of(raw), claim(raw)) for raw in manifests if not is_going(raw)]
    kept = {target: provider for target, provider in read if provider}
    deciding = {
        one.target: one.provider if one.external and one.status.phase not in UNROUTED else ""
        for one in canaries
    }
    return {**kept, **deciding}


def target_of(manifest: Object) -> str:
    return str(mapping(manifest, "spec", "targetRef").get("name", ""))


def claim(manifest: Object) -> str:
    routed = mapping(manifest, "status").get("phase", "") not in UNROUTED
    return router_of(mapping(held(manifest), "spec")) if routed else ""


def is_going(manifest: Object) -> bool:
    return "deletionTimestamp" in manifest["metadata"]


def disowned(items: Iterable[Object]) -> Iterator[Effect]:
    """What was given back before a crash may still be ours by its managedFields."""
    for one in items:
        fields = ownership.forsaken(one, names.AGENT_MANAGER)
        if fields is not None:
            metadata = one["metadata"]
            yield Disown(*key(one), tuple(fields), metadata.get("resourceVersion", ""))


def providers(manifests: Iterable[Object], services: Iterable[Object]) -> frozenset[str]:
    """The external routers whose objects must be read: named by a Canary, or left by one."""
    every = list(manifests)
    named = {router_of(mapping(one, "spec")) for one in (*every, *map(held, every))}
    left = {annotations_of(one).get(names.ROUTED_BY) for one in services if is_made(one)}
    return frozenset(one for one in ROUTERS if one in named | left)
