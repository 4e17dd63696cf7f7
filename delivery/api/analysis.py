"""`spec.analysis` of a Canary: how a release is judged (reference, 1.4)."""

from typing import Any, Literal

from pydantic import Field

from delivery.api.guard import GuardPolicy
from delivery.api.matching import AnalysisMatch
from delivery.api.model import Interval, Model, NamedRef, Percent
from delivery.api.source import AnalysisSource

WEIGHTS = ("stepWeight", "stepWeights")
"""At most one of them says how weights grow."""
STEPS = ("iterations", *WEIGHTS)
"""At least one of them says how a release advances."""


class ThresholdRange(Model):
    """The range a value must stay in, bounds included."""

    min: float | None = None
    max: float | None = None


class Metric(Model):
    """One check: a builtin by its name, a template, or an inline query."""

    name: str
    interval: Interval | None = Field(None, description="Window of the query; default 1m.")
    threshold: float | None = Field(None, description="Deprecated: use thresholdRange.")
    threshold_range: ThresholdRange | None = None
    query: str | None = Field(None, description="Deprecated: use templateRef.")
    template_ref: NamedRef | None = None
    template_variables: dict[str, str] | None = None


class Webhook(Model):
    """A hook or gate that is called over HTTP."""

    name: str
    url: str
    type: (
        Literal[
            "",
            "confirm-rollout",
            "pre-rollout",
            "rollout",
            "confirm-promotion",
            "post-rollout",
            "event",
            "rollback",
            "confirm-traffic-increase",
            "post-rollback",
        ]
        | None
    ) = None
    mute_alert: bool | None = None
    timeout: Interval | None = None
    retries: int | None = None
    disable_tls: bool | None = Field(None, alias="disableTLS")
    metadata: dict[str, str] | None = None


class Alert(Model):
    """Who is told, and from which severity on."""

    name: str
    provider_ref: NamedRef
    severity: Literal["", "info", "warn", "error"] | None = None


class SessionAffinity(Model):
    """The cookie that keeps a client on the version it has seen."""

    cookie_name: str
    primary_cookie_name: str | None = None
    max_age: int = Field(86400, description="Seconds.")
    domain: str | None = None
    http_only: bool | None = None
    partitioned: bool | None = None
    path: str | None = None
    same_site: Literal["Strict", "Lax", "None"] | None = None
    secure: bool | None = None


class Toleration(Model):
    """A taint that the canary's pods bear, as in a pod."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class CanaryTemplate(Model):
    """On which nodes the canary's pods may run, beside what the Deployment says itself."""

    node_selector: dict[str, str] | None = None
    tolerations: tuple[Toleration, ...] | None = None


class GuidesAnalysis(Model):
    """How Flagger's guides write a mirror that grows (its step, and where it ends), and nodes."""

    step_weight_promotion: Percent | None = None
    max_mirror_weight: Percent | None = None
    template_variables: CanaryTemplate | None = None


def a_way_to_advance(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": ["interval", "threshold", step]} for step in STEPS]


class Analysis(Model):
    """How a release advances and by what it is judged."""

    model_config = {"json_schema_extra": a_way_to_advance}

    interval: Interval | None = Field(None, description="Time between two steps, 1s or more.")
    threshold: int | None = Field(None, description="Failed checks before a rollback.")
    step_weight: int | None = Field(None, description="Percent added by each step.")
    step_weights: tuple[int, ...] | None = Field(None, description="Percent after each step.")
    max_weight: int | None = Field(None, description="Percent at which a canary is promoted.")
    step_weight_promotion: int | None = Field(
        None, description="Percent returned to the primary by each step; 0 returns all at once."
    )
    iterations: int | None = Field(None, description="Checks that must have passed, at least.")
    mirror: bool | None = None
    mirror_weight: Percent | None = None
    mirror_step_weight: Percent | None = Field(
        None, description="Percent of requests that are copied more at each step."
    )
    max_mirror_weight: Percent | None = Field(
        None, description="Percent of requests that are copied before any weight."
    )
    canary_analysis: GuidesAnalysis | None = Field(
        None, description="The last two and canaryTemplate, as Flagger's guides write them."
    )
    canary_template: CanaryTemplate | None = Field(
        None, description="On which nodes the canary's pods run; the primary's never follow."
    )
    primary_ready_threshold: int | None = Field(None, description="Percent of pods.")
    canary_ready_threshold: int | None = Field(None, description="Percent of pods.")
    match: tuple[AnalysisMatch, ...] | None = None
    metrics: tuple[Metric, ...] | None = None
    source: AnalysisSource | None = None
    webhooks: tuple[Webhook, ...] | None = None
    alerts: tuple[Alert, ...] | None = None
    guard: GuardPolicy | None = Field(
        None, description="Judges each second, under a bounded chance of a false rollback."
    )
    no_traffic: Literal["hold", "fail", "promote"] | None = Field(
        None, description="What becomes of a release that no request reaches; default hold."
    )
    no_traffic_after: Interval | None = Field(
        None, description="How long without a request is no traffic; default 10m."
    )
    max_duration: Interval | None = Field(
        None, description="A release that is not promoted within it fails; default none."
    )
    delay: str | None = Field(
        None, description="How long a ready canary warms up before its first check; default none."
    )
    session_affinity: SessionAffinity | None = None
