"""What the routers counted lately: scraped each second while a release runs, kept as windows."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.clock import Clock
from agent.envoy import ScrapeError, Scraper
from delivery import checks, stats
from delivery.canary import Metric
from delivery.dialects import router
from delivery.dialects.malformed import StatsMalformed
from delivery.observation import Traffic
from delivery.stats import Counters, Sample

log = logging.getLogger(__name__)

SCRAPE_SECONDS = 1.0
DEADLINE_SECONDS = 0.8
KEPT_SECONDS = 3600.0
"""A metric's window is not longer than this."""
SETTLE_SECONDS = 0.5
"""From a written weight to the routers' acting on it, generously (design: 0.25 s)."""
QUIET_SCRAPES = 2


@dataclass(frozen=True)
class Look:
    """One scrape of all routers: what was new since the one before, and what is still open.

    `since` is when the router was read before that had not been read for longest, `began` when they
    were read now, `time` when all had answered.
    """

    time: float
    began: float
    since: float
    samples: Mapping[str, Sample]
    active: Mapping[str, int]
    complete: bool


Parse = Callable[[str], Mapping[str, Counters]]


class Windows:
    """The looks of the last hour, by clusters."""

    def __init__(
        self,
        scraper: Scraper,
        *,
        failed: Callable[[str], None],
        parse: Parse = router.parse,
        clock: Clock | None = None,
    ) -> None:
        self.scraper = scraper
        self.failed = failed
        self.parse = parse
        self.clock = clock or Clock()
        self.silent: dict[str, str] = {}
        self.stopped = threading.Event()
        self.looks: deque[Look] = deque()
        self.before: dict[str, Mapping[str, Counters]] = {}
        self.read_at: dict[str, float] = {}
        self.addresses: tuple[str, ...] = ()
        self.wanted = threading.Event()
        self.lock = threading.Lock()
        self.looked: Callable[[], None] = lambda: None

    def start(self) -> None:
        threading.Thread(target=self.run, name="scrape", daemon=True).start()

    def stop(self) -> None:
        """For good."""
        self.stopped.set()
        self.wanted.set()

    def aim(self, addresses: Sequence[str]) -> None:
        self.addresses = tuple(addresses)

    def scrape_while(self, moving: bool) -> None:
        """Never when idle; what was counted before a pause says nothing of what comes after."""
        if moving:
            self.wanted.set()
            return
        self.wanted.clear()
        with self.lock:
            self.before, self.read_at = {}, {}
            self.looks.clear()

    def run(self) -> None:
        while not self.stopped.is_set():
            self.wanted.wait()
            started = time.monotonic()
            self.take()
            self.looked()
            rest = SCRAPE_SECONDS - (time.monotonic() - started)
            self.stopped.wait(max(0.05, rest))
        self.scraper.close()

    def take(self) -> None:
        """One look; a router that does not answer in time is left out and caught up with later."""
        known, began = self.before, self.clock.now()
        answers = self.scraper.scrape(self.addresses, deadline=DEADLINE_SECONDS)
        counted = {address: self.parsed(address, said) for address, said in answers.items()}
        read = {address: found for address, found in counted.items() if found is not None}
        with self.lock:
            if self.before is not known:
                return  # A pause began meanwhile.
            deltas = [stats.delta(self.before.get(one), found) for one, found in read.items()]
            kept = {one: found for one, found in self.before.items() if one in self.addresses}
            self.before = {**kept, **read}
            self.read_at = {one: at for one, at in self.read_at.items() if one in kept}
            active: dict[str, int] = {}
            for found in read.values():
                for cluster, counters in found.items():
                    active[cluster] = active.get(cluster, 0) + counters.active
            complete = len(read) == len(counted)
            since = min((self.read_at.get(one, began) for one in read), default=began)
            self.read_at |= dict.fromkeys(read, began)
            counts = stats.total(deltas)
            used = {one: sample for one, sample in counts.items() if sample != Sample()}
            self.looks.append(Look(self.clock.now(), began, since, used, active, complete))
            while self.looks[0].time < began - KEPT_SECONDS:
                self.looks.popleft()

    def parsed(self, address: str, said: str | ScrapeError) -> Mapping[str, Counters] | None:
        try:
            if not isinstance(said, ScrapeError):
                found = self.parse(said)
                self.silent.pop(address, None)
                return found
            why = said.reason
        except StatsMalformed as error:
            why = f"malformed statistics: {error}"
        log.warning("statistics of %s: %s", address, why)
        self.silent[address] = why
        self.failed(address)
        return None

    def traffic(
        self, clusters: Iterable[str], start: float, *, limits: Metric, revised: float = 0.0
    ) -> Traffic:
        """What was counted for these clusters since `start`, for a revision of `revised`.

        A look that began before the routers knew of the revision counts the one before it too.
        """
        wanted, known = tuple(clusters), revised + SETTLE_SECONDS
        with self.lock:
            since = [look for look in self.looks if look.time > start and look.since >= known]
        sample = stats.merged(
            look.samples[cluster] for look in since for cluster in wanted if cluster in look.samples
        )
        limit, share = limits.maximum, checks.quantile(limits.name)
        return Traffic(
            requests=sample.requests,
            bad=sample.bad,
            duration=None if share is None else sample.quantile(share),
            slow={} if limit is None else {limit: sample.slower_than(limit)},
            edges={} if limit is None else {limit: sample.edge(limit)},
            seconds=since[-1].began - since[0].since if since else 0.0,
        )

    def counters(self) -> Mapping[str, Mapping[str, Counters]]:
        """What each address had counted when it was read last, by cluster."""
        with self.lock:
            return dict(self.before)

    def quiet(self, clusters: Iterable[str], now: float, *, since: float | None) -> bool:
        """Whether the last looks since the weight fell saw no request begin, run or end."""
        if not self.addresses:
            return True
        wanted = tuple(clusters)
        start = (since if since is not None else now) + SETTLE_SECONDS
        with self.lock:
            last = [look for look in self.looks if look.time > start][-QUIET_SCRAPES:]
        return len(last) == QUIET_SCRAPES and all(
            look.complete
            and not look.active.get(cluster, 0)
            and not look.samples.get(cluster, Sample()).requests
            for look in last
            for cluster in wanted
        )
