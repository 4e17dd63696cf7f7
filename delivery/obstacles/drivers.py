"""Who else decides about a Deployment's pods: autoscalers, and controllers of other projects."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from delivery import names
from delivery.obstacles.grounds import Sighting
from delivery.pods import Object

ARGO = "Rollout of Argo"
KRUISE = "Rollout of OpenKruise"
KEDA = "ScaledObject"
DOES = {ARGO: "drives", KRUISE: "drives", KEDA: "scales"}
HELP = f"delete that, or annotate the Deployment {names.ENABLED}=false"


def of_autoscalers(name: str, autoscalers: Sequence[Object]) -> Iterator[str]:
    for scaler in autoscalers:
        if is_deployment(scaler["spec"].get("scaleTargetRef"), name):
            yield f"HorizontalPodAutoscaler {scaler['metadata']['name']} scales it: {HELP}"


def of_drivers(name: str, drivers: Mapping[str, Sighting]) -> Iterator[str]:
    """By those that are known to be there."""
    for kind, seen in drivers.items():
        for item in seen.items:
            if is_deployment(referred(kind, item), name):
                yield f"{kind} {item['metadata']['name']} {DOES[kind]} it: {HELP}"


def of_unknown(drivers: Mapping[str, Sighting]) -> Iterator[str]:
    """What may not be guessed."""
    return (seen.unknown for seen in drivers.values() if seen.unknown)


def referred(kind: str, item: Object) -> Any:
    """What an object of another project points at."""
    spec = item.get("spec") or {}
    if kind == KEDA:
        # KEDA takes a reference without a kind for one to a Deployment.
        return {"kind": "Deployment", **(spec.get("scaleTargetRef") or {})}
    if kind == KRUISE and "objectRef" in spec:
        # OpenKruise's v1alpha1.
        return (spec["objectRef"] or {}).get("workloadRef")
    return spec.get("workloadRef")


def is_deployment(reference: Any, name: str) -> bool:
    said = reference or {}
    group = str(said.get("apiVersion") or "apps/v1").partition("/")[0]
    return (said.get("kind"), said.get("name"), group) == ("Deployment", name, "apps")
