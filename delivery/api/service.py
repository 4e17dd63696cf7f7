"""`spec.service` of a Canary: the Services it owns and how they are routed (reference, 1.3)."""

from typing import Annotated, Literal

from pydantic import Field

from delivery.api.matching import HTTPMatchRequest, StringMatch
from delivery.api.model import IntOrString, Model
from delivery.api.traffic_policy import TrafficPolicy


class Metadata(Model):
    """Labels and annotations of a generated object."""

    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class UnmanagedMetadata(Model):
    """Keys of Services that are left as they are found."""

    annotations: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None


class GatewayRef(Model):
    """A Gateway that the route attaches to."""

    group: str = "gateway.networking.k8s.io"
    kind: str = "Gateway"
    name: str
    namespace: str | None = None
    section_name: str | None = None
    port: int | None = None


class BackendRef(Model):
    """Where mirrored requests go."""

    group: str = ""
    kind: str = "Service"
    name: str
    namespace: str | None = None
    port: int | None = None


class RequestMirror(Model):
    """A fixed mirror of the route."""

    backend_ref: BackendRef


class HTTPRewrite(Model):
    """What a request becomes on its way."""

    uri: str | None = None
    authority: str | None = None
    type: str | None = Field(None, description="ReplacePrefixMatch, else ReplaceFullPath.")


class HTTPRetry(Model):
    """How failed requests are tried again."""

    attempts: int | None = None
    per_try_timeout: str | None = None
    retry_on: str | None = None


class HeaderOperations(Model):
    """Headers to add, overwrite and remove."""

    add: dict[str, str] | None = None
    set: dict[str, str] | None = None
    remove: tuple[str, ...] | None = None


class Headers(Model):
    """Changes to the headers of requests and responses."""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class CorsPolicy(Model):
    """What other origins may do."""

    allow_origin: tuple[str, ...] | None = None
    allow_origins: tuple[StringMatch, ...] | None = None
    allow_methods: tuple[str, ...] | None = None
    allow_headers: tuple[str, ...] | None = None
    expose_headers: tuple[str, ...] | None = None
    max_age: str | None = None
    allow_credentials: bool | None = None


class Service(Model):
    """The Services of the app, and how requests are routed to them."""

    name: str | None = Field(None, description="The apex Service; default the target's name.")
    port: int
    port_name: str | None = Field(None, description="Default http.")
    target_port: IntOrString | None = Field(None, description="Default the port.")
    app_protocol: str | None = None
    traffic_distribution: Literal["PreferClose", "PreferSameZone", "PreferSameNode"] | None = None
    port_discovery: bool | None = None
    headless: bool | None = None
    timeout: str | None = None
    backend_timeout: str | None = None
    gateways: tuple[str, ...] | None = Field(None, description="Istio gateways; default mesh.")
    gateway_refs: Annotated[tuple[GatewayRef, ...], Field(max_length=32)] | None = None
    hosts: tuple[str, ...] | None = None
    delegation: bool | None = Field(None, description="Be a delegate of another VirtualService.")
    traffic_policy: TrafficPolicy | None = None
    match: tuple[HTTPMatchRequest, ...] | None = None
    rewrite: HTTPRewrite | None = None
    retries: HTTPRetry | None = None
    headers: Headers | None = None
    mirror: tuple[RequestMirror, ...] | None = None
    cors_policy: CorsPolicy | None = None
    mesh_name: str | None = Field(None, description="App Mesh only.")
    backends: tuple[str, ...] | None = Field(None, description="App Mesh only.")
    apex: Metadata | None = None
    primary: Metadata | None = None
    canary: Metadata | None = None
    unmanaged_metadata: UnmanagedMetadata | None = None
