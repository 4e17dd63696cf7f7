"""A namespace of AlertProviders, and the alerts that are told to them."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.alerts import Alerts
from agent.offered import NotOffered
from agent.outbound import send
from agent.secrets import Unread
from delivery.alert import Alert, Route
from delivery.canary import Analysis, Canary, Status
from delivery.providers import Request
from delivery.references import Named

OPS = Route("ops", "chat")


def canary(*alerts: Alert, routes: Sequence[Route] = (OPS,), uid: str = "u1") -> Canary:
    analysis = Analysis(step_weight=10, alerts=tuple(routes))
    return Canary("web", "shop", "app", analysis, uid=uid, status=Status(alerts=alerts))


def provider(url: str, kind: str = "webhook", name: str = "chat", **said: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"type": kind, "address": url, **said}}


class Telling:
    """Alerts with a namespace of AlertProviders, and what was counted and complained."""

    def __init__(
        self,
        *providers: Mapping[str, Any],
        sending: Callable[[Request], tuple[int, bytes]] = send,
        **secrets: Mapping[str, str],
    ) -> None:
        self.providers = list(providers)
        self.known = secrets
        self.counted: list[tuple[str, str]] = []
        self.owners: list[str] = []
        self.said: list[str] = []
        self.woken = threading.Event()
        self.alerts = Alerts(
            self.secret,
            find=self.find,
            answered=self.woken.set,
            counted=lambda *what: self.counted.append(what),
            sending=sending,
        )

    def find(self, named: Named) -> Mapping[str, Any] | None:
        if named.namespace == "closed":
            raise NotOffered(".namespace: ask for it")
        every = (one for one in self.providers if one["metadata"]["name"] == named.name)
        return next(every, None)

    def secret(self, named: Named) -> Mapping[str, str]:
        self.owners.append(named.namespace)
        if named.name not in self.known:
            raise Unread(f'secrets "{named.name}" not found')
        return self.known[named.name]

    def look(self, found: Canary) -> frozenset[float]:
        self.said += self.alerts.look(found)
        return self.alerts.told(found)

    def told(self, found: Canary) -> "Telling":
        """Looks until every alert was told or given up."""
        return self.until(found, lambda: len(self.look(found)) == len(found.status.alerts))

    def until_said(self, found: Canary) -> list[str]:
        return self.until(found, lambda: self.said).said

    def until(self, found: Canary, done: Callable[[], object]) -> "Telling":
        end = time.monotonic() + 30.0
        while not done():
            self.look(found)
            assert time.monotonic() < end, f"not told: {self.counted}, {self.said}"
            time.sleep(0.01)
        return self
