"""What one more pod of a template takes of a namespace's quotas, under the names they use."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

from delivery.pods import Object
from delivery.quantity import Amounts, quantities, quantity

SHORT = ("cpu", "memory", "ephemeral-storage")
"""Resources whose requests a quota may also name without `requests.`"""


def of_pod(template: Mapping[str, Any], limits: Sequence[Object]) -> Amounts:
    """`limits` are the namespace's LimitRanges: their defaults fill what containers leave out."""
    pod = template["spec"]
    requested, limited = (resources(pod, part, limits) for part in ("requests", "limits"))
    return {
        "pods": Decimal(1),
        "count/pods": Decimal(1),
        **{name: amount for name, amount in requested.items() if name in SHORT},
        **{f"requests.{name}": amount for name, amount in requested.items()},
        **{f"limits.{name}": amount for name, amount in limited.items()},
        **of_claims(pod),
    }


def of_claims(pod: Mapping[str, Any]) -> Amounts:
    """Each pod makes the claims of its generic ephemeral volumes."""
    volumes = [one["ephemeral"] for one in pod.get("volumes") or () if one.get("ephemeral")]
    if not volumes:
        return {}
    specs = [one["volumeClaimTemplate"]["spec"]["resources"]["requests"] for one in volumes]
    count = Decimal(len(volumes))
    storage = sum((quantity(one["storage"]) for one in specs), Decimal(0))
    names = ("persistentvolumeclaims", "count/persistentvolumeclaims")
    return {**dict.fromkeys(names, count), "requests.storage": storage}


def resources(pod: Mapping[str, Any], part: str, limits: Sequence[Object]) -> Amounts:
    """As Kubernetes counts a pod: what runs together, or an init container if that takes more."""
    sidecars: Amounts = {}
    peak: Amounts = {}
    for box in pod.get("initContainers") or ():
        asked = added(sidecars, of_container(box, part, limits))
        peak = highest(peak, asked)
        sidecars = asked if box.get("restartPolicy") == "Always" else sidecars
    boxes = [of_container(box, part, limits) for box in pod["containers"]]
    total = highest(peak, reduce(added, boxes, sidecars))
    whole = quantities((pod.get("resources") or {}).get(part))
    return added({**total, **whole}, quantities(pod.get("overhead")))


def of_container(box: Mapping[str, Any], part: str, limits: Sequence[Object]) -> Amounts:
    """What is limited but not requested is requested to its limit; then come the defaults."""
    own = box.get("resources") or {}
    limited = own.get("limits") or {}
    if part == "limits":
        return quantities({**default("default", limits), **limited})
    said = own.get("requests") or {}
    return quantities({**default("defaultRequest", limits), **limited, **said})


def default(name: str, limits: Sequence[Object]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for limit in limits:
        for one in limit["spec"].get("limits") or ():
            if one["type"] == "Container":
                found = {**(one.get(name) or {}), **found}
    return found


def added(one: Amounts, other: Amounts) -> Amounts:
    return {key: one.get(key, Decimal(0)) + other.get(key, Decimal(0)) for key in {**one, **other}}


def highest(one: Amounts, other: Amounts) -> Amounts:
    return {
        key: max(one.get(key, Decimal(0)), other.get(key, Decimal(0))) for key in {**one, **other}
    }
