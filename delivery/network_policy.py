"""NetworkPolicies, as Kubernetes reads them: which isolate a pod, and what they admit all the same.

An address range is tried with the addresses that are known of the namespace's own pods.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from delivery.frozen import frozen
from delivery.pods import Object
from delivery.selectors import matches

INGRESS, EGRESS = "Ingress", "Egress"
PEERS = {INGRESS: "from", EGRESS: "to"}
EVERYWHERE = ("0.0.0.0/0", "::/0")

Labels = Mapping[str, str]
Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Port:
    """A port, or a whole range, of the pod that is called; `name` is what that pod calls it."""

    first: int
    last: int = 0
    protocol: str = "TCP"
    name: str = ""


@dataclass(frozen=True)
class Place:
    """The namespace that all pods in question are in."""

    labels: Labels = field(default_factory=frozen)
    addresses: tuple[str, ...] = ()


def isolating(policies: Sequence[Object], direction: str, labels: Labels) -> Sequence[Object]:
    """The policies that a pod with these labels is under; without one everything is admitted."""
    return [
        one
        for one in policies
        if direction in types(one) and matches(one["spec"].get("podSelector") or {}, labels)
    ]


def types(policy: Object) -> Sequence[str]:
    spec = policy["spec"]
    said: Sequence[str] = spec.get("policyTypes") or ()
    return said or ((INGRESS, EGRESS) if spec.get("egress") else (INGRESS,))


def rules(policies: Sequence[Object], direction: str, port: Port) -> Iterator[Rule]:
    """Those that speak of the whole of this port."""
    for policy in policies:
        for rule in policy["spec"].get(direction.lower()) or ():
            ports = rule.get("ports")
            if not ports or any(covers(one, port) for one in ports):
                yield rule


def covers(said: Mapping[str, Any], port: Port) -> bool:
    if said.get("protocol", "TCP") != port.protocol:
        return False
    number = said.get("port")
    if isinstance(number, str):
        return number == port.name
    last = max(port.first, port.last)
    return number is None or bool(number <= port.first and last <= said.get("endPort", number))


def peers(rule: Rule, direction: str) -> Sequence[Mapping[str, Any]]:
    """Whom the rule admits; none stands for everybody."""
    said: Sequence[Mapping[str, Any]] = rule.get(PEERS[direction]) or ()
    return () if any(is_everybody(one) for one in said) else said


def is_everybody(peer: Mapping[str, Any]) -> bool:
    block = peer.get("ipBlock") or {}
    return block.get("cidr") in EVERYWHERE and not block.get("except")


def admits(rule: Rule, direction: str, labels: Labels, place: Place) -> bool:
    """Whether a pod of the same namespace with these labels is among the peers."""
    said = peers(rule, direction)
    return not said or any(is_peer(one, labels, place) for one in said)


def is_peer(peer: Mapping[str, Any], labels: Labels, place: Place) -> bool:
    if block := peer.get("ipBlock"):
        return bool(place.addresses) and all(within(block, one) for one in place.addresses)
    namespaces = peer.get("namespaceSelector")
    here = namespaces is None or matches(namespaces, place.labels)
    return here and matches(peer.get("podSelector") or {}, labels)


def within(block: Mapping[str, Any], address: str) -> bool:
    found = ip_address(address)
    excepted = any(found in ip_network(one, strict=False) for one in block.get("except") or ())
    return found in ip_network(block["cidr"], strict=False) and not excepted
