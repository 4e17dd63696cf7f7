"""One collector over the last decisions: Flagger's metrics (reference, 9) and our own."""

import threading
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from agent import judged
from agent.judged import Key
from delivery import checks
from delivery.canary import Canary, Phase
from delivery.names import primary_name
from delivery.strategy import strategy

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Of Flagger's client library, in seconds."""
STATUS = {Phase.PROGRESSING: 0.0, Phase.FAILED: 2.0}
OTHER_STATUS = 1.0
ENDS = (Phase.SUCCEEDED, Phase.FAILED)

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def key(canary: Canary) -> Key:
    return canary.target, canary.namespace


def project_version() -> str:
    return str(tomllib.loads(PYPROJECT.read_text())["project"]["version"])


def is_duration(canary: Canary, metric: str) -> bool:
    """Of the builtins; what a user asks under such a name is in a unit of its own."""
    metrics = [each for each in canary.analysis.metrics if each.name == metric]
    own = any(not checks.is_by_name(metric, asks=each.asks) for each in metrics)
    return checks.quantile(metric) is not None and not own


class Turns:
    """How long the turns of one Canary took."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[sum(bound < seconds for bound in BUCKETS)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        bounds = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")
        return list(zip(bounds, map(float, accumulate(self.counts)), strict=True))


class Exposition(Collector):
    """Fed by the loop, read by scrapes; series of what is gone disappear with it."""

    def __init__(
        self, registry: CollectorRegistry, *, version: str = "", provider: str = "envoy"
    ) -> None:
        self.lock = threading.Lock()
        self.info = {"version": version or project_version(), "mesh_provider": provider}
        self.canaries: dict[Key, Canary] = {}
        self.namespaces: set[str] = set()
        self.turns: defaultdict[Key, Turns] = defaultdict(Turns)
        self.releases: Counter[tuple[Key, Phase, tuple[str, str]]] = Counter()
        self.refused: dict[str, tuple[str, ...]] = {}
        self.queries: defaultdict[str, Turns] = defaultdict(Turns)
        self.query_errors: Counter[str] = Counter()
        self.scrape_errors = 0
        self.rejections = 0
        self.alerts: Counter[tuple[str, str]] = Counter()
        self.slipped = 0
        self.expiries: dict[str, float] = {}
        self.leader = False
        registry.register(self)

    def update(self, canaries: Iterable[Canary]) -> None:
        """All Canaries there are now; two of the same target count once."""
        now = {key(canary): canary for canary in canaries}
        with self.lock:
            self.canaries = now
            self.namespaces |= {namespace for _, namespace in now}
            self.turns = defaultdict(
                Turns, {each: self.turns[each] for each in self.turns.keys() & now.keys()}
            )
            self.releases = Counter(
                {each: count for each, count in self.releases.items() if each[0] in now}
            )

    def turned(self, before: Canary, after: Canary, seconds: float) -> None:
        """One turn of a Canary: how long it took, and whether it ended a release."""
        with self.lock:
            self.canaries[key(after)] = after
            self.turns[key(after)].add(seconds)
        phase, earlier = after.status.phase, before.status
        # A new revision that was withdrawn while it waited was no release.
        withdrawn = earlier.phase is Phase.WAITING and after.status.failed == earlier.failed
        if phase in ENDS and phase != earlier.phase and not withdrawn:
            self.ended(after, phase)

    def ended(self, canary: Canary, outcome: Phase) -> None:
        skipped = canary.skip_analysis and outcome == Phase.SUCCEEDED
        kind = strategy(canary.analysis), "skipped" if skipped else "completed"
        with self.lock:
            self.releases[key(canary), outcome, kind] += 1

    def refuse(self, refused: Mapping[str, tuple[str, ...]]) -> None:
        """The Deployments that are left alone now, and why."""
        with self.lock:
            self.refused = dict(refused)

    def reject(self, router: str) -> None:
        """A router refused its configuration; which one is in the log."""
        with self.lock:
            self.rejections += 1

    def slip(self) -> None:
        """A revision went past admission; which one is in an Event."""
        with self.lock:
            self.slipped += 1

    def scrape_failed(self, address: str) -> None:
        """A pod's statistics could not be read; which one is in the log."""
        with self.lock:
            self.scrape_errors += 1

    def queried(self, provider: str, seconds: float, failed: bool) -> None:
        """A metric backend was asked; what it said is in the Canary's status."""
        with self.lock:
            self.queries[provider].add(seconds)
            self.query_errors[provider] += failed

    def alerted(self, provider: str, outcome: str) -> None:
        """An alert was delivered, an attempt failed, or it was lost for good."""
        with self.lock:
            self.alerts[provider, outcome] += 1

    def expire(self, secret: str, at: datetime) -> None:
        """When the certificate in a Secret of the namespace ends."""
        with self.lock:
            self.expiries[secret] = at.timestamp()

    def lead(self, held: bool) -> None:
        with self.lock:
            self.leader = held

    def collect(self) -> Iterable[Metric]:
        with self.lock:
            return [
                *self.of_flagger(),
                *self.of_releases(),
                self.of_turns(),
                *self.of_queries(),
                *judged.families(self.canaries),
                *self.of_ours(),
            ]

    def of_flagger(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("flagger_info", "What runs.", labels=list(self.info))
        info.add_metric(list(self.info.values()), 1.0)
        total = GaugeMetricFamily("flagger_canary_total", "Canaries.", labels=["namespace"])
        counts = Counter(namespace for _, namespace in self.canaries)
        for namespace in sorted(self.namespaces):
            total.add_metric([namespace], float(counts[namespace]))
        yield from (info, total, self.of_status(), self.of_weights(), self.of_checks())

    def of_status(self) -> Metric:
        family = GaugeMetricFamily(
            "flagger_canary_status",
            "0 progressing, 2 failed, 1 everything else.",
            labels=["name", "namespace"],
        )
        for labels, canary in self.canaries.items():
            family.add_metric(labels, STATUS.get(canary.status.phase, OTHER_STATUS))
        return family

    def of_weights(self) -> Metric:
        family = GaugeMetricFamily(
            "flagger_canary_weight",
            "Percent of requests that a workload gets.",
            labels=["workload", "namespace"],
        )
        for (target, namespace), canary in self.canaries.items():
            # An A/B test has no weight: Flagger shows what whoever matches gets.
            weight = 100.0 if canary.status.matched else float(canary.status.canary_weight)
            family.add_metric([primary_name(target), namespace], 100.0 - weight)
            family.add_metric([target, namespace], weight)
        return family

    def of_checks(self) -> Metric:
        family = GaugeMetricFamily(
            "flagger_canary_metric_analysis",
            "Last value of a check; durations in seconds.",
            labels=["name", "namespace", "metric"],
        )
        for labels, canary in self.canaries.items():
            values = {each.metric: each.value for each in canary.status.verdicts}
            for metric, value in values.items():
                if value is not None:
                    scale = 0.001 if is_duration(canary, metric) else 1.0
                    family.add_metric([*labels, metric], value * scale)
        return family

    def of_releases(self) -> Iterator[Metric]:
        labels = ["name", "namespace", "deployment_strategy", "analysis_status"]
        names = {Phase.SUCCEEDED: "successes", Phase.FAILED: "failures"}
        for phase, name in names.items():
            family = CounterMetricFamily(
                f"flagger_canary_{name}", f"Releases that ended as {phase}.", labels=labels
            )
            for (target, outcome, kind), count in self.releases.items():
                if outcome == phase:
                    family.add_metric([*target, *kind], float(count))
            yield family

    def of_turns(self) -> Metric:
        family = HistogramMetricFamily(
            "flagger_canary_duration_seconds",
            "Seconds of one turn of a Canary.",
            labels=["name", "namespace"],
        )
        for labels, turns in self.turns.items():
            family.add_metric(labels, turns.buckets(), turns.total)
        return family

    def of_queries(self) -> Iterator[Metric]:
        seconds = HistogramMetricFamily(
            "outrider_metric_query_duration_seconds",
            "Seconds until a metric backend answered.",
            labels=["provider"],
        )
        errors = CounterMetricFamily(
            "outrider_metric_query_errors",
            "Questions to metric backends that brought no value.",
            labels=["provider"],
        )
        for provider, turns in self.queries.items():
            seconds.add_metric([provider], turns.buckets(), turns.total)
            errors.add_metric([provider], float(self.query_errors[provider]))
        yield from (seconds, errors)

    def of_ours(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("outrider_info", "What runs.", labels=["version"])
        info.add_metric([self.info["version"]], 1.0)
        yield info
        refusals = GaugeMetricFamily(
            "outrider_refusals", "Deployments left alone.", labels=["deployment", "reason"]
        )
        for deployment, reasons in self.refused.items():
            for reason in dict.fromkeys(reasons):
                refusals.add_metric([deployment, reason], 1.0)
        yield refusals
        yield CounterMetricFamily(
            "outrider_scrape_errors", "Statistics not read.", value=float(self.scrape_errors)
        )
        yield CounterMetricFamily(
            "outrider_router_rejections", "Configurations refused.", value=float(self.rejections)
        )
        yield CounterMetricFamily(
            "outrider_slipped_updates", "Revisions past admission.", value=float(self.slipped)
        )
        yield self.of_alerts()
        yield self.of_certificates()
        yield GaugeMetricFamily("outrider_leader", "1 if it decides.", value=float(self.leader))

    def of_alerts(self) -> Metric:
        family = CounterMetricFamily(
            "outrider_alerts", "Alerts by what became of them.", labels=["provider", "outcome"]
        )
        for labels, count in self.alerts.items():
            family.add_metric(labels, float(count))
        return family

    def of_certificates(self) -> Metric:
        family = GaugeMetricFamily(
            "outrider_certificate_expiry_timestamp_seconds",
            "When the certificate in a Secret ends.",
            labels=["secret"],
        )
        for secret, at in self.expiries.items():
            family.add_metric([secret], at)
        return family
