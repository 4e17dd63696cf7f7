"""The Service that a Canary describes: made where nobody has written it, and its user's then.

It goes with the Deployment and not with the Canary, for an app that is given back is called by it
still; with neither, as soon as its user has a file of it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from delivery import apex, eligibility, names, ownership, servable
from delivery.canary import Canary, Phase
from delivery.decision import Claim, Create
from delivery.eligibility import Neighbours
from delivery.mapping import mapping
from delivery.observation import Observation
from delivery.pair import named
from delivery.pods import Object
from delivery.takeover import claimed
from delivery.wanting import container_ports

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
PORT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def described(canary: Canary, target: Object) -> Object | None:
    """As its user could have written it; None where the Canary says nothing of a Service."""
    words, metadata = canary.words, target["metadata"]
    selector = mapping(target, "spec", "selector", "matchLabels")
    if not words.port or not selector:
        return None
    owner = {key: metadata[key] for key in ("name", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": canary.status.apex or canary.service,
            "namespace": canary.namespace,
            "labels": dict(words.labels),
            "annotations": dict(words.annotations),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", **owner}],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": dict(selector),
            "ports": [main_port(canary), *further_ports(canary, target)],
        },
    }


def main_port(canary: Canary) -> Mapping[str, Any]:
    words = canary.words
    protocol = {"appProtocol": words.app_protocol} if words.app_protocol else {}
    return {
        "name": words.port_name or "http",
        "protocol": "TCP",
        "port": words.port,
        "targetPort": words.target_port,
        **protocol,
    }


def further_ports(canary: Canary, target: Object) -> Iterator[Mapping[str, Any]]:
    """Those of the containers."""
    if not canary.words.port_discovery:
        return
    main = canary.words.target_port
    for port in container_ports(target):
        name, number = port["name"], port["containerPort"]
        if main not in (name, number):
            yield {"name": name, "protocol": "TCP", "port": number, "targetPort": number}


def expected(canary: Canary, target: Object, services: Sequence[Object]) -> Object | None:
    """What is to be made; None where nothing is, or it is there."""
    if named(services, canary.status.apex or canary.service):
        return None
    return described(canary, target)


def beside(canary: Canary, target: Object, around: Neighbours) -> Neighbours:
    """What will stand beside the app once the Service is made."""
    wanted = expected(canary, target, around.services)
    return replace(around, services=(*around.services, wanted)) if wanted else around


def refusals(canary: Canary, target: Object, around: Neighbours) -> tuple[str, ...]:
    """Why the Deployment is left alone, also with the Service that it will have."""
    found = eligibility.refusals(target, beside(canary, target, around))
    return (*found, *unservable(canary, target, around.services))


def standing_refusals(
    canary: Canary, target: Object, primary: Object | None, around: Neighbours
) -> tuple[str, ...]:
    """Of an app that may have a primary: ours, Flagger's, or what is called so by chance."""
    if primary is None or servable.is_foreign(primary):
        return refusals(canary, target, around)
    if servable.is_ours(primary):
        return ()
    return (
        *eligibility.takeover_refusals(target, beside(canary, target, around)),
        *servable.in_the_way(canary.service or canary.target, around.services),
    )


def unservable(canary: Canary, target: Object, services: Sequence[Object]) -> Iterator[str]:
    """Why a Service cannot be made, or the one that is there is not this app's."""
    found, wanted = named(services, canary.service), expected(canary, target, services)
    if (
        found is not None
        and not servable.is_flaggers(found)
        and not servable.selects(found, target)
    ):
        yield (
            f"Service {canary.service}, which spec.service names, does not select its pods: name "
            "one that does"
        )
    if wanted is not None:
        yield from invalid(wanted)
    if canary.service not in ("", canary.target):
        yield from servable.in_the_way(canary.service, services)


def invalid(wanted: Object) -> Iterator[str]:
    """What the API server would not take."""
    name, ports = wanted["metadata"]["name"], wanted["spec"]["ports"]
    if not LABEL.fullmatch(name):
        yield f"Service {name} cannot be made, its name is no DNS label: set spec.service.name"
    for port in ports:
        if not PORT_NAME.fullmatch(port["name"]):
            yield (
                f"port {port['port']} of Service {name} cannot be named {port['name']}: use at "
                "most 63 small letters, digits and dashes"
            )
    for key in ("name", "port"):
        counted = Counter(port[key] for port in ports)
        for one in (one for one, times in counted.items() if times > 1):
            yield (
                f"Service {name} would have two ports of the {key} {one}: change one in the "
                "containers, or write the Service yourself"
            )


def effects(canary: Canary, seen: Observation) -> Iterator[Claim | Create]:
    """The status says first that it is made, and then what became of it."""
    if seen.target is None or not canary.status.apex:
        return
    if seen.apex is not None:
        yield from left_to_its_user(canary, seen.apex)
        return
    wanted = described(canary, seen.target.manifest)
    if wanted is not None and canary.status.made and not held_back(canary, seen):
        yield Create(routed(canary, seen, wanted))


def held_back(canary: Canary, seen: Observation) -> bool:
    """What is not adopted gets nothing that it does not have."""
    unwanted = seen.refusals or seen.leaving or canary.suspend or canary.unbuilt
    return canary.status.phase is Phase.NEW and bool(unwanted)


def routed(canary: Canary, seen: Observation, wanted: Object) -> Object:
    """Leading at once where the one before led: nobody is sent where nobody should be."""
    route = apex.wanted_route(canary, seen, wanted)
    if route is None:
        return wanted
    metadata, said = wanted["metadata"], apex.said(wanted, seen, route)
    spec = {**wanted["spec"], **apex.shown(wanted, route)["spec"], "selector": route["selector"]}
    annotations = {**metadata["annotations"], **said}
    return {**wanted, "metadata": {**metadata, "annotations": annotations}, "spec": spec}


def is_its_users(service: Object) -> bool:
    """Whether somebody else has written into its spec, by a file or by hand."""
    return any(
        "f:spec" in mapping(entry, "fieldsV1") and not entry.get("subresource")
        for entry in ownership.of_others(service, names.AGENT_MANAGER)
    )


def taken_over(canary: Canary, seen: Observation) -> bool:
    """Whether what we made has become its user's."""
    return canary.status.made and seen.apex is not None and is_its_users(seen.apex)


def left_to_its_user(canary: Canary, service: Object) -> Iterator[Claim]:
    """It stays then when its Deployment goes."""
    for claim in claimed(service, {}, partial(is_target, canary)):
        if ownership.says_whose(service, names.AGENT_MANAGER) and is_its_users(service):
            yield claim


def is_made(target: Object, service: Object) -> bool:
    """Whether it was made for this Deployment, and nobody else has written it since."""
    return target["metadata"].get("uid") in owners(target, service) and not is_its_users(service)


def is_doomed(target: Object, service: Object) -> bool:
    """Whether it goes with a Deployment that had the same name before this one."""
    found = owners(target, service)
    return bool(found) and target["metadata"].get("uid") not in found


def owners(target: Object, service: Object) -> frozenset[str]:
    """The uids of the Deployments of the target's name that it goes with."""
    wanted = ("Deployment", servable.name_of(target))
    found = service["metadata"].get("ownerReferences") or ()
    return frozenset(one["uid"] for one in found if (one.get("kind"), one.get("name")) == wanted)


def is_target(canary: Canary, owner: Mapping[str, Any]) -> bool:
    return (owner.get("kind"), owner.get("name")) == ("Deployment", canary.target)
