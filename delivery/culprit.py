"""Whether the errors of a release are one pod's: then it is hardly the version that is to blame."""

from collections import Counter
from collections.abc import Mapping

from delivery import names, serving
from delivery.canary import Canary
from delivery.counted import Counted
from delivery.observation import Observation

SHARE = 0.8
"""Of all errors: what is more than that and one of several pods' is said."""


def told(canary: Canary, seen: Observation) -> str:
    """To be set behind what users met; empty where the pods fail alike, or there is one alone."""
    pods = seen.target.pods if seen.target else {}
    if len(pods) < 2:
        return ""
    by_pod = errors_by_pod(seen.counted, serving.clusters(canary, names.CANARY), pods)
    every = sum(by_pod.values())
    if not every:
        return ""
    name, errors = by_pod.most_common(1)[0]
    if errors <= SHARE * every:
        return ""
    return f"; {errors} of {every} errors came from one of its {len(pods)} pods, {name}"


def errors_by_pod(
    counted: Counted, clusters: tuple[str, ...], pods: Mapping[str, str]
) -> "Counter[str]":
    """Since each pod is there: it is of one revision, and so are its errors."""
    found: Counter[str] = Counter()
    written = {as_envoy_writes(address): name for address, name in pods.items()}
    for series in counted.values():
        for cluster in clusters:
            for address, errors in series[cluster].errors_at if cluster in series else ():
                if name := written.get(address.rpartition("_")[0]):
                    found[name] += errors
    return found


def as_envoy_writes(address: str) -> str:
    """Without the port: 10.0.0.1, or [fd00__1] for fd00::1."""
    return f"[{address}]".replace(":", "_") if ":" in address else address
