"""The built-in checks as PromQL, by who splits the traffic (reference, 7.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from delivery.checks import DURATION, SUCCESS_RATE

WINDOW = "[{{ interval }}]"


@dataclass(frozen=True)
class Observer:
    """How a mesh or an ingress counts the canary's requests.

    `total` counts them, those with `good` are no errors; `times` is a histogram of what they took,
    of which the 99th percentile counts, or with `mean` the average. `scale` makes it milliseconds.
    `labels` select the canary, `counted` and `timed` what else is to be said of one of the two.
    What `unspelled` matches in names it writes as `instead`.
    """

    total: str
    good: str
    times: str
    labels: str
    counted: str = ""
    timed: str = ""
    mean: bool = False
    scale: float = 1.0
    unspelled: str = ""
    instead: str = ""

    def success_rate(self) -> str:
        labels = joined(self.labels, self.counted)
        good = rate(self.total, joined(labels, self.good))
        return f"{good} / {rate(self.total, labels)} * 100"

    def duration(self) -> str:
        labels = joined(self.labels, self.timed)
        if self.mean:
            whole = f"{rate(f'{self.times}_sum', labels)} / {rate(f'{self.times}_count', labels)}"
        else:
            buckets = rate(f"{self.times}_bucket", labels)
            whole = f"histogram_quantile(0.99, {buckets} by (le))"
        return whole if self.scale == 1.0 else f"{whole} * {self.scale:g}"

    def spelled(self, name: str) -> str:
        return re.sub(self.unspelled, self.instead, name) if self.unspelled else name

    def query(self, metric: str) -> str:
        """The template of one built-in check."""
        return self.success_rate() if metric == SUCCESS_RATE else self.duration()


def joined(*labels: str) -> str:
    return ", ".join(label for label in labels if label)


def rate(metric: str, labels: str) -> str:
    return f"sum(rate({metric}{{{labels}}}{WINDOW}))"


@dataclass(frozen=True)
class Router(Observer):
    """Our own: no series of good requests means that none was good, not that none was."""

    def success_rate(self) -> str:
        bad, total = rate(self.total, joined(self.labels, self.good)), rate(self.total, self.labels)
        return f"(1 - ({bad} or vector(0)) / {total}) * 100"


MILLISECONDS = 1000.0
PODS = (
    'kubernetes_namespace="{{ namespace }}", '
    'kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'
)


def envoy(labels: str) -> Observer:
    """Meshes and ingresses that are made of Envoys."""
    return Observer(
        total="envoy_cluster_upstream_rq",
        good='envoy_response_code!~"5.*"',
        times="envoy_cluster_upstream_rq_time",
        labels=labels,
    )


ROUTER = Router(
    total="envoy_cluster_upstream_rq_xx",
    good='envoy_response_code_class="5"',
    times="envoy_cluster_upstream_rq_time",
    labels='namespace="{{ namespace }}", envoy_cluster_name=~"{{ target }}/.+/canary"',
    unspelled=r"\.",
    instead="~",
)
ISTIO = Observer(
    total="istio_requests_total",
    good='response_code!~"5.*"',
    times="istio_request_duration_milliseconds",
    labels='reporter="destination", destination_workload_namespace="{{ namespace }}", '
    'destination_workload=~"{{ target }}"',
)
LINKERD = Observer(
    total="response_total",
    good='classification!="failure"',
    times="response_latency_ms",
    labels='namespace="{{ namespace }}", deployment=~"{{ target }}", direction="inbound"',
)
HTTP = Observer(
    total="http_request_duration_seconds_count",
    good='status!~"5.*"',
    times="http_request_duration_seconds",
    labels=PODS,
    scale=MILLISECONDS,
)
APPMESH = envoy(PODS)
CONTOUR = envoy('envoy_cluster_name=~"{{ namespace }}_{{ service }}-canary_[0-9a-zA-Z-]+"')
GLOO = envoy(
    'envoy_cluster_name=~"{{ namespace }}-{{ service }}-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"'
)
KUMA = envoy('service=~"{{ service }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+"')
KNATIVE = envoy('envoy_cluster_name=~"{{ namespace }}/{{ route }}"')
NGINX = Observer(
    total="nginx_ingress_controller_requests",
    good='status!~"5.*"',
    times="nginx_ingress_controller_response_duration_seconds",
    labels='namespace="{{ namespace }}", ingress="{{ ingress }}", canary!=""',
    mean=True,
    scale=MILLISECONDS,
)
TRAEFIK = Observer(
    total="traefik_service_request_duration_seconds_bucket",
    good='code!~"5.."',
    times="traefik_service_request_duration_seconds",
    labels='service=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd"',
    counted='le="+Inf"',
    scale=MILLISECONDS,
)
SKIPPER = Observer(
    total="skipper_response_duration_seconds_bucket",
    good='code!~"5.."',
    times="skipper_serve_route_duration_seconds",
    labels='route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*'
    '__{{ service }}_canary(_[0-9]+)?"',
    counted='le="+Inf"',
    mean=True,
    scale=MILLISECONDS,
    unspelled=r"\W",
    instead="_",
)
APISIX = Observer(
    total="apisix_http_status",
    good='code!~"5.."',
    times="apisix_http_latency",
    labels='route=~"{{ namespace }}_{{ route }}-{{ target }}-canary_.+"',
    timed='type=~"request"',
)
OSM = Observer(
    total="osm_request_total",
    good='response_code!~"5.*"',
    times="osm_request_duration_ms",
    labels='destination_namespace="{{ namespace }}", destination_kind="Deployment", '
    'destination_name="{{ target }}"',
)

OBSERVERS: Mapping[str, Observer] = {
    "apisix": APISIX,
    "appmesh": APPMESH,
    "contour": CONTOUR,
    "envoy": ROUTER,
    "gatewayapi": HTTP,
    "gloo": GLOO,
    "istio": ISTIO,
    "knative": KNATIVE,
    "kubernetes": HTTP,
    "kuma": KUMA,
    "linkerd": LINKERD,
    "nginx": NGINX,
    "osm": OSM,
    "skipper": SKIPPER,
    "smi": ISTIO,
    "traefik": TRAEFIK,
}
"""By what stands before the colon in a provider's name, as in `gatewayapi:v1`."""


BUILT_IN = (SUCCESS_RATE, DURATION)


def observer_of(provider: str) -> Observer:
    return OBSERVERS[provider.partition(":")[0]]
