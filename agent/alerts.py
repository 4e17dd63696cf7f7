"""Tells alerts to their AlertProviders in threads of its own, again until it has succeeded."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agent.offered import NotOffered
from agent.outbound import send
from agent.room import Room
from agent.secrets import Unread
from delivery.alert import Alert, Route
from delivery.alerts import Undelivered, notifier_of
from delivery.alerts.telling import notice_of, provider_spec, request, worded
from delivery.api.alert_provider import AlertProviderSpec
from delivery.canary import Canary
from delivery.providers import BadAnswer, Request
from delivery.providers.interface import TIMEOUT_SECONDS
from delivery.references import SECRET, Named, provider_of
from delivery.templating import TemplateError

log = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
"""Beyond a request's own time-out, for what has none: the look-up of a name, the Secret."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
GIVEN_UP_SECONDS = 600.0
"""After so long without success nobody waits for the news any more."""
PATIENCE = 2
"""So many attempts may fail before it is said."""
AT_ONCE = 32
AT_ONCE_EACH = 4
"""To one AlertProvider, so that one that hangs leaves room for the others."""

Send = Callable[[Request], tuple[int, bytes]]
Key = tuple[str, float, int]
"""A Canary's uid, when its alert was raised, and which of the Canary's routes it goes."""
Complaint = tuple[str, str]
"""Of which Canary, and the text."""

DELIVERED, FAILED, LOST = "delivered", "failed", "lost"


@dataclass
class Delivery:
    """One alert on its way to one provider; `running` is the attempt that counts."""

    began: float = field(default_factory=time.monotonic)
    due: float = 0.0
    attempts: int = 0
    running: int | None = None
    sent: float = 0.0
    ended: bool = False


