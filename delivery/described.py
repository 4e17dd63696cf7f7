"""The Service that a Canary describes: made where nobody has written it, and its user's then.

It goes with the Deployment and not with the Canary: who gives an app back is still called by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from delivery.canary import Canary
from delivery.decision import Create
from delivery.observation import Observation
from delivery.pair import named
from delivery.pods import Object
from delivery.wanting import container_ports


def described(canary: Canary, target: Object) -> Object | None:
    """As its user could have written it; None where the Canary says nothing of a Service."""
    words, metadata = canary.words, target["metadata"]
    if not words.port:
        return None
    owner = {key: metadata[key] for key in ("name", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": canary.service,
            "namespace": canary.namespace,
            "labels": dict(words.labels),
            "annotations": dict(words.annotations),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", **owner}],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": dict(target["spec"]["selector"]["matchLabels"]),
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


def with_described(canary: Canary, target: Object, services: Sequence[Object]) -> Sequence[Object]:
    """The Services as they will be when the app is adopted."""
    wanted = described(canary, target)
    if wanted is None or named(services, canary.service):
        return services
    return (*services, wanted)


def effects(canary: Canary, seen: Observation) -> Iterator[Create]:
    """While it is not there; the status names it first."""
    if seen.target is None or seen.apex is not None or canary.status.apex != canary.service:
        return
    if wanted := described(canary, seen.target.manifest):
        yield Create(wanted)
