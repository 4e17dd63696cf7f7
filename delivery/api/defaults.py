"""The analysis of generated Canaries: built in, then the ConfigMap, then the Deployment's word."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from delivery import names
from delivery.alert import INFO, SEVERITIES, Route
from delivery.api.duration import seconds
from delivery.canary import HOLD, NO_TRAFFIC, Analysis, Metric
from delivery.guard import MODES, ON_WORSE, Policy
from delivery.references import NAME


@dataclass(frozen=True)
class Defaults:
    """What a generated Canary leaves unsaid. Seconds, percent, milliseconds.

    Judged every 5 s, in steps of 10 percent up to 50: a bad version leaves within seconds.
    """

    interval: float = 5.0
    threshold: int = 2
    step_weight: int = 10
    step_weights: tuple[int, ...] = ()
    max_weight: int = 50
    step_weight_promotion: int = 0
    primary_ready_threshold: int = 100
    canary_ready_threshold: int = 100
    success_rate: float = 99.0
    request_duration: float = 500.0
    progress_deadline: float = 600.0
    guard: Policy = Policy()
    no_traffic: str = HOLD
    no_traffic_after: float = 600.0
    max_duration: float | None = None
    delay: float = 0.0
    alerts: tuple[Route, ...] = ()

    @property
    def analysis(self) -> Analysis:
        """The metrics' windows equal the interval."""
        return Analysis(
            interval=self.interval,
            threshold=self.threshold,
            step_weight=self.step_weight,
            step_weights=self.step_weights,
            max_weight=self.max_weight,
            step_weight_promotion=self.step_weight_promotion,
            primary_ready_threshold=self.primary_ready_threshold,
            canary_ready_threshold=self.canary_ready_threshold,
            metrics=(
                Metric("request-success-rate", self.interval, minimum=self.success_rate),
                Metric("request-duration", self.interval, maximum=self.request_duration),
            ),
            guard=self.guard,
            no_traffic=self.no_traffic,
            no_traffic_after=self.no_traffic_after,
            max_duration=self.max_duration,
            delay=self.delay,
            alerts=self.alerts,
        )


DEFAULTS = Defaults().analysis

CONFIG = f"ConfigMap {names.DEFAULTS}"
ANNOTATION = "annotation"

NAMED = re.compile(f"({NAME.pattern}/)?{NAME.pattern}")
"""An AlertProvider, with its namespace in front where that is another."""
Change = Callable[[Defaults, str], Defaults]
"""One setting applied; ValueError says what its text should be."""


def whole(text: str, low: int, high: int | None = None) -> int:
    value = int(text) if re.fullmatch("[0-9]{1,9}", text) else None
    if value is None or value < low or (high is not None and value > high):
        bounds = f"{low} or more" if high is None else f"{low} to {high}"
        raise ValueError(f"use a whole number, {bounds}")
    return value


