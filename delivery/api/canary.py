"""The Canary: one app under progressive delivery (reference, 1.1 to 1.5)."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from delivery.api.analysis import Analysis
from delivery.api.model import Model
from delivery.api.service import Service
from delivery.api.status import CanaryStatus


class Provider(StrEnum):
    """Who splits the traffic: Flagger's list, and our own router."""

    APISIX = "apisix"
    APPMESH = "appmesh"
    APPMESH_V1BETA2 = "appmesh:v1beta2"
    CONTOUR = "contour"
    ENVOY = "envoy"
    GATEWAYAPI_V1 = "gatewayapi:v1"
    GATEWAYAPI_V1BETA1 = "gatewayapi:v1beta1"
    GLOO = "gloo"
    ISTIO = "istio"
    KNATIVE = "knative"
    KUBERNETES = "kubernetes"
    KUMA = "kuma"
    LINKERD = "linkerd"
    NGINX = "nginx"
    OSM = "osm"
    SKIPPER = "skipper"
    SMI_V1ALPHA1 = "smi:v1alpha1"
    SMI_V1ALPHA2 = "smi:v1alpha2"
    SMI_V1ALPHA3 = "smi:v1alpha3"
    TRAEFIK = "traefik"


class TargetRef(Model):
    """The workload whose new versions are released."""

    api_version: str
    kind: Literal["DaemonSet", "Deployment", "Service"]
    name: Annotated[str, Field(min_length=1)]


class ScalerReplicas(Model):
    """Other bounds for the primary's scaler."""

    min_replicas: Annotated[int, Field(ge=1)] | None = None
    max_replicas: Annotated[int, Field(ge=1)] | None = None


class AutoscalerRef(Model):
    """The scaler of the target."""

    api_version: str
    kind: Literal["HorizontalPodAutoscaler", "ScaledObject"]
    name: str
    primary_scaler_queries: dict[str, str] | None = Field(None, description="KEDA only.")
    primary_scaler_replicas: ScalerReplicas | None = None


class IngressRef(Model):
    """The Ingress of the app."""

    api_version: str
    kind: Literal["Ingress"]
    name: str


class RouteRef(Model):
    """The APISIX route of the app."""

    api_version: str
    kind: Literal["ApisixRoute"]
    name: str


class UpstreamRef(Model):
    """The Gloo upstream of the app."""

    api_version: str
    kind: Literal["Upstream"]
    name: str
    namespace: str | None = None


class CanarySpec(Model):
    """What is released, how it is routed and how it is judged.

    Flagger's schema requires `analysis`. Ours cannot: a generated Canary holds only its target,
    and its analysis comes from the defaults. Validation demands it of all others.
    """

    provider: Provider | None = Field(None, description="Default envoy, the embedded router.")
    metrics_server: str | None = Field(None, description="URL of a Prometheus.")
    target_ref: TargetRef
    autoscaler_ref: AutoscalerRef | None = None
    ingress_ref: IngressRef | None = None
    route_ref: RouteRef | None = None
    upstream_ref: UpstreamRef | None = None
    service: Service | None = None
    analysis: Analysis | None = None
    progress_deadline_seconds: int | None = Field(None, description="Default 600.")
    skip_analysis: bool | None = None
    revert_on_deletion: bool | None = None
    suspend: bool | None = None


ObjectMeta = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]


class Canary(Model):
    """One app under progressive delivery."""

    api_version: str | None = None
    kind: str | None = None
    metadata: ObjectMeta | None = None
    spec: CanarySpec
    status: CanaryStatus | None = None
