"""One turn of the certificates: what is registered, what is due, what is served, in safe order."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from certs.authority import Lives
from certs.secret import Installed, drawn
from certs.store import Rotation
from cluster.api import Api, Object
from cluster.watch import Watched
from delivery import names
from webhook.metrics import Metrics
from webhook.registration import KINDS, Registration
from webhook.settings import Settings
from webhook.tls import Served

LABELLED = {
    "labels": {
        "app.kubernetes.io/name": names.WEBHOOK,
        "app.kubernetes.io/part-of": names.OUTRIDER,
    }
}
SECONDS = 10.0
"""Between two looks, if nothing changes; a twelfth of a leaf's life where that is less."""


@dataclass(frozen=True)
class Certificates:
    """A leaf is served as soon as it is in the Secret: its authority was published long before."""

    installed: Installed
    registration: Registration
    served: Served
    metrics: Metrics

    def turn(self) -> None:
        found = self.registration.look()
        published = self.registration.published
        trusted = published.trusted(time.monotonic())
        self.served.take(self.installed.store(self.served.store, trusted))
        self.registration.put(self.served.store, found)
        believed = published.believes(self.served.leaf)
        self.metrics.certificates.served(self.served.expiry, believed)


def installed(told: Settings, api: Api, renewed: Callable[[str], None]) -> Installed:
    lives = Lives(
        dt.timedelta(seconds=told.authority_seconds), dt.timedelta(seconds=told.leaf_seconds)
    )
    rotation = Rotation(names.WEBHOOK, told.hosts, lives, drawn)
    place = (told.namespace, told.secret)
    return Installed(api, *place, rotation, names.WEBHOOK_MANAGER, lambda: LABELLED, renewed)


def pause(told: Settings) -> float:
    return min(SECONDS, told.leaf_seconds / 12)


def watched(told: Settings, api: Api, changed: Callable[[], None]) -> tuple[Watched, ...]:
    """The Secret and both configurations: what is done to them by hand is put right at once."""

    def heard(kind: str, item: Object) -> None:
        changed()

    def one(kind: str, name: str, namespace: str | None = None) -> Watched:
        query = {"fieldSelector": f"metadata.name={name}"}
        return Watched(api, kind, namespace, heard, query)

    configurations = (one(kind, told.registration) for kind in KINDS)
    return (one("Secret", told.secret, told.namespace), *configurations)
