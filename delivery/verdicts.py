"""The verdicts of all checks of a Canary, in Flagger's order (reference, 7.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, isfinite

from delivery import checks
from delivery.canary import Canary, Metric, Verdict
from delivery.observation import Observation, Traffic
from delivery.questions import Question, Way, questions

PENDING = "being asked"


@dataclass(frozen=True)
class Judgement:
    """A verdict; whether it is on a query of the user's own, or on what was counted without one."""

    verdict: Verdict
    own: bool = False
    counted: bool = False


def verdicts(canary: Canary, seen: Observation) -> tuple[Verdict, ...]:
    return tuple(one.verdict for one in judgements(canary, seen))


def judgements(canary: Canary, seen: Observation) -> Iterator[Judgement]:
    """By name and inline first, by templates behind them."""
    asked = questions(canary)
    for index, metric in enumerate(canary.analysis.metrics):
        here = [one for one in asked if one.index == index and one.way is not Way.TEMPLATE]
        yield from by_name_or_inline(canary, seen, metric, here)
    yield from (answered(canary, seen, one) for one in asked if one.way is Way.TEMPLATE)


def by_name_or_inline(
    canary: Canary, seen: Observation, metric: Metric, asked: list[Question]
) -> Iterator[Judgement]:
    """What is not asked of a Prometheus was counted by the routers."""
    counted = checks.is_by_name(metric.name, asks=metric.asks)
    if counted and not any(one.way is Way.BUILT_IN for one in asked):
        traffic = seen.traffic.get(metric.name, Traffic())
        yield Judgement(checks.judged(canary, metric, traffic), counted=True)
    yield from (answered(canary, seen, one) for one in asked)


def answered(canary: Canary, seen: Observation, question: Question) -> Judgement:
    return Judgement(by_answer(canary, seen, question), own=question.way is not Way.BUILT_IN)


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


def breached(question: Question, value: float) -> str:
    """What is wrong with a value, in Flagger's words; empty where it is in its range."""
    name = question.metric.name if question.way is Way.BUILT_IN else ""
    timed = name == checks.DURATION and isfinite(value)
    breach = checks.beyond(question.metric, value, floor if timed else float)
    if breach is None:
        return ""
    words = checks.in_percent if name == checks.SUCCESS_RATE else checks.plain
    return (checks.in_go if timed else words)(breach, Traffic())
