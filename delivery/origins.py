"""Where routed Services led before, of those on which somebody has spoilt what says so.

Admission lets nobody but the agent write names.ORIGIN; while it is down anybody may. What was made
from it is still there: the primary's Service has the target ports, the target the labels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from delivery import apex, names
from delivery.decision import Effect
from delivery.leaving import annotate
from delivery.mapping import mapping
from delivery.pair import Objects, named
from delivery.pods import Object, annotations_of
from delivery.wiring import Wiring, wiring


def is_spoilt(service: Object) -> bool:
    if names.ORIGIN not in annotations_of(service):
        return False
    return legibly(service) is None or bool(apex.forgotten(service))


def legibly(service: Object) -> Wiring | None:
    """What it says as far as that can be read; None where it says no selector."""
    found = wiring(said(service))
    return None if found is None or found.selector is None else found


def legible(found: Objects, canaries: Sequence[Object]) -> Objects:
    """The namespace with what the spoilt annotations must have said."""
    if not any(map(is_spoilt, found.services)):
        return found
    services = [mended(one, found, canaries) if is_spoilt(one) else one for one in found.services]
    return replace(found, services=services)


def repairs(found: Objects, stored: Iterable[Object]) -> list[tuple[Object, str, Effect]]:
    """Each such Service, why, and its annotation written again; `found` is legible."""
    spoilt = [one for one in stored if is_spoilt(one)]
    both = ((one, named(found.services, one["metadata"]["name"])) for one in spoilt)
    return [
        (one, why(before, said(one)), annotate(one, {names.ORIGIN: said(one)}, {}))
        for before, one in both
        if one
    ]


def said(service: Object) -> str:
    return annotations_of(service)[names.ORIGIN]


def why(before: Object, origin: str) -> str:
    lost = apex.forgotten(before)
    wrong = f"did not say where port {', '.join(lost)} led" if lost else "could not be read"
    return (
        f"annotation {names.ORIGIN} {wrong}: it is written anew as {origin}, as its "
        "primary's Service has it; if it is to lead elsewhere once its app is given back, apply "
        "your file of the Service again"
    )


def mended(service: Object, found: Objects, canaries: Sequence[Object]) -> Object:
    app = app_of(service, canaries)
    known = legibly(service) or Wiring(selector(service, app, found), {})
    origin = replace(known, ports={**dict(targets(service, made(app, found))), **known.ports})
    metadata = service["metadata"]
    annotations = {**annotations_of(service), names.ORIGIN: str(origin)}
    return {**service, "metadata": {**metadata, "annotations": annotations}}


def app_of(service: Object, canaries: Sequence[Object]) -> tuple[str, str]:
    """The target's name, and the one by which the Services of its halves are called."""
    name = str(service["metadata"]["name"])
    for one in canaries:
        spec = mapping(one, "spec")
        if name in routed(one):
            target = str(mapping(spec, "targetRef").get("name", ""))
            return target, str(mapping(spec, "service").get("name") or target)
    return name, name


def routed(canary: Object) -> set[str]:
    """The Services that its status says are routed."""
    status = mapping(canary, "status")
    main = str(status.get("apexService", ""))
    return {main, *(apex.owner(main, str(key)) for key in mapping(status, "routerPorts"))}


def made(app: tuple[str, str], found: Objects) -> Object | None:
    """The primary's Service."""
    return named(found.services, names.suffixed(app[1], names.PRIMARY))


def selector(service: Object, app: tuple[str, str], found: Objects) -> Mapping[str, str]:
    """Its own, where that is not of our making; else that of the target, which finds its pods."""
    own = mapping(service, "spec", "selector")
    if names.ROLE not in own and not apex.leads_to_routers(service):
        return own
    target = named(found.deployments, app[0])
    wanted = mapping(target, "spec", "selector", "matchLabels") or own
    return {key: value for key, value in wanted.items() if key != names.ROLE}


def targets(service: Object, own: Object | None) -> Iterator[tuple[str, int | str]]:
    """What is none of the routers' ports is as its user wrote it."""
    known = {} if own is None else {one["port"]: one for one in apex.ports_of(own)}
    routed, lost = apex.leads_to_routers(service), apex.forgotten(service)
    for port in apex.ports_of(service):
        target = apex.own_target(port)
        ours = target in names.LISTENERS and (routed or apex.number(port) in lost)
        yield apex.number(port), made_for(port, known) if ours else target


def made_for(port: Mapping[str, Any], known: Mapping[int | str, Mapping[str, Any]]) -> int | str:
    """What the primary's Service targets, unless that was made when nobody knew it either."""
    target = apex.own_target(port)
    # A further Service's port has the routers' number there (intent.more_ports).
    found = known.get(port["port"]) or known.get(target) or {"port": port["port"]}
    own = apex.own_target(found)
    return int(port["port"]) if own == target else own
