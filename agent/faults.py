"""What goes wrong with one app: said once, counted, tried again, and in nobody else's way."""

import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from cluster.errors import ClusterError
from cluster.events import Events
from delivery.decision import WARNING
from delivery.external import target_of
from delivery.pods import Object

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]
REASON = "Failing"

Place = tuple[str, str, str]
"""Kind, name, and what is done with it."""
Kind = tuple[str, str]
"""The error's class, and where it came from: a text that changes each second is no news."""


class Faults(Collector):
    """Whoever does not lead logs and counts alone: who leads meets the same, and says it."""

    def __init__(
        self, registry: CollectorRegistry, events: Events, *, leading: Callable[[], bool]
    ) -> None:
        self.events, self.leading = events, leading
        self.lock = threading.Lock()
        self.told: dict[Place, Kind] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        registry.register(self)

    def begin(self, items: Iterable[Object]) -> None:
        """What is gone is forgotten; `items` are those of which something is done in this look."""
        there = list(items)
        places = {(one["kind"], one["metadata"]["name"]) for one in there}
        self.told = {place: kind for place, kind in self.told.items() if place[:2] in places}
        labels = set(map(labels_of, there))
        with self.lock:
            known = self.counts.items()
            self.counts = Counter({key: count for key, count in known if key in labels})

    @contextmanager
    def apart(self, item: Object, deed: str) -> Iterator[None]:
        """What the API server refuses is not this app's alone: that ends the look."""
        try:
            yield
        except ClusterError:
            raise
        except Exception as error:
            # Fail closed: nothing is decided for this one now; the routers keep what they have.
            self.say(item, deed, error)
        else:
            self.told.pop(place_of(item, deed), None)

    def say(self, item: Object, deed: str, error: Exception) -> None:
        where = origin(error)
        with self.lock:
            self.counts[labels_of(item)] += 1
        kind = type(error).__name__, where
        if self.told.get(place_of(item, deed)) == kind:
            return
        self.told[place_of(item, deed)] = kind
        log.error("%s: %s failed", item["metadata"]["name"], deed, exc_info=error)
        if self.leading():
            self.events.record(item, WARNING, text(deed, error, where), reason=REASON)

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "outrider_turn_failures",
            "Turns of a Canary that an error of the agent's own ended; which one is in an Event.",
            labels=["name", "namespace"],
        )
        with self.lock:
            for labels, count in self.counts.items():
                family.add_metric(labels, float(count))
        yield family


def labels_of(item: Object) -> tuple[str, str]:
    """The target and its namespace, as Flagger's metrics have it; of a namespace its own name."""
    metadata = item["metadata"]
    return target_of(item) or metadata["name"], metadata["namespace"]


def place_of(item: Object, deed: str) -> Place:
    return item["kind"], item["metadata"]["name"], deed


def origin(error: Exception) -> str:
    """The file of ours, and the line, that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if Path(one.filename).is_relative_to(ROOT)] or list(frames)
    found = ours[-1]
    path = Path(found.filename)
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    return f"{name} line {found.lineno}"


def text(deed: str, error: Exception, where: str) -> str:
    """What its user is told."""
    return (
        f"{deed} failed: {type(error).__name__}: {error} ({where}); nothing is decided for it "
        "until that is over, other apps go on. It is tried again each second: undo what was "
        "changed by hand in its Deployments, Services or Canary; the agent's log has more"
    )
