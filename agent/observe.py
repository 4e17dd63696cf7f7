"""One look at the namespace for one Canary: caches, routers and clock become an Observation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.alerts import Alerts
from agent.hooks import Hooks
from agent.listeners import Listeners
from agent.offered import Offered
from agent.queries import Queries
from agent.sources import Sources
from agent.traffic import Windows
from cluster.watch import Cache
from delivery import (
    checks,
    described,
    eligibility,
    external,
    names,
    origins,
    pair,
    servable,
    serving,
)
from delivery.canary import Canary, Metric, Phase
from delivery.observation import Observation, Routers, Routes, Traffic, Workload
from delivery.obstacles.grounds import Grounds
from delivery.pair import Objects
from delivery.pods import Object

KINDS = (
    "AlertProvider",
    "Canary",
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "LimitRange",
    "MetricTemplate",
    "NetworkPolicy",
    "Pod",
    "PodTemplate",
    "ReplicaSet",
    "ResourceQuota",
    "Service",
)


def objects(cache: Cache) -> Objects:
    found = Objects(
        deployments=cache.items("Deployment"),
        replica_sets=cache.items("ReplicaSet"),
        pods=cache.items("Pod"),
        services=cache.items("Service"),
        autoscalers=cache.items("HorizontalPodAutoscaler"),
        templates=cache.items("PodTemplate"),
    )
    return origins.legible(found, cache.items("Canary"))


@dataclass(frozen=True)
class Surroundings:
    """What all Canaries of one tick have in common."""

    now: float
    found: Objects
    routers: Routers
    windows: Windows
    queries: Queries
    hooks: Hooks
    alerts: Alerts
    offered: Offered
    sources: Sources
    listeners: Listeners
    routes: Routes = Routes()
    grounds: Grounds = Grounds()
    mesh: str = ""
    enabled: str = "true"

    def neighbours(self) -> eligibility.Neighbours:
        return eligibility.Neighbours(
            services=self.found.services,
            deployments=self.found.deployments,
            autoscalers=self.found.autoscalers,
            mesh=self.mesh,
            selected_only=self.enabled == "selected",
            enrolled=self.enabled in ("true", "selected"),
            grounds=self.grounds,
        )


def observe(canary: Canary, around: Surroundings) -> Observation:
    target = pair.named(around.found.deployments, canary.target)
    if target is None:
        return Observation(now=around.now)
    primary = pair.named(around.found.deployments, names.primary_name(canary.target))
    analysis, status = canary.analysis, canary.status
    service = apex_of(canary, target, around)
    beside, strays = serving.more_services(canary, target, service, around.found)
    revisions = pair.revisions(around.found, target, primary)
    return Observation(
        now=around.now,
        target=pair.workload(around.found, target, threshold=analysis.canary_ready_threshold),
        primary=None if primary is None else serving_half(canary, primary, target, around),
        apex=service,
        beside=beside,
        strays=strays,
        services={one["metadata"]["name"]: one for one in around.found.services},
        revisions=revisions,
        kept=pair.kept(around.found, target),
        names=pair.named_by_admission(around.found, target),
        serving=pair.serving(around.found, target),
        wish=pair.wished(target),
        noted=pair.noted(target),
        refusals=refusals(canary, target, primary, around),
        leaving=eligibility.leaving(target, around.neighbours(), generated=canary.generated),
        unfit=unfit(canary, target, around, revisions),
        routers=around.routers,
        routes=around.routes,
        ports_taken=around.listeners.taken(canary.target),
        traffic={metric.name: window(canary, metric, around) for metric in analysis.metrics},
        measurements=around.queries.measurements(canary, around.now),
        replies=around.hooks.replies(canary),
        told=around.alerts.told(canary),
        refused=around.offered.refused(canary),
        counted=around.sources.counted(canary, around.found),
        drained=around.windows.quiet(
            serving.router_clusters(canary, names.CANARY), around.now, since=status.phase_since
        ),
    )


def serving_half(canary: Canary, primary: Object, target: Object, around: Surroundings) -> Workload:
    threshold = canary.analysis.primary_ready_threshold
    return pair.workload(around.found, primary, threshold=threshold, target=target)


def refusals(canary: Canary, target: Any, primary: Any, around: Surroundings) -> tuple[str, ...]:
    """Of an app that is not ours yet; one with a primary of ours is, whatever its status says."""
    if canary.status.phase is not Phase.NEW:
        return ()
    neighbours = external.neighbours(canary, around.neighbours())
    service = apex_of(canary, target, around)
    expected = described.expected(canary, target, neighbours.services)
    unrouted = external.refusals(canary, service or expected, around.routes)
    return (*described.standing_refusals(canary, target, primary, neighbours), *unrouted)


def unfit(
    canary: Canary, target: Any, around: Surroundings, revisions: Mapping[str, Any]
) -> tuple[str, ...]:
    """Judged by what serves: the promoted revision, or the target itself when it was given back."""
    status, template = canary.status, target["spec"]["template"]
    if status.phase is Phase.NEW:
        return ()
    if status.phase is not Phase.TERMINATED:
        template = revisions.get(status.promoted, template)
    neighbours = external.neighbours(canary, around.neighbours())
    return eligibility.unfit(target, neighbours, template)


def apex_of(canary: Canary, target: Any, around: Surroundings) -> Mapping[str, Any] | None:
    """The Service that the status settled on, else the one named, else the one that selects."""
    name = canary.status.apex or canary.service
    if name:
        return pair.named(around.found.services, name)
    return servable.first(target, around.found.services)


def window(canary: Canary, metric: Metric, around: Surroundings) -> Traffic:
    """What the canary did lately."""
    start, since = checks.window_start(canary, metric, around.now), canary.status.phase_since
    if start is None or since is None:
        return Traffic()
    windows = around.sources.of(canary)
    if windows is None:
        return Traffic()
    series = serving.clusters(canary, names.CANARY)
    return windows.traffic(series, start, limits=metric, revised=since)
