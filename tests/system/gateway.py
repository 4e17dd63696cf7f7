"""A controller of the Gateway API, as far as routes see one: no data plane is behind it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cluster.errors import Conflict, Missing
from demo.kubectl import JSON
from demo.namespace import Namespace

LOOK_SECONDS = 0.1
CONTROLLER = "example.com/gateway"
NOW = "2026-01-01T00:00:00Z"


@dataclass
class Gateway:
    """Accepts every route, of those that are `refused` only what gives no share to the canary.

    `shares` are the canaries' ones, as they were seen one after another in each route's last rule.
    """

    place: Namespace
    refused: set[str] = field(default_factory=set)
    shares: dict[str, list[int]] = field(default_factory=dict)

    def look(self) -> None:
        for route in self.place.list("HTTPRoute"):
            self.note(route)
            said = self.judgement(route)
            if route.get("status") != said:
                self.say({**route, "status": said})

    def note(self, route: JSON) -> None:
        seen = self.shares.setdefault(route["metadata"]["name"], [])
        if seen[-1:] != [canarys(route)]:
            seen.append(canarys(route))

    def judgement(self, route: JSON) -> JSON:
        accepted = route["metadata"]["name"] not in self.refused or not canarys(route)
        condition = {
            "type": "Accepted",
            "status": "True" if accepted else "False",
            "reason": "Accepted" if accepted else "NotAllowedByListeners",
            "message": "",
            "lastTransitionTime": NOW,
            "observedGeneration": route["metadata"]["generation"],
        }
        parents = route["spec"]["parentRefs"]
        said = {"controllerName": CONTROLLER, "conditions": [condition]}
        return {"parents": [{"parentRef": parent, **said} for parent in parents]}

    def say(self, route: JSON) -> None:
        try:
            self.place.api.replace_status(route, manager="gateway")
        except (Conflict, Missing):
            return  # the next look sees what it is now


def canarys(route: JSON) -> int:
    """Its share in percent, in the rule for all others."""
    backends = route["spec"]["rules"][-1]["backendRefs"]
    return int(backends[1]["weight"]) if len(backends) == 2 else 0


@contextmanager
def controlled(place: Namespace) -> Iterator[Gateway]:
    gateway, ending = Gateway(place), threading.Event()

    def watch() -> None:
        while not ending.wait(LOOK_SECONDS):
            gateway.look()

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield gateway
    finally:
        ending.set()
        watching.join(timeout=30)