class Alerts:
    """`answered` wakes the loop; `counted` is told: the provider's type, what became of it.

    `complain` gets what a user should know, each once until a delivery has succeeded.
    """

    def __init__(
        self,
        secret: Callable[[Named], Mapping[str, str]],
        *,
        find: Callable[[Named], Mapping[str, Any] | None],
        answered: Callable[[], None],
        counted: Callable[[str, str], None],
        cluster: str = "",
        sending: Send = send,
    ) -> None:
        self.secret = secret
        self.find = find
        self.counted = counted
        self.cluster = cluster
        self.sending = sending
        self.deliveries: dict[Key, Delivery] = {}
        self.room = Room(AT_ONCE, AT_ONCE_EACH, freed=answered)
        self.said: dict[tuple[str, str], str] = {}
        self.unsaid: list[Complaint] = []
        self.lock = threading.Lock()

    def told(self, canary: Canary) -> frozenset[float]:
        """The alerts of which every provider has heard, or was given up."""
        with self.lock:
            return frozenset(
                alert.at
                for alert in canary.status.alerts
                if all(self.is_over(key) for key, _ in ways(canary, alert))
            )

    def is_over(self, key: Key) -> bool:
        found = self.deliveries.get(key)
        return found is not None and found.ended

    def look(self, canary: Canary) -> Iterator[str]:
        """Begins what is due; gives what is to be said of the Canary."""
        wanted, waiting = set(), set()
        for alert in canary.status.alerts:
            for key, route in ways(canary, alert):
                wanted.add(key)
                # In order: a success is not told before what it is the end of.
                if route.name not in waiting:
                    self.attempt(key, canary, alert, route)
                if not self.is_over(key):
                    waiting.add(route.name)
        with self.lock:
            for key in [one for one in self.deliveries if one[0] == canary.uid]:
                if key not in wanted:
                    del self.deliveries[key]
            said = [text for uid, text in self.unsaid if uid == canary.uid]
            self.unsaid = [one for one in self.unsaid if one[0] != canary.uid]
        yield from said

    def keep(self, canaries: Sequence[Canary]) -> None:
        """What belongs to others is forgotten."""
        there = {canary.uid for canary in canaries}
        with self.lock:
            self.deliveries = {key: one for key, one in self.deliveries.items() if key[0] in there}
            self.said = {place: why for place, why in self.said.items() if place[0] in there}

    def attempt(self, key: Key, canary: Canary, alert: Alert, route: Route) -> None:
        now = time.monotonic()
        with self.lock:
            found = self.deliveries.setdefault(key, Delivery())
            if found.running is not None and now - found.sent > TIMEOUT_SECONDS + GRACE_SECONDS:
                late = f"request failed: no answer within {TIMEOUT_SECONDS:g} s"
                self.failed(found, canary, route, late, lasting=False)
            if found.ended or found.running is not None or now < found.due:
                return
            number = found.attempts + 1
            delivering = partial(self.deliver, found, number, canary, alert, route)
            # Still under the lock: it ends no attempt before that is written down.
            place = f"{route.namespace}/{route.provider}"
            if self.room.begin(place, f"alert {route.provider}", delivering):
                found.attempts, found.sent, found.running = number, now, number

    def deliver(
        self, found: Delivery, number: int, canary: Canary, alert: Alert, route: Route
    ) -> None:
        """All of it in the attempt's own thread, the reading of the Secret too."""
        kind = "unknown"
        try:
            spec = provider_spec(self.provider(canary, route))
            kind = spec.type
            self.send(canary, alert, route, spec)
        except Undelivered as error:
            with self.lock:
                if found.running == number:
                    self.counted(kind, FAILED)
                    if self.failed(found, canary, route, str(error), lasting=error.lasting):
                        self.counted(kind, LOST)
            return
        with self.lock:
            found.ended, found.running = True, None
            self.said.pop((canary.uid, route.provider), None)
        self.counted(kind, DELIVERED)

    def provider(self, canary: Canary, route: Route) -> Mapping[str, Any]:
        named = provider_of(canary, route)
        try:
            found = self.find(named)
        except NotOffered as error:
            raise Undelivered(f"providerRef{error}") from None
        if found is None:
            place = "this namespace" if not route.namespace else f"namespace {named.namespace}"
            raise Undelivered(f"there is no such AlertProvider in {place}")
        return found

    def send(self, canary: Canary, alert: Alert, route: Route, spec: AlertProviderSpec) -> None:
        notice = notice_of(canary, alert, self.cluster)
        try:
            notice = worded(notice, spec.message_template)
        except TemplateError as error:
            # The news counts for more than its words.
            self.complain(canary, route, f"spec.messageTemplate is not used: {error}")
        made = request(notice, spec, self.secrets(spec, provider_of(canary, route).namespace))
        try:
            notifier_of(spec.type).read(*self.sending(made))
        except BadAnswer as error:
            raise Undelivered(made.redacted(str(error))) from None
        except Undelivered as error:
            raise Undelivered(made.redacted(str(error)), lasting=error.lasting) from None

    def secrets(self, spec: AlertProviderSpec, owner: str) -> Mapping[str, str]:
        if spec.secret_ref is None:
            return {}
        try:
            return self.secret(Named(SECRET, owner, spec.secret_ref.name))
        except Unread as error:
            raise Undelivered(f"secret {spec.secret_ref.name} error: {error}") from error

    def failed(
        self, found: Delivery, canary: Canary, route: Route, why: str, *, lasting: bool
    ) -> bool:
        """Under the lock; whether it is given up."""
        now, found.running = time.monotonic(), None
        found.ended = lasting or now - found.began > GIVEN_UP_SECONDS
        pause = FIRST_PAUSE_SECONDS * 2.0 ** min(found.attempts - 1, 10)
        found.due = now + min(pause, LONGEST_PAUSE_SECONDS)
        log.info("%s: alert to %s: %s", canary.name, route.provider, why)
        if found.ended or found.attempts >= PATIENCE:
            self.noted(canary, route, why)
        return found.ended

    def complain(self, canary: Canary, route: Route, why: str) -> None:
        with self.lock:
            self.noted(canary, route, why)

    def noted(self, canary: Canary, route: Route, why: str) -> None:
        place = canary.uid, route.provider
        if self.said.get(place) != why:
            self.said[place] = why
            text = f"alert {route.name} is not delivered to AlertProvider {route.provider}: {why}"
            self.unsaid.append((canary.uid, text))


def ways(canary: Canary, alert: Alert) -> Iterator[tuple[Key, Route]]:
    """By which routes the Canary wants this alert to go."""
    for index, route in enumerate(canary.analysis.alerts):
        if route.wants(alert):
            yield (canary.uid, alert.at, index), route
