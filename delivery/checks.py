"""One measured value against its range: passed, failed, or not to be told yet."""

from math import comb, floor

from delivery.canary import Canary, Metric, Verdict
from delivery.observation import Traffic

SUCCESS_RATE = "request-success-rate"
DURATION = "request-duration"
BUILT_IN = (SUCCESS_RATE, DURATION)

PASSED = "passed"
FAILED = "failed"
UNDECIDED = "no verdict yet"
NO_TRAFFIC = "no traffic"

ACCIDENT = 0.01
"""A breach in a small sample counts only when chance would make it less often than this."""
DURATION_SHARE = 0.01
"""A P99 limit allows one request of a hundred to be slower."""


def judged(canary: Canary, metric: Metric, traffic: Traffic) -> Verdict:
    """The verdict of one built-in check, with Flagger's text (reference, 7.1) as its reason."""
    timed = metric.name == SUCCESS_RATE or traffic.p99 is not None
    if traffic.requests == 0 or not timed:
        return Verdict(metric.name, NO_TRAFFIC, reason=no_values(canary, metric))
    if metric.name == SUCCESS_RATE:
        return success_rate(canary, metric, traffic)
    return duration(canary, metric, traffic, value=traffic.p99 or 0.0)


def success_rate(canary: Canary, metric: Metric, traffic: Traffic) -> Verdict:
    value = 100.0 * (traffic.requests - traffic.bad) / traffic.requests
    breach = ""
    if metric.minimum is not None and value < metric.minimum:
        breach = f"success rate {value:.2f}% < {metric.minimum:g}%"
    elif metric.maximum is not None and value > metric.maximum:
        breach = f"success rate {value:.2f}% > {metric.maximum:g}%"
    allowed = 1.0 - (metric.minimum if metric.minimum is not None else 0.0) / 100.0
    accident = is_accident(traffic.requests, traffic.bad, allowed)
    return verdict(canary, metric, breach=breach, accident=accident, value=value, traffic=traffic)


def duration(canary: Canary, metric: Metric, traffic: Traffic, *, value: float) -> Verdict:
    """Compares whole milliseconds, as Flagger does."""
    breach, accident = "", False
    if metric.minimum is not None and floor(value) < floor(metric.minimum):
        breach = f"request duration {go_duration(value)} < {go_duration(metric.minimum)}"
    elif metric.maximum is not None and floor(value) > floor(metric.maximum):
        breach = f"request duration {go_duration(value)} > {go_duration(metric.maximum)}"
        breach += other_edge(metric.maximum, traffic)
        slow = traffic.slow.get(metric.maximum, traffic.requests)
        accident = is_accident(traffic.requests, slow, DURATION_SHARE)
    return verdict(canary, metric, breach=breach, accident=accident, value=value, traffic=traffic)


def other_edge(limit: float, traffic: Traffic) -> str:
    """Said where slow requests could not be counted from the limit itself on."""
    edge = traffic.edges.get(limit, limit)
    return "" if edge == limit else f" (counted from {go_duration(edge)} on)"


def verdict(
    canary: Canary,
    metric: Metric,
    *,
    breach: str,
    accident: bool,
    value: float,
    traffic: Traffic,
) -> Verdict:
    if not breach:
        return Verdict(metric.name, PASSED, value, traffic.requests)
    if accident:
        # What stands before the colon stays the same, so that this is said once (rules.outcome).
        chance = f"{metric.name} {UNDECIDED}: {breach} of {traffic.requests} requests may be chance"
        return Verdict(metric.name, UNDECIDED, value, traffic.requests, chance)
    reason = f"Halt {canary.name}.{canary.namespace} advancement {breach}"
    return Verdict(metric.name, FAILED, value, traffic.requests, reason)


def is_accident(requests: int, bad: int, allowed: float) -> bool:
    """Whether a sample too small to judge by itself could be chance (statistics, last rule).

    From 1/allowed requests on a breach always counts; below, only if P(X >= bad) <= 1 % at the
    allowed share of bad requests.
    """
    if allowed <= 0.0 or requests * allowed >= 1.0 - 1e-9:
        return False
    return upper_tail(requests, bad, allowed) > ACCIDENT + 1e-9


def upper_tail(trials: int, hits: int, chance: float) -> float:
    """P(X >= hits) for X binomial."""
    below = sum(
        comb(trials, count) * chance**count * (1.0 - chance) ** (trials - count)
        for count in range(hits)
    )
    return 1.0 - below


def no_values(canary: Canary, metric: Metric) -> str:
    return (
        f"Halt advancement no values found for {canary.provider} metric {metric.name} "
        f"probably {canary.target}.{canary.namespace} is not receiving traffic"
    )


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
