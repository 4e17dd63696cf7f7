"""The verdicts of all checks of a Canary, in Flagger's order (reference, 7.1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, isfinite

from delivery import checks, promql
from delivery.canary import Canary, Metric, Verdict
from delivery.observation import Observation, Traffic
from delivery.questions import Question, Way, questions

PENDING = "being asked"


def verdicts(canary: Canary, seen: Observation) -> tuple[Verdict, ...]:
    """By name and inline first, by templates behind them."""
    asked = questions(canary)
    first = [one for one in asked if one.way is not Way.TEMPLATE]
    second = [one for one in asked if one.way is Way.TEMPLATE]
    found = [
        verdict
        for index, metric in enumerate(canary.analysis.metrics)
        for verdict in by_name_or_inline(
            canary, seen, metric, [one for one in first if one.index == index]
        )
    ]
    return (*found, *(by_answer(canary, seen, one) for one in second))


def by_name_or_inline(
    canary: Canary, seen: Observation, metric: Metric, asked: list[Question]
) -> Iterator[Verdict]:
    """What is not asked of a Prometheus was counted by the routers."""
    counted = metric.name in checks.BUILT_IN
    if counted and not any(one.way is Way.BUILT_IN for one in asked):
        yield checks.judged(canary, metric, seen.traffic.get(metric.name, Traffic()))
    yield from (by_answer(canary, seen, one) for one in asked)


def by_answer(canary: Canary, seen: Observation, question: Question) -> Verdict:
    """No values and errors fail, as in Flagger; what is only too early for values waits."""
    name, answer = question.metric.name, seen.measurements.get(question.key)
    if answer is None:
        return Verdict(name, PENDING, reason=f"metric {name} is {PENDING}")
    if answer.value is None:
        return Verdict(
            name, checks.NO_TRAFFIC if answer.early else checks.FAILED, reason=answer.failure
        )
    breach = breached(question, answer.value)
    if not breach:
        return Verdict(name, checks.PASSED, answer.value)
    reason = f"Halt {canary.name}.{canary.namespace} advancement {breach}"
    return Verdict(name, checks.FAILED, answer.value, reason=reason)


@dataclass(frozen=True)
class Wording:
    """How a value and a limit are written beside each other."""

    label: str
    value: Callable[[float], str] = "{:.2f}".format
    limit: Callable[[float], str] = "{:.12g}".format


def wording(question: Question) -> Wording:
    match question.way, question.metric.name:
        case Way.BUILT_IN, promql.DURATION:
            return Wording("request duration", milliseconds, milliseconds)
        case Way.BUILT_IN, _:
            return Wording("success rate", "{:.2f}%".format, "{:.12g}%".format)
    return Wording(question.metric.name)


def milliseconds(value: float) -> str:
    return checks.go_duration(value) if isfinite(value) else f"{value:g}s"


def breached(question: Question, value: float) -> str:
    """What is wrong with a value, in Flagger's words; empty where it is in its range.

    Durations are compared by whole milliseconds.
    """
    metric, words = question.metric, wording(question)
    minimum, maximum = metric.minimum, metric.maximum
    whole = floored if words.value is milliseconds else float
    if minimum is not None and whole(value) < whole(minimum):
        return f"{words.label} {words.value(value)} < {words.limit(minimum)}"
    if maximum is not None and whole(value) > whole(maximum):
        return f"{words.label} {words.value(value)} > {words.limit(maximum)}"
    return ""


def floored(value: float) -> float:
    return float(floor(value)) if isfinite(value) else value
