"""Which fields are acted on today; the others are accepted, and halt the release by name."""

from collections.abc import Iterator, Mapping
from typing import Any

from delivery.api.canary import Provider
from delivery.mapping import mapping

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
    "delay": None,
    "canaryTemplate": None,
    "alerts": None,
    "source": None,
}
SERVICES: Built = {
    "name": None,
    "port": None,
    "portName": None,
    "targetPort": None,
    "appProtocol": None,
    "portDiscovery": None,
    "apex": None,
    "primary": None,
    "canary": None,
    # What others write on our Services is never touched.
    "unmanagedMetadata": None,
}
"""What is said of the Services themselves, whoever divides the traffic."""
SERVICE: Built = {
    **SERVICES,
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
    "mirror": None,
    "trafficPolicy": {
        "connectionPool": {
            "tcp": None,
            "http": {
                "http1MaxPendingRequests": None,
                "http2MaxRequests": None,
                "maxRequestsPerConnection": None,
                "maxRetries": None,
            },
        },
        "loadBalancer": {"simple": None},
        "tls": {"mode": None},
    },
}
ISTIO_SERVICE: Built = {
    **SERVICES,
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
    **SERVICES,
    **{key: None for key in ("gatewayRefs", "hosts", "match", "rewrite", "headers", "corsPolicy")},
    **{key: None for key in ("timeout", "backendTimeout", "mirror")},
    # It knows none: a warning says so.
    "retries": None,
}
"""What has no word in the Gateway API is refused."""
KUBERNETES_SERVICE: Built = {
    **SERVICES,
    **{key: None for key in ("timeout", "backendTimeout", "retries", "headers", "rewrite")},
    **{key: None for key in ("corsPolicy", "match", "mirror", "trafficPolicy", "hosts")},
    **{key: None for key in ("gateways", "gatewayRefs", "delegation", "meshName", "backends")},
}
"""Without a router all that is said of routes does nothing, as with Flagger: a warning says so."""
VALUES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("trafficPolicy", "loadBalancer", "simple"): (
        *("ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN", "RANDOM"),
    ),
    ("trafficPolicy", "tls", "mode"): ("DISABLE",),
}
"""Fields of `spec.service` of which these values alone are built."""
OUTSIDE = "callers reach the routers through your Service; remove it"
INSTEAD: Mapping[str, Provider] = {
    "gateways": Provider.ISTIO,
    "hosts": Provider.ISTIO,
    "delegation": Provider.ISTIO,
    "gatewayRefs": Provider.GATEWAYAPI_V1,
}
"""With whom such a field of `spec.service` is built."""
REASONS: Mapping[str, str] = {
    **dict.fromkeys((f"spec.service.{field}" for field in INSTEAD), OUTSIDE),
    "spec.service.headless": "routers and kube-proxy need its address; remove it",
    "spec.service.trafficDistribution": "routers choose among all pods of a half; remove it",
}
"""Why a field is not built, and what to do, where that can be said."""
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
KUBERNETES: Built = {**SPEC, "service": KUBERNETES_SERVICE}
PROVIDERS: Mapping[str, Built] = {
    Provider.ENVOY: SPEC,
    Provider.KUBERNETES: KUBERNETES,
    Provider.ISTIO: ISTIO,
    Provider.GATEWAYAPI_V1: GATEWAY,
    Provider.GATEWAYAPI_V1BETA1: GATEWAY,
}
"""What is built with each of those that are."""


def unbuilt(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Dotted paths of what is set and not built; for manifests without `problems`."""
    spec, namespace = obj["spec"], mapping(obj, "metadata").get("namespace")
    provider = spec.get("provider") or Provider.ENVOY
    built, service = PROVIDERS.get(provider, SPEC), mapping(spec, "service")
    found = (
        *other_target(spec["targetRef"]),
        *([another_provider(provider)] if provider not in PROVIDERS else []),
        *beyond("spec", spec, built),
        *(other_values(service) if built is SPEC else ()),
        *(other_namespaces(service.get("mirror"), namespace) if built is SPEC else ()),
    )
    return tuple(f"{path} ({reason(path)})" if path in REASONS else path for path in found)


def another_provider(provider: str) -> str:
    return f"spec.provider ({provider} is not built; built are {', '.join(sorted(PROVIDERS))})"


def reason(path: str) -> str:
    provider = INSTEAD.get(path.rpartition(".")[2])
    instead = f", or set spec.provider: {provider}" if provider in PROVIDERS else ""
    return REASONS[path] + instead


def other_values(service: Mapping[str, Any]) -> Iterator[str]:
    for path, built in VALUES.items():
        value = mapping(service, *path[:-1]).get(path[-1])
        if value and value not in built:
            yield ".".join(("spec.service", *path))


def other_namespaces(mirrors: Any, own: str | None) -> Iterator[str]:
    for index, one in enumerate(mirrors or ()):
        if mapping(one, "backendRef").get("namespace") not in (None, "", own):
            yield f"spec.service.mirror[{index}].backendRef.namespace"


def other_target(target: Mapping[str, Any]) -> Iterator[str]:
    for key, built in (("apiVersion", "apps/v1"), ("kind", "Deployment")):
        if target.get(key) != built:
            yield f"spec.targetRef.{key} ({target.get(key)} is not built; built is {built})"


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
