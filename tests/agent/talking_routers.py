"""Routers on loopback that say what a test tells them to have counted."""

import json

from agent.envoy import Scraper
from agent.traffic import Windows
from delivery.canary import Metric
from delivery.observation import Traffic
from tests.agent.pods import Pod, answers

CANARY, PRIMARY = "shop/80/canary", "shop/80/primary"
RATE = Metric("request-success-rate", minimum=99.0)
SLOW = Metric("request-duration", maximum=500.0)


def counters(cluster: str, requests: int, *, bad: int = 0, active: int = 0, slow: int = 0) -> str:
    """One cluster in a router's words; `slow` of the requests took 730 ms, the others 240."""
    name = f"cluster.{cluster}.upstream_rq"
    counts = {"completed": requests, "5xx": bad, "active": active}
    times = [
        {"lower_bound": lower, "width": 10, "count": count}
        for lower, count in ((240, requests - slow), (730, slow))
    ]
    return said(
        *({"name": f"{name}_{key}", "value": value} for key, value in counts.items()),
        {"histograms": {"details": [{"name": f"{name}_time", "totals": times}]}},
    )


def said(*entries: object) -> str:
    return json.dumps({"stats": entries})


def together(*texts: str) -> str:
    return said(*(entry for text in texts for entry in json.loads(text)["stats"]))


NOTHING = said()


class Routers:
    """Routers on loopback, what they say, and windows over it."""

    def __init__(self, *pods: Pod) -> None:
        self.pods = pods
        self.failed: list[str] = []
        self.windows = Windows(Scraper(), failed=self.failed.append)
        self.addresses = [f"{pod.endpoint.address}:{pod.endpoint.port}" for pod in pods]
        self.windows.aim(self.addresses)

    def say(self, *texts: str) -> None:
        """Each router in turn says one of these when it is asked; then all are asked."""
        for pod, text in zip(self.pods, texts, strict=True):
            pod.behaviour = answers(text.encode())
        self.windows.take()

    def seen(self, *clusters: str, limits: Metric = RATE) -> Traffic:
        return self.windows.traffic(clusters or (CANARY,), 0.0, limits=limits)
