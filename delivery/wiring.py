"""Where a Service leads, as our annotations on it say that."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery import names
from delivery.mapping import parsed


@dataclass(frozen=True)
class Wiring:
    """A Service's selector, and targetPort by port number: what ROUTE and ORIGIN say as JSON."""

    selector: Mapping[str, str] | None
    ports: Mapping[str, int | str]

    def __str__(self) -> str:
        said = {"selector": self.selector, "targetPorts": self.ports}
        kept = {key: value for key, value in said.items() if value is not None}
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))


NOTHING = Wiring(None, {})


def behind(route: Wiring, origin: Wiring) -> Mapping[int | str, int | str]:
    """The user's own target behind each of the routers' ports that the route leads to."""
    return {
        listener: origin.ports[port]
        for port, listener in route.ports.items()
        if listener in names.LISTENERS and port in origin.ports
    }


def wiring(value: Any) -> Wiring | None:
    """ROUTE or ORIGIN as an annotation holds it; None where it cannot be read."""
    said = parsed(value)
    if not isinstance(said, Mapping):
        return None
    selector, ports = said.get("selector"), said.get("targetPorts", {})
    if selector is not None and not texts(selector):
        return None
    return Wiring(selector, ports) if targets(ports) else None


def texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values())


def targets(value: Any) -> bool:
    """Whether it maps port numbers to port numbers or names."""
    return isinstance(value, Mapping) and all(
        key.isdigit() and isinstance(one, int | str) and not isinstance(one, bool)
        for key, one in value.items()
    )
