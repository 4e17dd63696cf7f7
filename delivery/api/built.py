"""Which fields are acted on today; the others are accepted, and halt the release by name."""

from collections.abc import Iterator, Mapping
from typing import Any

from delivery.api.canary import Provider

Built = Mapping[str, "Built | None"]
"""The fields that are built; None stands for all that is below a field."""

METRIC: Built = {
    "name": None,
    "interval": None,
    "threshold": None,
    "thresholdRange": None,
    "query": None,
    "templateRef": None,
    "templateVariables": None,
}
MATCH: Built = {"headers": None, "queryParams": None}
ANALYSIS: Built = {
    "interval": None,
    "threshold": None,
    "stepWeight": None,
    "stepWeights": None,
    "maxWeight": None,
    "stepWeightPromotion": None,
    "iterations": None,
    "match": MATCH,
    "sessionAffinity": None,
    "mirror": None,
    "mirrorWeight": None,
    "mirrorStepWeight": None,
    "maxMirrorWeight": None,
    "canaryAnalysis": None,
    "primaryReadyThreshold": None,
    "canaryReadyThreshold": None,
    "metrics": METRIC,
    "guard": None,
    "webhooks": None,
    "noTraffic": None,
    "noTrafficAfter": None,
    "maxDuration": None,
    "alerts": None,
    "source": None,
}
SERVICE: Built = {
    "name": None,
    "port": None,
    "portName": None,
    "targetPort": None,
    "appProtocol": None,
    "timeout": None,
    "backendTimeout": None,
    "retries": None,
    "headers": None,
    "rewrite": None,
    "corsPolicy": None,
    "match": {
        "name": None,
        "uri": None,
        "scheme": None,
        "method": None,
        "authority": None,
        "headers": None,
        "port": None,
        "queryParams": None,
        "ignoreUriCase": None,
        "withoutHeaders": None,
    },
}
ISTIO_SERVICE: Built = {
    "name": None,
    "port": None,
    "portName": None,
    "targetPort": None,
    "appProtocol": None,
    "portDiscovery": None,
    "hosts": None,
    "gateways": None,
    "delegation": None,
    "match": None,
    "rewrite": {"uri": None, "authority": None},
    "timeout": None,
    "retries": None,
    "headers": None,
    "corsPolicy": None,
    "trafficPolicy": None,
}
GATEWAY_SERVICE: Built = {
    **{key: None for key in ("name", "port", "portName", "targetPort", "appProtocol")},
    **{key: None for key in ("gatewayRefs", "hosts", "match", "rewrite", "headers", "corsPolicy")},
    **{key: None for key in ("timeout", "backendTimeout", "mirror", "apex")},
    # It knows none: a warning says so.
    "retries": None,
}
"""What has no word in the Gateway API is refused."""
SPEC: Built = {
    "provider": None,
    "metricsServer": None,
    "targetRef": None,
    "service": SERVICE,
    "analysis": ANALYSIS,
    "progressDeadlineSeconds": None,
    "skipAnalysis": None,
    "suspend": None,
    # Leaving always restores, and by marks on what is to be restored: there is no finalizer to set.
    "revertOnDeletion": None,
}
GATEWAY: Built = {**SPEC, "service": GATEWAY_SERVICE}
ISTIO: Built = {
    **SPEC,
    "service": ISTIO_SERVICE,
    "analysis": {**ANALYSIS, "match": {**MATCH, "sourceLabels": None}},
}
PROVIDERS: Mapping[str, Built] = {
    Provider.ENVOY: SPEC,
    Provider.KUBERNETES: SPEC,
}
"""What is built with each of those that are."""


def unbuilt(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Dotted paths of what is set and not built; for manifests without `problems`."""
    spec = obj["spec"]
    provider = spec.get("provider") or Provider.ENVOY
    return (
        *(f"spec.targetRef.{key}" for key in other_target(spec["targetRef"])),
        *(["spec.provider"] if provider not in PROVIDERS else []),
        *beyond("spec", spec, PROVIDERS.get(provider, SPEC)),
    )


def other_target(target: Mapping[str, Any]) -> Iterator[str]:
    for key, built in (("apiVersion", "apps/v1"), ("kind", "Deployment")):
        if target.get(key) != built:
            yield key


def beyond(path: str, value: object, built: Built) -> Iterator[str]:
    """What lies below `path` and outside `built`; unset, empty and false say nothing."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from beyond(f"{path}[{index}]", item, built)
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from beyond_field(f"{path}.{key}", key, below, built)


def beyond_field(path: str, key: str, value: object, built: Built) -> Iterator[str]:
    if not value:
        return
    if key not in built:
        yield path
    elif (inner := built[key]) is not None:
        yield from beyond(path, value, inner)
