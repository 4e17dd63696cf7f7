"""`spec.analysis.source`: whose counters judge, when the namespace's routers do not."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from delivery.api.model import Model
from delivery.dialects.table import DIALECTS
from delivery.source import Source

SPLITTERS = {"contour": "contour", "envoy-gateway": "gatewayapi:v1", "gloo": "gloo"}
"""Dialects of gateways that know the halves only where they split the traffic, and their provider.
"""


class SourceClusters(Model):
    """How an Envoy calls the two halves."""

    canary: str
    primary: str


class AnalysisSource(Model):
    """Pods with an Envoy in them that counts the requests of the two halves."""

    dialect: Literal[
        "envoy", "istio", "istio-gateway", "istio-waypoint", "contour", "envoy-gateway", "gloo"
    ] = Field(description="How they count.")
    service: str | None = Field(None, description="The Service that selects them.")
    labels: dict[str, str] | None = Field(None, description="Labels that they have.")
    namespace: str | None = Field(None, description="Theirs; default the Canary's.")
    port: int | None = Field(None, description="Of their statistics; default the dialect's.")
    clusters: SourceClusters | None = Field(None, description="Names of the halves, for envoy.")


def source_of(said: AnalysisSource | None) -> Source | None:
    if said is None:
        return None
    return Source(
        dialect=said.dialect,
        service=said.service or "",
        labels=said.labels or {},
        namespace=said.namespace or "",
        port=said.port or 0,
        canary=said.clusters.canary if said.clusters else "",
        primary=said.clusters.primary if said.clusters else "",
    )


def effective_source(source: Source) -> dict[str, Any]:
    """In the words of the spec."""
    clusters = {"canary": source.canary, "primary": source.primary}
    said = {
        "dialect": source.dialect,
        "service": source.service,
        "labels": dict(source.labels),
        "namespace": source.namespace,
        "port": source.port or source.spoken.port,
        "clusters": clusters if source.canary else None,
    }
    return {key: value for key, value in said.items() if value}


def source_problems(said: AnalysisSource, provider: str) -> Iterator[str]:
    """Field, value, fix, of what cannot be found or cannot be told apart."""
    path = "spec.analysis.source"
    named = bool(said.service) + bool(said.labels)
    if named > 1:
        yield f"{path}: sets service and labels; set one of them"
    if not named and not DIALECTS[said.dialect].own_pods:
        yield f"{path}: says nothing of the pods; set service or labels"
    if said.dialect == "envoy" and said.clusters is None:
        yield f"{path}.clusters: is missing; name the clusters of canary and primary"
    if said.dialect != "envoy" and said.clusters is not None:
        yield f"{path}.clusters: is set, but {said.dialect} knows them by itself; remove it"
    if said.clusters and said.clusters.canary == said.clusters.primary:
        yield f'{path}.clusters: both are "{said.clusters.canary}"; name two'
    if provider != SPLITTERS.get(said.dialect, provider):
        yield (
            f"{path}.dialect: {said.dialect} knows the halves only where it splits the traffic; "
            f"set spec.provider: {SPLITTERS[said.dialect]}, or use istio or envoy"
        )
