"""One measured value against its range: passed, failed, or not to be told yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor

from delivery.canary import Canary, Metric, Verdict
from delivery.chance import is_accident
from delivery.observation import Traffic

SUCCESS_RATE = "request-success-rate"
DURATION = "request-duration"

PASSED = "passed"
FAILED = "failed"
UNDECIDED = "no verdict yet"
NO_TRAFFIC = "no traffic"

DURATION_SHARE = 0.01
"""A P99 limit allows one request of a hundred to be slower."""
SLACK = 1.5
"""Seconds by which a whole window may seem shorter: looks are a second apart, at both ends."""


@dataclass(frozen=True)
class Breach:
    """A bound of a metric that its value is beyond: `<` its minimum or `>` its maximum."""

    metric: Metric
    value: float
    sign: str
    bound: float


@dataclass(frozen=True)
class Check:
    """A builtin: its value, None where there is none; its words for a breach; and why a breach may
    be no more than chance, empty where it cannot. `quantile` is of durations, None for others.
    """

    value: Callable[[Metric, Traffic], float | None]
    words: Callable[[Breach, Traffic], str]
    chance: Callable[[Breach, Traffic], str]
    compared: Callable[[float], float] = float
    quantile: float | None = None


WINDOW_SECONDS = 60.0
"""A window of a release that has a guard grows no longer than this, or than it was asked to be."""


def window_start(canary: Canary, metric: Metric, now: float) -> float | None:
    """Since when a check looks: the metric's interval, or longer while no verdict was given.

    Never from before this revision: samples of another one say nothing of it. None before the
    first step. With a guard what is long past is let go, for the guard forgets nothing: a version
    that is just within its range would be held for ever by the chance of an early minute.
    """
    status = canary.status
    if status.last_check is None or status.phase_since is None:
        return None
    start = min(status.last_check, now - metric.interval)
    if canary.analysis.guard:
        start = max(start, now - max(metric.interval, WINDOW_SECONDS))
    return max(status.phase_since, start)


def judged(canary: Canary, metric: Metric, traffic: Traffic) -> Verdict:
    """The verdict of one builtin, with Flagger's text (reference, 7.1) as its reason."""
    check = CHECKS[metric.name]
    value = check.value(metric, traffic) if traffic.requests else None
    if value is None:
        return Verdict(metric.name, NO_TRAFFIC, reason=no_values(canary, metric))
    breach = beyond(metric, value, check.compared)
    if breach is None:
        return Verdict(metric.name, PASSED, value, traffic.requests)
    words = check.words(breach, traffic)
    if why := check.chance(breach, traffic):
        # What stands before the colon stays the same, so that this is said once (rules.outcome).
        reason = f"{metric.name} {UNDECIDED}: {words} {why}"
        return Verdict(metric.name, UNDECIDED, value, traffic.requests, reason)
    reason = f"Halt {canary.name}.{canary.namespace} advancement {words}"
    return Verdict(metric.name, FAILED, value, traffic.requests, reason)


def is_by_name(name: str, *, asks: bool) -> bool:
    """Whether a metric is a builtin. Names that Flagger does not know are its users' own where
    they ask a metric backend.
    """
    return name in (SUCCESS_RATE, DURATION) or (name in BUILT_IN and not asks)


def beyond(
    metric: Metric, value: float, compared: Callable[[float], float] = float
) -> Breach | None:
    """Bounds themselves pass."""
    if metric.minimum is not None and compared(value) < compared(metric.minimum):
        return Breach(metric, value, "<", metric.minimum)
    if metric.maximum is not None and compared(value) > compared(metric.maximum):
        return Breach(metric, value, ">", metric.maximum)
    return None


def no_values(canary: Canary, metric: Metric) -> str:
    return (
        f"Halt advancement no values found for {canary.provider} metric {metric.name} "
        f"probably {canary.target}.{canary.namespace} is not receiving traffic"
    )


def success_rate(metric: Metric, traffic: Traffic) -> float:
    return 100.0 * (traffic.requests - traffic.bad) / traffic.requests


def error_rate(metric: Metric, traffic: Traffic) -> float:
    """In percent."""
    return 100.0 * traffic.bad / traffic.requests


def request_rate(metric: Metric, traffic: Traffic) -> float | None:
    """In requests a second."""
    return traffic.requests / traffic.seconds if traffic.seconds > 0.0 else None


