"""The built-in queries, pinned to the letter: dashboards and people know them by it."""

from dataclasses import replace

import pytest

from delivery.api.canary import Provider
from delivery.canary import Canary, Metric, Status
from delivery.promql import BUILT_IN, OBSERVERS, observer_of
from delivery.questions import Question, Way, prepared

CANARY = Canary("podinfo", "test", "podinfo", metrics_server="http://prometheus:9090")
PODS = 'kubernetes_namespace="test", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'


def query(provider: str, metric: str, canary: Canary = CANARY) -> str:
    question = Question(0, Way.BUILT_IN, Metric(metric, 60.0))
    return prepared(replace(canary, provider=provider), question, None, now=0.0).query


def ratio(metric: str, labels: str, good: str) -> str:
    return (
        f"sum(rate({metric}{{{labels}, {good}}}[60s])) / sum(rate({metric}{{{labels}}}[60s])) * 100"
    )


def percentile(metric: str, labels: str) -> str:
    return f"histogram_quantile(0.99, sum(rate({metric}{{{labels}}}[60s])) by (le))"


def mean(metric: str, labels: str) -> str:
    return (
        f"sum(rate({metric}_sum{{{labels}}}[60s])) / sum(rate({metric}_count{{{labels}}}[60s]))"
        " * 1000"
    )


ISTIO = (
    'reporter="destination", destination_workload_namespace="test", destination_workload=~"podinfo"'
)
LINKERD = 'namespace="test", deployment=~"podinfo", direction="inbound"'
NGINX = 'namespace="test", ingress="podinfo", canary!=""'
TRAEFIK = 'service=~"test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd"'
SKIPPER = 'route=~"kube(ew)?_test__podinfo_canary__.*__podinfo_canary(_[0-9]+)?"'
APISIX = 'route=~"test_podinfo-podinfo-canary_.+"'
OSM = 'destination_namespace="test", destination_kind="Deployment", destination_name="podinfo"'
ENVOYS = {
    "appmesh": PODS,
    "contour": 'envoy_cluster_name=~"test_podinfo-canary_[0-9a-zA-Z-]+"',
    "gloo": 'envoy_cluster_name=~"test-podinfo-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"',
    "kuma": 'service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+"',
    "knative": 'envoy_cluster_name=~"test/podinfo"',
}
SUCCESS = {
    "istio": ratio("istio_requests_total", ISTIO, 'response_code!~"5.*"'),
    "linkerd": ratio("response_total", LINKERD, 'classification!="failure"'),
    "kubernetes": ratio("http_request_duration_seconds_count", PODS, 'status!~"5.*"'),
    "nginx": ratio("nginx_ingress_controller_requests", NGINX, 'status!~"5.*"'),
    "traefik": ratio(
        "traefik_service_request_duration_seconds_bucket", f'{TRAEFIK}, le="+Inf"', 'code!~"5.."'
    ),
    "skipper": ratio(
        "skipper_response_duration_seconds_bucket", f'{SKIPPER}, le="+Inf"', 'code!~"5.."'
    ),
    "apisix": ratio("apisix_http_status", APISIX, 'code!~"5.."'),
    "osm": ratio("osm_request_total", OSM, 'response_code!~"5.*"'),
    **{
        name: ratio("envoy_cluster_upstream_rq", labels, 'envoy_response_code!~"5.*"')
        for name, labels in ENVOYS.items()
    },
}
DURATION = {
    "istio": percentile("istio_request_duration_milliseconds_bucket", ISTIO),
    "linkerd": percentile("response_latency_ms_bucket", LINKERD),
    "kubernetes": percentile("http_request_duration_seconds_bucket", PODS) + " * 1000",
    "nginx": mean("nginx_ingress_controller_response_duration_seconds", NGINX),
    "traefik": percentile("traefik_service_request_duration_seconds_bucket", TRAEFIK) + " * 1000",
    "skipper": mean("skipper_serve_route_duration_seconds", SKIPPER),
    "apisix": percentile("apisix_http_latency_bucket", f'{APISIX}, type=~"request"'),
    "osm": percentile("osm_request_duration_ms_bucket", OSM),
    **{
        name: percentile("envoy_cluster_upstream_rq_time_bucket", labels)
        for name, labels in ENVOYS.items()
    },
}


@pytest.mark.parametrize("provider", SUCCESS)
def test_the_success_rate_of_each_provider(provider: str) -> None:
    assert query(provider, "request-success-rate") == SUCCESS[provider]


@pytest.mark.parametrize("provider", DURATION)
def test_the_duration_of_each_provider(provider: str) -> None:
    assert query(provider, "request-duration") == DURATION[provider]


def test_our_own_routers_know_failed_requests_though_none_was_good() -> None:
    labels = 'namespace="test", envoy_cluster_name=~"podinfo/.+/canary"'
    total = f"sum(rate(envoy_cluster_upstream_rq_xx{{{labels}}}[60s]))"
    bad = f'sum(rate(envoy_cluster_upstream_rq_xx{{{labels}, envoy_response_code_class="5"}}[60s]))'
    assert query("envoy", "request-success-rate") == f"(1 - ({bad} or vector(0)) / {total}) * 100"
    assert query("envoy", "request-duration") == percentile(
        "envoy_cluster_upstream_rq_time_bucket", labels
    )


@pytest.mark.parametrize("provider", list(Provider))
@pytest.mark.parametrize("metric", BUILT_IN)
def test_every_provider_has_its_queries(provider: Provider, metric: str) -> None:
    assert query(provider.value, metric)


@pytest.mark.parametrize(
    ("provider", "known"),
    [("gatewayapi:v1", "kubernetes"), ("appmesh:v1beta2", "appmesh"), ("smi:v1alpha2", "istio")],
)
def test_a_dialect_counts_as_its_provider_does(provider: str, known: str) -> None:
    assert observer_of(provider) == OBSERVERS[known]


@pytest.mark.parametrize("provider", ["contour", "gloo", "kuma", "traefik"])
def test_a_service_of_another_name_is_asked_about(provider: str) -> None:
    canary = replace(CANARY, service="front")
    asked = query(provider, "request-success-rate", canary)
    assert "front-canary" in asked
    assert "podinfo" not in asked


@pytest.mark.parametrize(
    ("provider", "target", "name"),
    [("skipper", "my-app", "__my_app_canary__"), ("envoy", "my.app", '"my~app/.+/canary"')],
)
def test_names_are_spelled_as_the_router_spells_them(provider: str, target: str, name: str) -> None:
    canary = replace(CANARY, target=target, status=Status(apex=target))
    assert name in query(provider, "request-success-rate", canary)


def test_the_table_names_no_provider_that_the_api_does_not_know() -> None:
    assert set(OBSERVERS) == {one.value.partition(":")[0] for one in Provider}
