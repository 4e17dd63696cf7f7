"""The Canary resource <-> the values a release is decided from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from delivery.api import analysis as spec
from delivery.api.affinity import affinity_of
from delivery.api.alerting import route_of
from delivery.api.built import unbuilt
from delivery.api.canary import Canary as CanaryResource
from delivery.api.canary import CanarySpec, Provider
from delivery.api.checks import interval_of, metric_of
from delivery.api.defaults import DEFAULTS, deadline_from, defaults_from
from delivery.api.effective import effective, shows
from delivery.api.explained import explained
from delivery.api.guard import policy_of
from delivery.api.guard_problems import nobody_counts
from delivery.api.hooks import hook_of
from delivery.api.matching import matches_of
from delivery.api.mirroring import mirror_of
from delivery.api.placing import placement_of
from delivery.api.service_words import service_words
from delivery.api.shape import read
from delivery.api.source import source_of
from delivery.api.stored import status_of, written
from delivery.api.validation import is_generated, is_untouched, problems
from delivery.by_hand import wishes_of
from delivery.canary import HOLD, Analysis, Canary, Status
from delivery.names import API_VERSION, GENERATED, MANAGED_BY, OUTRIDER, STOP
from delivery.routers.table import router_of
from delivery.source import Source

__all__ = [
    "DEFAULTS",
    "InvalidCanary",
    "deadline_from",
    "defaults_from",
    "effective",
    "generated",
    "is_generated",
    "is_untouched",
    "parse",
    "problems",
    "shows",
    "status_body",
    "status_of",
    "unbuilt",
]

DEADLINE = 600.0
ITERATIONS = 10
"""Of a Canary that says none, where weights are of no use."""
NO_TRAFFIC_AFTER = 600.0
KEPT = (
    "trackedConfigs",
    "effective",
    "lastDecision",
)
"""Status fields that no value of the core stands for: written again as they were found."""


class InvalidCanary(ValueError):
    """The manifest cannot be acted on; `problems` says why."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse(
    obj: Mapping[str, Any], defaults: Analysis, *, progress_deadline: float = DEADLINE
) -> Canary:
    """The Canary, its defaults filled in; raises InvalidCanary when it has problems.

    A generated one takes `defaults` and `progress_deadline`, others Flagger's defaults.
    One without analysis skips it, as Flagger does.
    `service` is empty when the spec names no Service: then it is found by its selector.
    """
    if found := problems(obj):
        raise InvalidCanary(found)
    said = read(CanaryResource, {"spec": obj["spec"]}).spec
    metadata, is_ours = obj.get("metadata") or {}, is_generated(obj)
    router = router_of(obj["spec"])
    unsaid_deadline = progress_deadline if is_ours else DEADLINE
    return Canary(
        name=metadata.get("name", ""),
        namespace=metadata.get("namespace", ""),
        uid=metadata.get("uid", ""),
        resource_version=metadata.get("resourceVersion", ""),
        target=said.target_ref.name,
        service=service_name(said),
        provider=router or (said.provider.value if said.provider else "envoy"),
        external=bool(router),
        words=service_words(said.service),
        metrics_server=said.metrics_server or "",
        analysis=as_the_provider_can(said, defaults if is_ours else Analysis()),
        progress_deadline=float(said.progress_deadline_seconds or unsaid_deadline),
        skip_analysis=bool(said.skip_analysis) or (said.analysis is None and not is_ours),
        suspend=bool(said.suspend),
        finalizers=tuple(metadata.get("finalizers") or ()),
        stop=(metadata.get("annotations") or {}).get(STOP) == "true",
        wishes=wishes_of(metadata.get("annotations") or {}),
        generated=is_untouched(obj),
        unbuilt=unbuilt(obj),
        status=status_of(obj.get("status") or {}),
    )


def service_name(said: CanarySpec) -> str:
    return (said.service.name or said.target_ref.name) if said.service is not None else ""


