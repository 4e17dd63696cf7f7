"""Releases in a model of traffic, judged by the whole `step`: how each ends, and when.

Requests arrive at a constant rate, go to the canary by its weight, and are bad by chance. The
counters are what one router would show, each second.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, inf
from random import Random

from delivery import names, serving
from delivery.canary import Analysis, Canary, Metric, Phase, Status
from delivery.checks import window_start
from delivery.counted import Counted
from delivery.guard import Guard, Policy
from delivery.observation import Observation, Routers, Traffic
from delivery.stats import Counters, Sample, difference
from delivery.step import step
from tests.delivery.scenes import half
from tests.delivery.worlds import service

START = 1_000_000.0
LIMIT = 500.0
ERRORS = Metric("request-success-rate", 5.0, minimum=99.0)
TIMES = Metric("request-duration", 5.0, maximum=LIMIT)
STEPS = Analysis(
    interval=5.0,
    threshold=2,
    step_weight=10,
    max_weight=50,
    metrics=(ERRORS, TIMES),
    guard=Policy(),
)

Rate = Callable[[float], float]
"""Share of bad requests by the seconds since the release began."""


def constant(share: float) -> Rate:
    return lambda at: share


@dataclass(frozen=True)
class Case:
    """A release: requests a second, and what share of either half's fail or are slow."""

    canary: Rate
    primary: Rate
    rate: float = 50.0
    slow: Rate = constant(0.0)
    analysis: Analysis = STEPS
    limit: int = 3600


@dataclass(frozen=True)
class End:
    """How it ended, after how many seconds, at which weight; `failures` are users' own."""

    outcome: str
    seconds: int
    weight: int
    failures: int


class Half:
    """What a router has counted of one half."""

    def __init__(self) -> None:
        self.requests = self.bad = self.slow = 0

    def serve(self, random: Random, requests: int, bad: float, slow: float) -> None:
        self.requests += requests
        self.bad += chosen(random, requests, bad)
        self.slow += chosen(random, requests, slow)

    def counters(self) -> Counters:
        buckets = ((0.0, LIMIT, self.requests - self.slow), (LIMIT, inf, self.slow))
        return Counters(completed=self.requests, server_errors=self.bad, buckets=buckets)


def chosen(random: Random, among: int, share: float) -> int:
    """How many of so many, by chance."""
    return sum(random.random() < share for _ in range(among)) if share else 0


class Simulation:
    """One release from its first weight on."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case, self.random = case, Random(seed)
        self.canary, self.primary = Half(), Half()
        self.owed = 0.0
        self.history: list[tuple[float, Counters]] = []
        status = Status(
            phase=Phase.PROGRESSING,
            observed="v2",
            promoted="v1",
            replicas=3,
            scale=1,
            ports={"80": 20001},
            apex="web",
            apex_moved=1.0,
            phase_since=START,
            guard=Guard(since=START),
        )
        self.release = Canary("web", "shop", "app", case.analysis, status=status)
        self.canary_series = serving.clusters(self.release, names.CANARY)[0]
        self.primary_series = serving.clusters(self.release, names.PRIMARY)[0]

    def run(self) -> End:
        for second in range(self.case.limit):
            self.send(second)
            self.release = step(self.release, self.seen(START + second + 1)).canary
            phase, weight = self.release.status.phase, self.release.status.canary_weight
            if phase is Phase.FAILED:
                return self.end("rolled back", second + 1)
            if phase is Phase.PROMOTING:
                return End("promoted", second + 1, weight, self.canary.bad)
        return self.end("held", self.case.limit)

    def end(self, outcome: str, seconds: int) -> End:
        return End(outcome, seconds, self.release.status.canary_weight, self.canary.bad)

    def send(self, second: int) -> None:
        self.owed += self.case.rate
        arrived, self.owed = int(self.owed), self.owed % 1.0
        canary = chosen(self.random, arrived, self.release.status.canary_weight / 100)
        at = float(second)
        self.canary.serve(self.random, canary, self.case.canary(at), self.case.slow(at))
        self.primary.serve(self.random, arrived - canary, self.case.primary(at), 0.0)
        self.history.append((START + second + 1, self.canary.counters()))

    def seen(self, now: float) -> Observation:
        scale = self.release.status.scale or 1
        return Observation(
            now,
            target=half("v2", scale, fresh=START - 2.0),
            primary=half("v1"),
            apex=service(),
            routers=Routers(2, frozenset({20001})),
            revisions={"v1": {}, "v2": {}},
            traffic={one.name: self.window(one, now) for one in self.case.analysis.metrics},
            counted=self.counted(),
        )

    def counted(self) -> Counted:
        shown = {self.primary_series: self.primary.counters()}
        if self.canary.requests:
            shown[self.canary_series] = self.canary.counters()
        return {"router/0": shown}

    def window(self, metric: Metric, now: float) -> Traffic:
        """As agent/observe.py takes it."""
        start = window_start(self.release, metric, now)
        if start is None:
            return Traffic()
        before = next((c for at, c in reversed(self.history) if at <= start), Counters())
        sample: Sample = difference(before, self.history[-1][1])
        slow = sample.slower_than(LIMIT)
        duration = 900.0 if slow > sample.requests * 0.01 else 20.0
        return Traffic(
            requests=sample.requests,
            bad=sample.bad,
            duration=duration if sample.requests else None,
            slow={LIMIT: slow},
            seconds=now - start,
        )


def ends(case: Case, runs: int, seed: int = 0) -> list[End]:
    """So many releases, each with chances of its own that depend on the seed alone."""
    return [Simulation(case, seed * 1_000_003 + run).run() for run in range(runs)]


def share(found: list[End], outcome: str) -> float:
    return sum(one.outcome == outcome for one in found) / len(found)


def median(found: list[End], outcome: str) -> float | None:
    """Seconds until that end; None where it was none's."""
    every = sorted(one.seconds for one in found if one.outcome == outcome)
    return every[ceil(len(every) / 2) - 1] if every else None


def without_guard(analysis: Analysis) -> Analysis:
    """What Flagger's rule makes of the same requests."""
    return replace(analysis, guard=None)
