"""Whether the namespace's quotas leave room for the clone, beside the pods that serve meanwhile."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from delivery import demand
from delivery.obstacles.grounds import UNKNOWN, Grounds
from delivery.pods import Object
from delivery.quantity import Amounts, quantities, shown
from delivery.selectors import matches

ONCE: Amounts = {
    "count/deployments.apps": Decimal(1),
    "count/replicasets.apps": Decimal(1),
    "services": Decimal(2),
    "count/services": Decimal(2),
}
"""What a pair has beside its pods: the clone's Deployment, and a Service for each half."""
PRIORITY = "priorityClassName"
PARTS = ("requests", "limits")


def of_quotas(deployment: Object, grounds: Grounds) -> Iterator[str]:
    """While an app is adopted all its pods are there twice; later its canary needs no more."""
    needed = needs(deployment, grounds)
    pod = deployment["spec"]["template"]["spec"]
    for quota in sorted(grounds.quotas, key=lambda one: str(one["metadata"]["name"])):
        if not applies(quota, pod):
            continue
        name, status = quota["metadata"]["name"], quota.get("status") or {}
        hard, used = quantities(quota["spec"].get("hard")), quantities(status.get("used"))
        if quantities(status.get("hard")) != hard or not used.keys() >= hard.keys():
            yield f"{UNKNOWN}: ResourceQuota {name} is not counted yet"
        elif grounds.awaited:
            yield f"{UNKNOWN}: ResourceQuota {name} has the routers' pods still to count"
        elif short := list(shortages(needed, hard, used)):
            ending = f"{UNKNOWN}, pods are ending: " if grounds.ending else ""
            yield f"{ending}ResourceQuota {name} has no room for its clone: {', '.join(short)}"


def needs(deployment: Object, grounds: Grounds) -> Amounts:
    spec = deployment["spec"]
    replicas = Decimal(spec.get("replicas", 1))
    pod = demand.of_pod(spec["template"], grounds.limits)
    return {**ONCE, **{name: replicas * amount for name, amount in pod.items()}}


def shortages(needed: Amounts, hard: Amounts, used: Amounts) -> Iterator[str]:
    for name in sorted(hard):
        left, more = max(Decimal(0), hard[name] - used[name]), needed.get(name, Decimal(0))
        if more > left:
            yield f"{name} {shown(more)} more, {shown(left)} of {shown(hard[name])} left"


def applies(quota: Object, pod: Mapping[str, Any]) -> bool:
    """Whether it counts pods like these; a quota without scopes counts all."""
    spec = quota["spec"]
    rules = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    rules += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(in_scope(rule, pod) for rule in rules)


def in_scope(rule: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """A scope that is not known here counts these pods too: better refused than stuck."""
    match rule["scopeName"]:
        case "Terminating":
            return pod.get("activeDeadlineSeconds") is not None
        case "NotTerminating":
            return pod.get("activeDeadlineSeconds") is None
        case "BestEffort":
            return is_best_effort(pod)
        case "NotBestEffort":
            return not is_best_effort(pod)
        case "CrossNamespacePodAffinity":
            return looks_elsewhere(pod)
        case "PriorityClass":
            named = {PRIORITY: pod[PRIORITY]} if pod.get(PRIORITY) else {}
            return matches({"matchExpressions": [{**rule, "key": PRIORITY}]}, named)
    return True


def looks_elsewhere(pod: Mapping[str, Any]) -> bool:
    """Whether it is placed by pods of other namespaces."""
    affinity = pod.get("affinity") or {}
    kinds = [affinity.get(kind) or {} for kind in ("podAffinity", "podAntiAffinity")]
    terms = [term for kind in kinds for said in kind.values() for term in said]
    return any(
        key in (term.get("podAffinityTerm") or term)
        for term in terms
        for key in ("namespaces", "namespaceSelector")
    )


def is_best_effort(pod: Mapping[str, Any]) -> bool:
    boxes = (*pod["containers"], *(pod.get("initContainers") or ()), pod)
    return not any((box.get("resources") or {}).get(part) for box in boxes for part in PARTS)