def as_the_provider_can(said: CanarySpec, absent: Analysis) -> Analysis:
    """Without a router nobody can be sent to the canary: it is tried, and promoted (2.1, 25)."""
    found = analysis_of(said.analysis, absent)
    if nobody_counts(said):
        # A generated one's: it would wait for counters that are nowhere.
        found = replace(found, guard=None)
    if said.provider is Provider.ISTIO:
        return in_the_mesh(said, found)
    if said.provider is not Provider.KUBERNETES:
        return found
    return replace(
        found,
        routed=False,
        iterations=found.iterations or ITERATIONS,
        step_weight=0,
        step_weights=(),
        match=(),
        mirror=None,
        affinity=None,
    )


def in_the_mesh(said: CanarySpec, found: Analysis) -> Analysis:
    """Istio knows the callers' pods, and the app's sidecars count, where nobody else is to."""
    asked = (said.analysis.match or ()) if said.analysis else ()
    source = found.source or (None if said.metrics_server else Source("istio"))
    return replace(found, match=tuple(matches_of(asked, labelled=True)), source=source)


def analysis_of(said: spec.Analysis | None, absent: Analysis) -> Analysis:
    """Flagger's defaults, except that intervals below 10 s are honoured (reference, 1.4)."""
    if said is None:
        return absent
    return Analysis(
        interval=interval_of(said.interval),
        threshold=max(1, said.threshold or 0),
        step_weight=said.step_weight or 0,
        step_weights=said.step_weights or (),
        max_weight=100 if said.max_weight is None else said.max_weight,
        step_weight_promotion=said.step_weight_promotion or 0,
        iterations=said.iterations or 0,
        match=tuple(matches_of(said.match or ())),
        mirror=mirror_of(said),
        affinity=affinity_of(said),
        primary_ready_threshold=whole_pair(said.primary_ready_threshold),
        canary_ready_threshold=whole_pair(said.canary_ready_threshold),
        metrics=tuple(metric_of(metric) for metric in said.metrics or ()),
        hooks=tuple(hook_of(hook) for hook in said.webhooks or ()),
        guard=policy_of(said.guard),
        no_traffic=said.no_traffic or HOLD,
        no_traffic_after=interval_of(said.no_traffic_after, NO_TRAFFIC_AFTER),
        source=source_of(said.source),
        alerts=tuple(route_of(alert) for alert in said.alerts or ()),
        max_duration=interval_of(said.max_duration) if said.max_duration else None,
        delay=interval_of(said.delay, 0.0),
        placement=placement_of(said),
    )


def whole_pair(threshold: int | None) -> int:
    return 100 if threshold is None else threshold


def status_body(
    status: Status, previous: Mapping[str, Any], *, analysis: Analysis | None = None
) -> dict[str, Any]:
    """The whole status, to replace the one before; what says nothing is left out.

    Times keep microseconds. `analysis` is shown as the one in force; without it, and for the
    fields the core does not know, the previous status stands. So it is with `lastDecision`.
    """
    kept = {key: previous[key] for key in KEPT if key in previous}
    shown = {"effective": effective(analysis), **explained(status, analysis)} if analysis else {}
    body = written(status).model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**kept, **shown, **body}


def generated(target: str, namespace: str, *, uid: str = "") -> dict[str, Any]:
    """The Canary of an ordinary Deployment; with the target's `uid` it goes when that goes."""
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target, "uid": uid}
    metadata: dict[str, Any] = {
        "name": target,
        "namespace": namespace,
        "labels": {MANAGED_BY: OUTRIDER},
        "annotations": {GENERATED: "true"},
    }
    if uid:
        metadata["ownerReferences"] = [owner]
    reference = {key: owner[key] for key in ("apiVersion", "kind", "name")}
    return {
        "apiVersion": API_VERSION,
        "kind": "Canary",
        "metadata": metadata,
        "spec": {"targetRef": reference},
    }