def requests_total(metric: Metric, traffic: Traffic) -> float:
    """In one interval: what was counted in another time is made good, but not for a short one."""
    if is_partial(metric, traffic):
        return float(traffic.requests)
    return traffic.requests * metric.interval / (traffic.seconds or metric.interval)


def duration(metric: Metric, traffic: Traffic) -> float | None:
    """In milliseconds."""
    return traffic.duration


def in_percent(breach: Breach, traffic: Traffic) -> str:
    return f"success rate {breach.value:.2f}% {breach.sign} {breach.bound:g}%"


def in_go(breach: Breach, traffic: Traffic) -> str:
    value, bound = go_duration(breach.value), go_duration(breach.bound)
    return f"request duration {value} {breach.sign} {bound}{other_edge(breach, traffic)}"


def plain(breach: Breach, traffic: Traffic) -> str:
    """As Flagger says it of metrics that have no words of their own."""
    value = f"{breach.metric.name} {breach.value:.2f} {breach.sign} {breach.bound:g}"
    return f"{value}{other_edge(breach, traffic)}"


def other_edge(breach: Breach, traffic: Traffic) -> str:
    """Said where slow requests could not be counted from the limit itself on."""
    edge = traffic.edges.get(breach.bound, breach.bound)
    return "" if edge == breach.bound else f" (counted from {go_duration(edge)} on)"


def too_few(requests: int, bad: int, allowed: float) -> str:
    accident = is_accident(requests, bad, allowed)
    return f"of {requests} requests may be chance" if accident else ""


def few_failed(breach: Breach, traffic: Traffic) -> str:
    """Only where it is too many that failed."""
    allowed = {"<": 100.0 - breach.bound, ">": breach.bound}[breach.sign] / 100.0
    too_many = (breach.sign == "<") == (breach.metric.name == SUCCESS_RATE)
    return too_few(traffic.requests, traffic.bad, allowed) if too_many else ""


def few_were_slow(breach: Breach, traffic: Traffic) -> str:
    slow = traffic.slow.get(breach.bound, traffic.requests)
    share = 1.0 - (CHECKS[breach.metric.name].quantile or 0.0)
    return too_few(traffic.requests, slow, share) if breach.sign == ">" else ""


def short_window(breach: Breach, traffic: Traffic) -> str:
    """More than allowed is so whatever may come, except of a rate."""
    total = breach.metric.name == TOTAL and breach.sign == ">"
    if total or not is_partial(breach.metric, traffic):
        return ""
    return f"in {traffic.seconds:.0f} of {breach.metric.interval:g} seconds"


def is_partial(metric: Metric, traffic: Traffic) -> bool:
    return traffic.seconds < metric.interval - SLACK


TOTAL = "requests-total"
ERROR_RATE = "error-rate"
CHECKS: Mapping[str, Check] = {
    SUCCESS_RATE: Check(success_rate, in_percent, few_failed),
    DURATION: Check(duration, in_go, few_were_slow, compared=floor, quantile=1.0 - DURATION_SHARE),
    ERROR_RATE: Check(error_rate, plain, few_failed),
    "request-rate": Check(request_rate, plain, short_window),
    TOTAL: Check(requests_total, plain, short_window),
    "request-duration-p50": Check(duration, plain, few_were_slow, quantile=0.5),
    "request-duration-p90": Check(duration, plain, few_were_slow, quantile=0.9),
    "request-duration-p95": Check(duration, plain, few_were_slow, quantile=0.95),
    "request-duration-p99": Check(duration, plain, few_were_slow, quantile=0.99),
}
BUILT_IN = tuple(CHECKS)


def quantile(name: str) -> float | None:
    """Which one of durations a metric is about, if it is about any."""
    return CHECKS[name].quantile if name in CHECKS else None


def go_duration(milliseconds: float) -> str:
    """Whole milliseconds as Go prints them: 1.515s, 500ms, 1m0s."""
    whole = floor(milliseconds)
    if whole < 1000:
        return f"{whole}ms" if whole else "0s"
    minutes, rest = divmod(whole, 60_000)
    seconds = f"{rest / 1000:g}s" if rest % 1000 == 0 else f"{rest / 1000:.3f}".rstrip("0") + "s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds
