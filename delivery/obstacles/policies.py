"""Whether the namespace's NetworkPolicies let the routers do their work; if not, what to add."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from delivery import names, network_policy, pods
from delivery.apex import ROUTER_SELECTOR, own_ports, own_target
from delivery.network_policy import EGRESS, INGRESS, Labels, Place, Port, Rule
from delivery.obstacles.grounds import UNKNOWN, Grounds
from delivery.pods import Object, labels_of

NAME = "app.kubernetes.io/name"
ROUTERS: Labels = {**ROUTER_SELECTOR, names.MANAGED_BY: names.OUTRIDER}
AGENTS: Labels = {NAME: names.AGENT, names.MANAGED_BY: names.OUTRIDER}
OUR_ROUTERS = f"pods labelled {NAME}={names.ROUTER}"
OUR_AGENTS = f"pods labelled {NAME}={names.AGENT}"
LISTENERS = Port(names.LISTENERS.start, names.LISTENERS.stop - 1)
LISTENED = f"ports {LISTENERS.first} to {LISTENERS.last}"
XDS = Port(names.XDS_PORT, name="grpc-xds")
STATS = Port(names.ROUTER_STATS_PORT, name="https-stats")
DNS = Port(53, protocol="UDP")

Admits = Callable[[Rule], bool]


def of_policies(
    template: Mapping[str, Any], services: Sequence[Object], grounds: Grounds
) -> Iterator[str]:
    """Cluster-wide policies and those of other projects are not looked at."""
    policies = sorted(grounds.policies, key=lambda one: str(one["metadata"]["name"]))
    if not policies:
        return
    place = Place(grounds.labels, grounds.routers)
    app = {**labels_of({"metadata": {}, **template}), names.ROLE: names.PRIMARY}
    ports = sorted(ports_of(template, services), key=lambda one: one.first)
    early = f"{UNKNOWN}, no router runs yet: "
    prefix = early if not grounds.routers and any(map(has_ranges, policies)) else ""
    for reason in (
        *around_the_app(policies, place, app, ports),
        *between_clients_and_routers(policies, app, ports),
        *among_ourselves(policies, place),
    ):
        yield f"{prefix}{reason}"


def ports_of(template: Mapping[str, Any], services: Sequence[Object]) -> Iterator[Port]:
    """The ports of the app's pods that its Services lead to."""
    found = {
        pods.port_number(template, own_target(port)) for one in services for port in own_ports(one)
    }
    boxes = template["spec"]["containers"]
    called = {
        p["containerPort"]: p.get("name", "") for box in boxes for p in box.get("ports") or ()
    }
    return (Port(number, name=called.get(number, "")) for number in found if number is not None)


def around_the_app(
    policies: Sequence[Object], place: Place, app: Labels, ports: Sequence[Port]
) -> Iterator[str]:
    for port in ports:
        from_routers = admitting(INGRESS, ROUTERS, place)
        if found := refusing(policies, INGRESS, app, port=port, admits=from_routers):
            yield f"{found} refuses the routers on port {port.first}: admit {OUR_ROUTERS} there"
        to_app = admitting(EGRESS, app, place)
        if found := refusing(policies, EGRESS, ROUTERS, port=port, admits=to_app):
            text = f"let {OUR_ROUTERS} reach port {port.first} of the app's pods"
            yield f"{found} keeps the routers from the app: {text}"


def between_clients_and_routers(
    policies: Sequence[Object], app: Labels, ports: Sequence[Port]
) -> Iterator[str]:
    """Whoever may call the app must be able to call the routers in its place."""
    above = network_policy.isolating(policies, INGRESS, ROUTERS)
    kept = network_policy.isolating(policies, INGRESS, app)
    open_to = [
        network_policy.peers(rule, INGRESS)
        for rule in network_policy.rules(above, INGRESS, LISTENERS)
    ]
    admitted = [peer for said in open_to for peer in said]
    if not above or () in map(tuple, open_to):
        return
    callers = [
        network_policy.peers(rule, INGRESS)
        for port in ports
        for rule in network_policy.rules(kept, INGRESS, port)
    ]
    wanted = [peer for said in callers for peer in said if peer not in (*admitted, ROUTER_PEER)]
    if wanted or not kept or () in map(tuple, callers):
        text = f"admit whoever may call the app to {LISTENED} of {OUR_ROUTERS}"
        yield f"{listed(above)} refuses clients of the routers: {text}"


ROUTER_PEER = {"podSelector": {"matchLabels": dict(ROUTER_SELECTOR)}}


def among_ourselves(policies: Sequence[Object], place: Place) -> Iterator[str]:
    """Routers need their agents and DNS, agents need their routers."""
    found = refusing(
        policies, INGRESS, AGENTS, port=XDS, admits=admitting(INGRESS, ROUTERS, place)
    ) or refusing(policies, EGRESS, ROUTERS, port=XDS, admits=admitting(EGRESS, AGENTS, place))
    if found:
        text = f"let {OUR_ROUTERS} reach port {XDS.first} of {OUR_AGENTS}"
        yield f"{found} keeps the routers from their agents: {text}"
    from_agents = admitting(INGRESS, AGENTS, place)
    found = refusing(policies, INGRESS, ROUTERS, port=STATS, admits=from_agents) or refusing(
        policies, INGRESS, ROUTERS, port=LISTENERS, admits=from_agents
    )
    if found:
        text = f"let {OUR_AGENTS} reach port {STATS.first} and {LISTENED} of {OUR_ROUTERS}"
        yield f"{found} keeps the agents from the routers: {text}"
    if found := refusing(policies, EGRESS, ROUTERS, port=DNS, admits=lambda rule: True):
        yield f"{found} keeps the routers from DNS: let {OUR_ROUTERS} reach port 53"


def admitting(direction: str, peer: Labels, place: Place) -> Admits:
    return lambda rule: network_policy.admits(rule, direction, peer, place)


def refusing(
    policies: Sequence[Object], direction: str, pod: Labels, *, port: Port, admits: Admits
) -> str:
    """The policies that a pod is under, where none of them admits it; empty where one does."""
    above = network_policy.isolating(policies, direction, pod)
    if not above or any(map(admits, network_policy.rules(above, direction, port))):
        return ""
    return listed(above)


def listed(policies: Sequence[Object]) -> str:
    return f"NetworkPolicy {', '.join(one['metadata']['name'] for one in policies)}"


def has_ranges(policy: Object) -> bool:
    spec = policy["spec"]
    rules = (*(spec.get("ingress") or ()), *(spec.get("egress") or ()))
    return any(
        "ipBlock" in one for rule in rules for key in ("from", "to") for one in rule.get(key) or ()
    )
