"""The status of a Canary as it is stored <-> the value that a release is decided from."""

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from delivery.alert import Alert
from delivery.api.guard import guard_of, written_guard
from delivery.api.shape import read
from delivery.api.status import (
    CanaryAlert,
    CanaryCondition,
    CanaryHook,
    CanaryOwed,
    CanaryStatus,
    CanaryVerdict,
)
from delivery.canary import Condition, Phase, Status, Verdict
from delivery.hook import Owed, Told
from delivery.mapping import number
from delivery.names import LISTENERS

TIMES: Mapping[str, str] = MappingProxyType(
    {
        "apex_moved": "apex_moved_time",
        "phase_since": "phase_time",
        "began": "release_time",
        "ready": "ready_time",
        "last_check": "last_check_time",
        "drained_since": "drained_time",
        "last_transition": "last_transition_time",
    }
)
"""Each time by its name in the core, and as it is stored."""


def status_of(found: Mapping[str, Any]) -> Status:
    """The status as it was written; what is not ours or cannot be read counts as absent.

    Flagger's `lastAppliedSpec` is hashed in another way, so only our own hashes are read.
    """
    said = readable(found)
    return Status(
        phase=said.phase or Phase.NEW,
        **split_of(said),
        failed_checks=said.failed_checks or 0,
        iterations=said.iterations or 0,
        given_up=said.adoptions_given_up or 0,
        observed=said.observed_hash or "",
        promoted=said.promoted_hash or "",
        failed=said.failed_hash or "",
        previous=said.previous_hash or "",
        provider=said.provider or "",
        release=said.release,
        outcomes=MappingProxyType(outcomes_of(said)),
        replicas=said.replicas,
        wished=said.wished_version,
        scale=said.scale,
        stopped=bool(said.stopped),
        paused=said.paused_by or "",
        answered=MappingProxyType(said.answered or {}),
        ports=MappingProxyType(ports_of(said)),
        apex=said.apex_service or "",
        made=bool(said.apex_made),
        **times_of(said),
        message=said.message or "",
        source=said.source or "",
        verdicts=tuple(verdict_of(verdict) for verdict in said.verdicts or ()),
        hooks=MappingProxyType({name: told_of(hook) for name, hook in (said.hooks or {}).items()}),
        owed=tuple(owed_of(one) for one in said.owed_hooks or ()),
        guard=guard_of(said.guard),
        alerts=tuple(alert_of(alert) for alert in said.alerts or ()),
        conditions=tuple(condition_of(condition) for condition in said.conditions or ()),
    )


def outcomes_of(said: CanaryStatus) -> dict[str, str]:
    """By the numbers of releases, as they are written."""
    found = said.outcomes or {}
    return {key: found[key] for key in found if key == str(number(key))}


def ports_of(said: CanaryStatus) -> dict[str, int]:
    """What is no port of a Service's, or none of the routers', is given anew."""
    found = said.router_ports or {}
    known = {key: number(key.rpartition("/")[2]) for key in found}
    return {key: found[key] for key in found if known[key] and found[key] in LISTENERS}


def times_of(said: CanaryStatus) -> dict[str, Any]:
    return {name: getattr(said, field) for name, field in TIMES.items()}


def split_of(said: CanaryStatus) -> dict[str, Any]:
    """How requests are divided, by which cookies, and since when that is so."""
    return {
        "shown_since": said.shown_time,
        "unshown_since": said.unshown_time,
        "canary_weight": percent(said.canary_weight),
        "matched": bool(said.matched),
        "mirror_weight": percent(said.mirror_weight),
        "cookie": said.session_affinity_cookie or "",
        "primary_cookie": said.primary_session_affinity_cookie or "",
        "previous_cookie": said.previous_session_affinity_cookie or "",
    }


def percent(said: int | None) -> int:
    return min(100, max(0, said or 0))


