"""How hooks answer, as metrics of the agent."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.exposition import Turns


class HookCalls(Collector):
    """By type of hook; which one it was is in the Canary's status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lock = threading.Lock()
        self.seconds: defaultdict[str, Turns] = defaultdict(Turns)
        self.failures: Counter[str] = Counter()
        self.lost_events = 0
        registry.register(self)

    def called(self, kind: str, seconds: float, failed: bool) -> None:
        with self.lock:
            self.seconds[kind].add(seconds)
            self.failures[kind] += failed

    def lost(self) -> None:
        with self.lock:
            self.lost_events += 1

    def collect(self) -> Iterator[Metric]:
        with self.lock:
            seconds = HistogramMetricFamily(
                "outrider_hook_duration_seconds",
                "Seconds until a hook answered, retries included.",
                labels=["type"],
            )
            failures = CounterMetricFamily(
                "outrider_hook_failures",
                "Calls of hooks without success; for a gate that is closed, one each poll.",
                labels=["type"],
            )
            for kind, turns in self.seconds.items():
                seconds.add_metric([kind], turns.buckets(), turns.total)
                failures.add_metric([kind], float(self.failures[kind]))
            lost = CounterMetricFamily(
                "outrider_hook_events_lost",
                "Events that an event hook was too slow for.",
                value=float(self.lost_events),
            )
        yield from (seconds, failures, lost)