def percent(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", text) or float(text) > 100:
        raise ValueError("use a percentage, 0 to 100")
    return float(text)


def at_least_a_second(text: str) -> float:
    if (length := seconds(text)) < 1:
        raise ValueError("use 1s or more")
    return length


def milliseconds(text: str) -> float:
    """`500ms`, `1.5s`, or a plain number of milliseconds."""
    length = float(text) if re.fullmatch("[0-9]{1,9}", text) else seconds(text) * 1000
    if length <= 0:
        raise ValueError("use more than 0")
    return length


def one_of(text: str, known: Collection[str]) -> str:
    if text not in known:
        raise ValueError(f"use one of {', '.join(known)}")
    return text


def chance(text: str) -> float:
    if not re.fullmatch(r"0?\.[0-9]{1,9}", text) or not 0 < float(text) <= 0.5:
        raise ValueError("use a chance such as 0.01, up to 0.5")
    return float(text)


def guarded(to: Defaults, **changes: Any) -> Defaults:
    return replace(to, guard=replace(to.guard, **changes))


def ascending(text: str) -> tuple[int, ...]:
    weights = tuple(whole(part.strip(), 1, 100) for part in text.split(","))
    if list(weights) != sorted(set(weights)):
        raise ValueError("use ascending percentages, such as 1,5,20,50")
    return weights


def routes(text: str) -> tuple[Route, ...]:
    """AlertProviders by name, with the severity that each is told of: `ops, chat/team:error`; in
    front of a slash stands the namespace of one that another offers.
    """
    pairs = [part.strip().partition(":") for part in text.split(",")]
    severe = all(not colon or severity in SEVERITIES for _, colon, severity in pairs)
    if not severe or not all(NAMED.fullmatch(named) for named, _, _ in pairs):
        raise ValueError(f"use names of AlertProviders, such as ops:error; {', '.join(SEVERITIES)}")
    return tuple(route(name, severity or INFO) for name, _, severity in pairs)


def route(named: str, severity: str) -> Route:
    namespace, _, name = named.rpartition("/")
    return Route(named, name, severity, namespace)


SETTINGS: Mapping[str, Change] = {
    "interval": lambda to, text: replace(to, interval=at_least_a_second(text)),
    "threshold": lambda to, text: replace(to, threshold=whole(text, 1)),
    "stepWeight": lambda to, text: replace(to, step_weight=whole(text, 1, 100), step_weights=()),
    "stepWeights": lambda to, text: replace(to, step_weights=ascending(text), step_weight=0),
    "maxWeight": lambda to, text: replace(to, max_weight=whole(text, 1, 100)),
    "stepWeightPromotion": lambda to, text: replace(to, step_weight_promotion=whole(text, 0, 100)),
    "primaryReadyThreshold": lambda to, text: replace(
        to, primary_ready_threshold=whole(text, 0, 100)
    ),
    "canaryReadyThreshold": lambda to, text: replace(
        to, canary_ready_threshold=whole(text, 0, 100)
    ),
    "successRate": lambda to, text: replace(to, success_rate=percent(text)),
    "requestDuration": lambda to, text: replace(to, request_duration=milliseconds(text)),
    "guard": lambda to, text: guarded(to, mode=one_of(text, MODES)),
    "guardAlpha": lambda to, text: guarded(to, alpha=chance(text)),
    "guardOnWorse": lambda to, text: guarded(to, on_worse=one_of(text, ON_WORSE)),
    "guardWarmUp": lambda to, text: guarded(to, warm_up=seconds(text)),
    "guardMinRequests": lambda to, text: guarded(to, requests=whole(text, 0)),
    "noTraffic": lambda to, text: replace(to, no_traffic=one_of(text, NO_TRAFFIC)),
    "noTrafficAfter": lambda to, text: replace(to, no_traffic_after=at_least_a_second(text)),
    "maxDuration": lambda to, text: replace(to, max_duration=at_least_a_second(text)),
    "delay": lambda to, text: replace(to, delay=seconds(text)),
    "alerts": lambda to, text: replace(to, alerts=routes(text)),
    "progressDeadlineSeconds": lambda to, text: replace(to, progress_deadline=whole(text, 1)),
}


def kebab(key: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", key)


ANNOTATIONS: Mapping[str, str] = {names.PREFIX + kebab(key): key for key in SETTINGS}
OURS = frozenset(
    value
    for value in vars(names).values()
    if isinstance(value, str)
    and value.startswith(names.PREFIX)
    and value not in names.SAID_ON_CANARY
)
"""Annotations that mean something else to us; everything more under our prefix is a slip.

So are those that are said on a Canary."""


def defaults_from(
    config: Mapping[str, str], annotations: Mapping[str, str]
) -> tuple[Analysis, tuple[str, ...]]:
    """The analysis in force, and what could not be used; there the next lower layer holds."""
    defaults, problems = layered(config, annotations)
    return defaults.analysis, problems


def deadline_from(config: Mapping[str, str], annotations: Mapping[str, str]) -> float:
    """Seconds a release may take to become ready; problems are those of `defaults_from`."""
    return layered(config, annotations)[0].progress_deadline


def layered(
    config: Mapping[str, str], annotations: Mapping[str, str]
) -> tuple[Defaults, tuple[str, ...]]:
    said = {key: text for key, text in annotations.items() if is_setting(key)}
    lower, below = layer(Defaults(), CONFIG, config, {key: key for key in SETTINGS})
    upper, above = layer(lower, ANNOTATION, said, ANNOTATIONS)
    return upper, (*below, *above)


def is_setting(annotation: str) -> bool:
    return annotation.startswith(names.PREFIX) and annotation not in OURS


def layer(
    defaults: Defaults, source: str, texts: Mapping[str, str], known: Mapping[str, str]
) -> tuple[Defaults, tuple[str, ...]]:
    """The defaults with one source's texts applied; `known` leads from its names to settings."""
    problems = [f"{source} {problem}" for problem in unusable(texts, known)]
    passed_over = set(rivals(texts, known))
    for key, text in texts.items():
        if key not in known or key in passed_over:
            continue
        try:
            defaults = SETTINGS[known[key]](defaults, text.strip())
        except ValueError as error:
            problems.append(f'{source} {key}: "{text}" is not used; {error}')
    return defaults, tuple(problems)


def unusable(texts: Mapping[str, str], known: Mapping[str, str]) -> Iterator[str]:
    for key in texts:
        if key not in known:
            yield f"{key}: is no setting; known are {', '.join(known)}"
    if both := rivals(texts, known):
        yield f"{' and '.join(both)}: exclude each other, neither is used; keep one"


def rivals(texts: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """The two ways to step, when one source names both."""
    ways = [key for key in texts if known.get(key) in ("stepWeight", "stepWeights")]
    return ways if len(ways) > 1 else []