def written_split(status: Status) -> dict[str, Any]:
    return {
        "shown_time": status.shown_since,
        "unshown_time": status.unshown_since,
        "canary_weight": status.canary_weight,
        "matched": status.matched or None,
        "mirror_weight": status.mirror_weight or None,
        "session_affinity_cookie": status.cookie or None,
        "primary_session_affinity_cookie": status.primary_cookie or None,
        "previous_session_affinity_cookie": status.previous_cookie or None,
    }


def readable(found: Mapping[str, Any]) -> CanaryStatus:
    try:
        return read(CanaryStatus, found)
    except ValidationError as error:
        broken = {detail["loc"][0] for detail in error.errors()}
        return read(CanaryStatus, {key: found[key] for key in found if key not in broken})


def verdict_of(said: CanaryVerdict) -> Verdict:
    return Verdict(said.metric, said.outcome, said.value, said.samples or 0, said.reason or "")


def alert_of(said: CanaryAlert) -> Alert:
    return Alert(said.severity, said.text, bool(said.detailed), said.phase or "", said.time)


def condition_of(said: CanaryCondition) -> Condition:
    return Condition(
        said.type,
        said.status,
        said.reason,
        said.message or "",
        updated=said.last_update_time or 0.0,
        changed=said.last_transition_time or 0.0,
    )


def told_of(said: CanaryHook) -> Told:
    return Told(said.outcome, said.about, said.time, said.reason or "")


def owed_of(said: CanaryOwed) -> Owed:
    return Owed(said.hook, said.phase, said.checksum, said.time)


def written(status: Status) -> CanaryStatus:
    return CanaryStatus(
        phase=status.phase,
        **written_split(status),
        failed_checks=status.failed_checks,
        iterations=status.iterations,
        adoptions_given_up=status.given_up or None,
        observed_hash=status.observed or None,
        last_applied_spec=status.observed or None,
        promoted_hash=status.promoted or None,
        last_promoted_spec=status.promoted or None,
        failed_hash=status.failed or None,
        previous_hash=status.previous or None,
        provider=status.provider or None,
        release=status.release,
        outcomes=dict(status.outcomes) or None,
        replicas=status.replicas,
        wished_version=status.wished,
        scale=status.scale,
        stopped=status.stopped or None,
        paused_by=status.paused or None,
        answered=dict(status.answered) or None,
        router_ports=dict(status.ports) or None,
        apex_service=status.apex or None,
        apex_made=status.made or None,
        **written_times(status),
        message=status.message or None,
        source=status.source or None,
        verdicts=tuple(written_verdict(verdict) for verdict in status.verdicts) or None,
        hooks={name: written_hook(told) for name, told in status.hooks.items()} or None,
        owed_hooks=tuple(written_owed(one) for one in status.owed) or None,
        guard=written_guard(status.guard),
        alerts=tuple(written_alert(alert) for alert in status.alerts) or None,
        conditions=tuple(written_condition(each) for each in status.conditions) or None,
    )


def written_times(status: Status) -> dict[str, Any]:
    return {field: getattr(status, name) for name, field in TIMES.items()}


def written_verdict(verdict: Verdict) -> CanaryVerdict:
    """JSON knows no NaN and no infinity: such a value is left out."""
    value = verdict.value
    return CanaryVerdict(
        metric=verdict.metric,
        outcome=verdict.outcome,
        value=value if value is not None and isfinite(value) else None,
        samples=verdict.samples,
        reason=verdict.reason or None,
    )


def written_hook(told: Told) -> CanaryHook:
    return CanaryHook(
        outcome=told.outcome, about=told.about, time=told.at, reason=told.reason or None
    )


def written_owed(owed: Owed) -> CanaryOwed:
    return CanaryOwed(hook=owed.hook, phase=owed.phase, checksum=owed.checksum, time=owed.since)


def written_alert(alert: Alert) -> CanaryAlert:
    return CanaryAlert(
        severity=alert.severity,
        text=alert.text,
        time=alert.at,
        phase=alert.phase or None,
        detailed=alert.detailed or None,
    )


def written_condition(condition: Condition) -> CanaryCondition:
    return CanaryCondition(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        last_update_time=condition.updated,
        last_transition_time=condition.changed,
    )
