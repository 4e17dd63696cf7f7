"""A steady stream of updates, each of which shows by its answer whether admission acted."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any

from cluster.errors import ClusterError
from delivery import names
from demo.kubectl import JSON
from demo.namespace import Namespace

THREADS = 8
"""Each has a Deployment of its own, so that no update meets another."""


def deployment(number: int, image: str = "web:1") -> JSON:
    labels = {"app": f"web-{number}"}
    pod = {"containers": [{"name": "web", "image": image}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"web-{number}"},
        "spec": spec,
    }


def prepare(place: Namespace) -> None:
    """Deployments without a single pod, held by what says that it is their agent."""
    place.kubectl("create", "quota", "still", "--hard=pods=0")
    place.kubectl.apply([deployment(number) for number in range(THREADS)])


def hold(place: Namespace) -> None:
    agent = f"--as=system:serviceaccount:{place.name}:{names.AGENT}"
    patch = json.dumps({"metadata": {"annotations": {names.SCALE: "0"}}})
    for number in range(THREADS):
        place.kubectl("patch", "deployment", f"web-{number}", "-p", patch, agent)


def update(place: Namespace, number: int, wish: int) -> bool:
    """A user asks for another number; whether the answer shows that admission took it over."""
    target = {"kind": "Deployment", "metadata": {"name": f"web-{number}", "namespace": place.name}}
    answer = place.api.merge(target, {"spec": {"replicas": wish}}, manager="team")
    noted = answer["metadata"]["annotations"].get(names.REPLICAS)
    return bool(answer["spec"]["replicas"] == 0 and noted == str(wish))


@dataclass
class Admissions:
    """So many updates a second while it is entered; counts those that failed, and that slipped."""

    place: Namespace
    rate: float
    done: int = 0
    slipped: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    ending: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Admissions":
        self.began = time.monotonic()
        for number in range(THREADS):
            thread = threading.Thread(target=self.stream, args=(number,), daemon=True)
            self.threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join(timeout=30)
        self.seconds = time.monotonic() - self.began

    def stream(self, number: int) -> None:
        pace, count = THREADS / self.rate, 0
        due = time.monotonic() + pace * number / THREADS
        while not self.ending.wait(max(0.0, due - time.monotonic())):
            count += 1
            due = max(due + pace, time.monotonic() - 1)
            self.count(partial(update, self.place, number, 1 + count % 1000))

    def count(self, act: Callable[[], bool]) -> None:
        try:
            acted = act()
        except ClusterError as error:
            with self.lock:
                self.failures.append(str(error))
            return
        with self.lock:
            self.done += 1
            self.slipped += not acted

    def burst(self, size: int) -> None:
        """So many at once, each over a connection of its own from the API server to us."""

        def one(number: int) -> Any:
            self.count(partial(dry, self.place, number))

        with ThreadPoolExecutor(size) as pool:
            list(pool.map(one, range(size)))


def dry(place: Namespace, number: int) -> bool:
    """As `update`, but nothing is stored: so many at once do not meet."""
    wish, name = 2000 + number, f"web-{number % THREADS}"
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": place.name},
        "spec": {"replicas": wish},
    }
    answer = place.api.apply(manifest, manager="another-team", dry=True)
    noted = answer["metadata"]["annotations"].get(names.REPLICAS)
    return bool(answer["spec"]["replicas"] == 0 and noted == str(wish))
