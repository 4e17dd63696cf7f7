"""Wires the webhook together and serves until it is told to stop."""

import logging
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import flask

from certs.secret import pem
from certs.store import Store
from cluster import logs
from cluster.api import Api, Object, connect
from cluster.errors import ClusterError
from cluster.events import Events
from cluster.lease import Leadership
from cluster.watch import Watched
from delivery import names
from delivery.decision import WARNING
from webhook.app import create_app
from webhook.certificates import Certificates, installed, pause, watched
from webhook.gunicorn import DRAINING, Server
from webhook.loop import Loop
from webhook.metrics import Metrics
from webhook.offers import Offers, standing
from webhook.optin import OptIn, Parts
from webhook.published import Published
from webhook.registration import NEVER, Registration
from webhook.settings import Settings, settings, version
from webhook.tls import Served

log = logging.getLogger(__name__)

OPTIN_SECONDS = 5.0
RETRY_SECONDS = 1.0


def main() -> None:
    told = settings(sys.argv[1:])
    logs.configure(told.log_level)
    # As process 1 of a container we would otherwise ignore it until gunicorn takes over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    served = Served(first(told))
    with tempfile.NamedTemporaryFile(suffix=".crt") as chain:
        Path(chain.name).write_bytes(pem(served.leaf))
        Server(told, lambda: served.context, begin(told, served), chain.name).run()


def first(told: Settings) -> Store:
    """Waits for the API server: without a certificate there is nothing to serve."""
    while True:
        try:
            return installed(told, Api(connect(told.kubeconfig)), lambda step: None).store()
        except ClusterError as error:
            log.warning("no certificate yet: %s", error)
            time.sleep(RETRY_SECONDS)


def begin(told: Settings, served: Served) -> Callable[[], flask.Flask]:
    """What the worker process starts once it is there: connections do not survive a fork."""

    def started() -> flask.Flask:
        metrics, published = Metrics(version()), Published(told.settle_seconds)
        api = Api(connect(told.kubeconfig))
        registration = Registration(api, told, published)
        offers, loops = enrolling(told, api, metrics)
        for loop in (rotating(told, registration, served, metrics), *loops):
            loop.start()
        reserved = (*NEVER, told.namespace)
        return create_app(metrics, lambda: unready(served, published), offers.known, reserved)

    return started


def rotating(told: Settings, registration: Registration, served: Served, metrics: Metrics) -> Loop:
    def renewed(step: str) -> None:
        metrics.certificates.renewals.labels(step).inc()

    api = registration.api
    keeping = Certificates(installed(told, api, renewed), registration, served, metrics)
    loop = Loop("certificate", pause(told), keeping.turn, metrics)
    for one in watched(told, api, loop.woken.set):
        one.start()
    return loop


def enrolling(told: Settings, api: Api, metrics: Metrics) -> tuple[Offers, Sequence[Loop]]:
    """One replica does it: two of different versions would undo each other's work."""

    def wake(*_: object) -> None:
        for loop in loops:
            loop.woken.set()

    leadership = Leadership(
        api.connection, name=names.WEBHOOK, namespace=told.namespace, identity=told.identity
    )
    events = Events(api, told.identity, names.WEBHOOK_MANAGER, names.WEBHOOK)
    optin = OptIn(
        api=api,
        own_namespace=told.namespace,
        label=told.label,
        namespaces=Watched(api, "Namespace", changed=wake),
        parts=Parts(api, told.programs, wake),
        leading=leadership.held,
        slow=lambda text: events.record(itself(told), WARNING, text, reason="UpgradeHalted"),
        metrics=metrics,
    )
    offers = Offers(
        api=api,
        own_namespace=told.namespace,
        label=told.label,
        namespaces=optin.namespaces,
        standing=standing(api, wake),
        # A second installation would take back what the first one gives: its namespaces have
        # another label.
        leading=lambda: leadership.held() and not told.instance,
    )
    loops = (
        Loop("optin", OPTIN_SECONDS, optin.turn, metrics),
        Loop("offers", OPTIN_SECONDS, offers.turn, metrics),
    )
    leadership.start()
    optin.parts.start()
    for one in (optin.namespaces, *offers.standing):
        one.start()
    return offers, loops


def itself(told: Settings) -> Object:
    """The Deployment that these words are about."""
    metadata = {"name": names.WEBHOOK, "namespace": told.namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


def unready(served: Served, published: Published) -> str:
    if DRAINING.is_set():
        return "draining"
    if served.expired:
        return "the certificate has expired"
    believed = published.believes(served.leaf)
    return "" if believed else "the certificate is not signed by what is published"


if __name__ == "__main__":
    main()
