"""Wires the webhook together and serves until it is told to stop."""

import logging
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import flask

from certs.install import Installed
from certs.store import Store, pem
from cluster import logs
from cluster.api import Api, connect
from cluster.errors import ClusterError
from cluster.watch import Watched
from webhook.app import create_app
from webhook.gunicorn import DRAINING, Server
from webhook.loop import Loop
from webhook.metrics import Metrics
from webhook.optin import OptIn
from webhook.registration import Registration
from webhook.settings import Settings, settings, version
from webhook.tls import Served

log = logging.getLogger(__name__)

CERTIFICATE_SECONDS = 10.0
REGISTRATION_SECONDS = 5.0
OPTIN_SECONDS = 5.0
RETRY_SECONDS = 1.0


def main() -> None:
    told = settings(sys.argv[1:])
    logs.configure(told.log_level)
    # As process 1 of a container we would otherwise ignore it until gunicorn takes over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    served = Served(first(told))
    with tempfile.NamedTemporaryFile(suffix=".crt") as chain:
        Path(chain.name).write_bytes(pem(served.store.leaf.certificate))
        Server(told, lambda: served.context, begin(told, served), chain.name).run()


def first(told: Settings) -> Store:
    """Waits for the API server: without a certificate there is nothing to serve."""
    while True:
        try:
            return installed(told, Api(connect(told.kubeconfig))).store()
        except ClusterError as error:
            log.warning("no certificate yet: %s", error)
            time.sleep(RETRY_SECONDS)


def installed(told: Settings, api: Api) -> Installed:
    return Installed(api, told.namespace, told.secret, told.hosts)


def begin(told: Settings, served: Served) -> Callable[[], flask.Flask]:
    """What the worker process starts once it is there: connections do not survive a fork."""

    def started() -> flask.Flask:
        metrics = Metrics(version())
        for loop in loops(told, served, metrics):
            loop.start()
        return create_app(metrics, lambda: unready(served))

    return started


def loops(told: Settings, served: Served, metrics: Metrics) -> tuple[Loop, ...]:
    api = Api(connect(told.kubeconfig))
    certificates = installed(told, api)

    def renew() -> None:
        served.take(certificates.store())
        metrics.expiry.set(served.expiry.timestamp())

    namespaces = Watched(api, "Namespace", changed=lambda *_: enrolment.woken.set())
    optin = OptIn(api, told.images, told.namespace, namespaces, metrics)
    enrolment = Loop("optin", OPTIN_SECONDS, optin.turn, metrics)
    namespaces.start()
    registration = Registration(api, told, served)
    return (
        Loop("certificate", CERTIFICATE_SECONDS, renew, metrics),
        Loop("registration", REGISTRATION_SECONDS, registration.turn, metrics),
        enrolment,
    )


def unready(served: Served) -> str:
    if DRAINING.is_set():
        return "draining"
    return "the certificate has expired" if served.expired else ""


if __name__ == "__main__":
    main()
