"""The status of a Canary: Flagger's fields (reference, 1.5) and ours."""

from pydantic import ConfigDict, Field

from delivery.api.explained import CanaryDecision
from delivery.api.guard import CanaryGuard
from delivery.api.instant import Instant
from delivery.api.model import Anything, Model
from delivery.canary import Phase


class CanaryCondition(Model):
    """What is known about one aspect of the Canary."""

    model_config = ConfigDict(extra="ignore")

    type: str
    status: str
    reason: str
    message: str | None = None
    last_update_time: Instant | None = None
    last_transition_time: Instant | None = None


class CanaryVerdict(Model):
    """The last answer of one check."""

    model_config = ConfigDict(extra="ignore")

    metric: str
    outcome: str
    value: float | None = Field(None, description="What was measured; absent without data.")
    samples: int | None = Field(None, description="Requests behind the value.")
    reason: str | None = None


class CanaryHook(Model):
    """What is remembered of a hook in this release."""

    model_config = ConfigDict(extra="ignore")

    outcome: str = Field(description="called, passed, failed, waiting, approved, not signaling.")
    about: str = Field(description="The revision and the moment that it was asked about.")
    time: Instant
    reason: str | None = None


class CanaryOwed(Model):
    """A hook that is still to hear of the end of a release."""

    model_config = ConfigDict(extra="ignore")

    hook: str
    phase: str
    checksum: str
    time: Instant


class CanaryAlert(Model):
    """An alert that is still to be told."""

    model_config = ConfigDict(extra="ignore")

    severity: str
    text: str
    time: Instant
    phase: str | None = None
    detailed: bool | None = None


class CanaryStatus(Model):
    """What is intended and what was decided last."""

    model_config = ConfigDict(extra="ignore")

    phase: Phase | None = Field(None, description="Where the release stands.")
    failed_checks: int | None = None
    canary_weight: int | None = None
    iterations: int | None = None
    tracked_configs: dict[str, str] | None = None
    last_applied_spec: str | None = None
    last_promoted_spec: str | None = None
    session_affinity_cookie: str | None = None
    primary_session_affinity_cookie: str | None = None
    previous_session_affinity_cookie: str | None = None
    last_transition_time: Instant | None = None
    conditions: tuple[CanaryCondition, ...] | None = None

    observed_hash: str | None = Field(None, description="Template that was taken up last.")
    promoted_hash: str | None = Field(None, description="Template that serves.")
    failed_hash: str | None = Field(None, description="Template that was refused last.")
    previous_hash: str | None = Field(
        None, description="Template that served before; put back, it needs no analysis."
    )
    matched: bool | None = Field(
        None, description="Whether what spec.analysis.match describes goes to the canary."
    )
    mirror_weight: int | None = Field(
        None, description="Percent of requests that are copied to the canary."
    )
    provider: str | None = Field(
        None, description="Who divides the traffic of that release until it has ended."
    )
    release: int | None = Field(None, description="Number of the release taken up last.")
    outcomes: dict[str, str] | None = Field(
        None, description="Number of a release to promoted, refused or superseded."
    )
    adoptions_given_up: int | None = Field(
        None, description="How often in a row the app could not be adopted in time."
    )
    replicas: int | None = Field(None, description="Replicas the user wishes for.")
    wished_version: int | None = Field(
        None, description="Version of the target at which admission noted that wish."
    )
    scale: int | None = Field(None, description="Replicas the target is held at.")
    stopped: bool | None = Field(
        None, description="Whether no pod of the app shall run, by outrider.dev/stop."
    )
    paused_by: str | None = Field(
        None, description="Whose outrider.dev/pause holds the canary's weight."
    )
    answered: dict[str, str] | None = Field(
        None, description="Annotations of the Canary that were acted on and are to be taken off."
    )
    router_ports: dict[str, int] | None = Field(
        None, description="Port of the apex Service, or SERVICE/PORT, to port of the router."
    )
    apex_service: str | None = Field(None, description="The Service that clients call.")
    apex_made: bool | None = Field(
        None, description="It was made as spec.service describes it; nobody else has a file of it."
    )
    apex_moved_time: Instant | None = Field(
        None, description="When the apex Service was last pointed elsewhere."
    )
    phase_time: Instant | None = Field(None, description="Since when the phase holds.")
    release_time: Instant | None = Field(None, description="When the release under way began.")
    ready_time: Instant | None = Field(
        None, description="When its canary was ready first, where analysis.delay is set."
    )
    last_check_time: Instant | None = Field(None, description="When checks were last made.")
    drained_time: Instant | None = Field(
        None, description="Since when no connection to the target is open."
    )
    shown_time: Instant | None = Field(
        None, description="Since when the router's objects show the split that is intended."
    )
    unshown_time: Instant | None = Field(None, description="Since when they do not.")
    message: str | None = Field(None, description="Why the last decision fell.")
    source: str | None = Field(None, description="What was found of spec.analysis.source.")
    verdicts: tuple[CanaryVerdict, ...] | None = Field(
        None, description="The last answer of each check."
    )
    hooks: dict[str, CanaryHook] | None = Field(
        None, description="The last word of each hook of spec.analysis.webhooks, by its name."
    )
    owed_hooks: tuple[CanaryOwed, ...] | None = Field(
        None, description="Hooks that are still to hear of the end of a release."
    )
    guard: CanaryGuard | None = Field(None, description="Evidence against the release so far.")
    alerts: tuple[CanaryAlert, ...] | None = Field(
        None, description="Alerts that are still to be told."
    )
    last_decision: CanaryDecision | None = Field(
        None, description="Why the release stands where it stands, and what would change it."
    )
    effective: Anything | None = Field(None, description="The analysis in force, defaults filled.")
