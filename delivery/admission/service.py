"""A Service at admission: selector and targetPorts follow the agent's route, and find back."""

from collections.abc import Iterator, Mapping
from typing import Any

from delivery import names
from delivery.admission.answer import Answer
from delivery.admission.ours import annotations, carried, complaint, rewritten, version
from delivery.admission.patch import Operation, changes, edits
from delivery.admission.request import Request
from delivery.mapping import mapping
from delivery.wiring import NOTHING, Wiring, behind, wiring


def service(request: Request) -> Answer:
    """Our annotations are put right, a new wish is noted in them, the fields follow from them."""
    if request.creates and request.by_agent:
        return Answer("unchanged")
    kept = carried(request)
    route = wiring(kept.get(names.ROUTE))
    if names.ROUTE in kept and route is None:
        said = complaint(request, names.ROUTE, kept)
        return Answer("unreadable", rewritten(request, kept), (said,))
    wish = {} if request.creates else wished(request, kept, route)
    origin = wiring((kept | wish).get(names.ORIGIN)) or stored(request, names.ORIGIN)
    if request.by_agent and route is None and names.ROUTE in annotations(request.old):
        kept = without(kept, names.ORIGIN, names.WISHED)
    operations = rewritten(request, kept | wish) + fields(request, wired(request, route, origin))
    said = f"outrider: {request.name} stays routed; its selector and targetPort count afterwards"
    hints = (said,) if wish and not request.by_agent else ()
    return Answer(decided(request, bool(wish), operations), operations, hints)


def without(kept: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in kept.items() if key not in keys}


def stored(request: Request, key: str) -> Wiring:
    return wiring(annotations(request.old).get(key)) or NOTHING


def wished(request: Request, kept: Mapping[str, Any], route: Wiring | None) -> dict[str, str]:
    """ORIGIN anew, where somebody asks for another wiring than the one that is routed."""
    if route is None:
        return {}
    origin = wiring(kept.get(names.ORIGIN))
    if request.by_agent:
        begins = names.ROUTE not in annotations(request.old) and origin is None
        return {names.ORIGIN: str(asked_first(request, route))} if begins else {}
    wish = asked(request, route, origin or NOTHING)
    if wish == (origin or NOTHING):
        return {}
    return {names.ORIGIN: str(wish), names.WISHED: version(request)}


def asked_first(request: Request, route: Wiring) -> Wiring:
    """The user's own wiring, when the agent begins to route."""
    targets = {port: target for port, target in targets_of(request.old) if port in route.ports}
    return Wiring(mapping(request.old, "spec", "selector"), targets)


def asked(request: Request, route: Wiring, origin: Wiring) -> Wiring:
    """The wiring that the user wants by this request; what of ours merely stands there is none."""
    selector = origin.selector
    sent, before = (mapping(one, "spec", "selector") for one in (request.object, request.old))
    if route.selector is not None and sent not in (route.selector, before):
        selector = unmerged(sent, route.selector, origin.selector or {})
    own = behind(route, origin)
    stands = {port: to for port, to in targets_of(request.old) if to in names.LISTENERS}
    # A port that got another one's number by hand has brought the router's port along. What is none
    # of the routers' ports was written while nobody asked us: it counts whenever we see it.
    ports = {
        port: own.get(target, target)
        for port, target in targets_of(request.object)
        if target not in (route.ports.get(port, target), stands.get(port))
    }
    return Wiring(selector, {**origin.ports, **ports})


def unmerged(
    sent: Mapping[str, Any], routed: Mapping[str, str], origin: Mapping[str, str]
) -> dict[str, str]:
    """The user's selector out of a strategic merge with the routed one.

    A client-side apply of a Service merges selectors key by key, so that the routed selector's
    own keys are still in what arrives.
    """
    return {
        key: str(value) for key, value in sent.items() if key in origin or routed.get(key) != value
    }


def targets_of(document: Mapping[str, Any]) -> Iterator[tuple[str, int | str]]:
    """Port number and targetPort of each port that has both."""
    for _, port in ports_of(document):
        target = port.get("targetPort")
        if isinstance(target, int | str):
            yield str(port.get("port")), target


def ports_of(document: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    ports = mapping(document, "spec").get("ports")
    for index, port in enumerate(ports if isinstance(ports, list) else ()):
        if isinstance(port, Mapping):
            yield index, port


def wired(request: Request, route: Wiring | None, origin: Wiring) -> Wiring:
    """The wiring that the Service shall have; what an ended route had set goes back to its origin.

    Only the agent can end a route: for everybody else the stored route is the one that holds.
    """
    now, before = route or NOTHING, stored(request, names.ROUTE)
    selector = now.selector
    if selector is None and before.selector is not None:
        selector = origin.selector
    ended = route is None and before.ports
    back = {port: to for port, to in origin.ports.items() if ended or port in before.ports}
    return Wiring(selector, {**back, **now.ports})


def fields(request: Request, wanted: Wiring) -> tuple[Operation, ...]:
    """The operations that make the fields say what is wanted."""
    operations: tuple[Operation, ...] = ()
    if not mapping(request.object, "spec"):
        return operations
    if wanted.selector is not None:
        operations += edits(request.object, ("spec",), {"selector": dict(wanted.selector)})
    for index, port in ports_of(request.object):
        target = wanted.ports.get(str(port.get("port")))
        if target is not None:
            operations += changes(("spec", "ports", index), port, {"targetPort": target})
    return operations


def decided(request: Request, wish: bool, operations: tuple[Operation, ...]) -> str:
    """The decision in one word, for metrics and the audit log."""
    if request.by_agent:
        return "agent"
    if wish:
        return "wish"
    return "kept" if operations else "unchanged"
