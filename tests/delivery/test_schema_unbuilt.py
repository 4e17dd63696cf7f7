"""Fields that are accepted and not built yet are told by their paths."""

from typing import Any

import pytest

from delivery.schema import unbuilt

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
ANALYSIS = {"interval": "30s", "threshold": 5, "stepWeight": 10}
BUILTIN = {"name": "request-success-rate", "interval": "1m", "thresholdRange": {"min": 99}}
TEMPLATED = {"name": "a", "templateRef": {"name": "b"}, "templateVariables": {"c": "d"}}


def halted_by(**spec: Any) -> tuple[str, ...]:
    return unbuilt({"spec": {"targetRef": TARGET, **spec}})


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"provider": "envoy"},
        {"provider": "kubernetes"},
        {"provider": None},
        {"suspend": True, "skipAnalysis": True, "progressDeadlineSeconds": 60},
        {
            "service": {
                "name": "shop",
                "port": 80,
                "portName": "http",
                "targetPort": 8080,
                "appProtocol": "http",
                "timeout": "5s",
                "retries": {"attempts": 3},
                "match": [{"uri": {"prefix": "/"}, "method": {"exact": "GET"}}],
                "mirror": [{"backendRef": {"name": "a", "namespace": ""}}],
                "trafficPolicy": {
                    "tls": {"mode": "DISABLE"},
                    "loadBalancer": {"simple": "LEAST_REQUEST"},
                },
                "portDiscovery": True,
                "primary": {"labels": {"a": "b"}},
                "unmanagedMetadata": {"labels": ["a"]},
            }
        },
        {
            "analysis": {
                **ANALYSIS,
                "maxWeight": 50,
                "stepWeightPromotion": 20,
                "primaryReadyThreshold": 90,
                "canaryReadyThreshold": 90,
                "metrics": [BUILTIN, {"name": "request-duration", "threshold": 500}],
            }
        },
        {"analysis": {"interval": "5s", "threshold": 1, "stepWeights": [1, 2]}},
        {"metricsServer": "http://prometheus:9090"},
        {"analysis": {**ANALYSIS, "metrics": [{"name": "load", "query": "up"}]}},
        {"analysis": {**ANALYSIS, "metrics": [TEMPLATED]}},
        {"revertOnDeletion": True},
        {"revertOnDeletion": False, "service": {"port": 80, "headless": False, "hosts": []}},
        {
            "analysis": {
                **ANALYSIS,
                "webhooks": [{"name": "a", "url": "http://b/"}],
                "mirror": False,
                "match": None,
            }
        },
    ],
)
def test_what_is_built_or_says_nothing_halts_nothing(spec: dict[str, Any]) -> None:
    assert halted_by(**spec) == ()


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (
            {"provider": "nginx"},
            "spec.provider (nginx is not built; built are envoy, gatewayapi:v1, "
            "gatewayapi:v1beta1, istio, kubernetes)",
        ),
        (
            {"targetRef": {**TARGET, "kind": "DaemonSet"}},
            "spec.targetRef.kind (DaemonSet is not built; built is Deployment)",
        ),
        (
            {"targetRef": {**TARGET, "apiVersion": "apps/v2"}},
            "spec.targetRef.apiVersion (apps/v2 is not built; built is apps/v1)",
        ),
        ({"autoscalerRef": {"name": "shop"}}, "spec.autoscalerRef"),
        ({"ingressRef": {"name": "shop"}}, "spec.ingressRef"),
        (
            {"service": {"port": 80, "gateways": ["mesh"]}},
            "spec.service.gateways (callers reach the routers through your Service; remove it, or "
            "set spec.provider: istio)",
        ),
        (
            {"service": {"port": 80, "headless": True}},
            "spec.service.headless (routers and kube-proxy need its address; remove it)",
        ),
        (
            {"service": {"port": 80, "mirror": [{"backendRef": {"name": "a", "namespace": "b"}}]}},
            "spec.service.mirror[0].backendRef.namespace",
        ),
        (
            {"service": {"port": 80, "trafficPolicy": {"loadBalancer": {"simple": "PASSTHROUGH"}}}},
            "spec.service.trafficPolicy.loadBalancer.simple",
        ),
        (
            {"service": {"port": 80, "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}},
            "spec.service.trafficPolicy.tls.mode",
        ),
        (
            {"service": {"port": 80, "trafficPolicy": {"outlierDetection": {"interval": "1s"}}}},
            "spec.service.trafficPolicy.outlierDetection",
        ),
        (
            {"service": {"port": 80, "match": [{"name": "a"}, {"sourceNamespace": "web"}]}},
            "spec.service.match[1].sourceNamespace",
        ),
        (
            {"analysis": {**ANALYSIS, "match": [{"sourceLabels": {"app": "a"}}]}},
            "spec.analysis.match[0].sourceLabels",
        ),
    ],
)
def test_what_is_not_built_is_named_by_its_path(spec: dict[str, Any], path: str) -> None:
    assert halted_by(**spec) == (path,)
