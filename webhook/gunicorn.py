"""The server under the Flask app: one process with threads, and TLS that is swapped in flight."""

import logging
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from webhook.settings import Settings

KEEPALIVE_SECONDS = 150
"""The API server reuses a connection that was idle for up to 90 s: we must not hang up before."""
DRAINING = threading.Event()
"""Set in the worker when it is told to stop; readiness fails from then on."""


class Draining(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Serves what is under way, and answers what still comes with `Connection: close`."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        DRAINING.set()
        super().handle_exit(sig, frame)


class OurLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Lines of gunicorn's own go where all others go."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)
        self.access_log.propagate = False


@dataclass
class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """`begin` runs in the worker: what it starts lives as long as the server answers."""

    settings: Settings
    certificate: Callable[[], ssl.SSLContext]
    begin: Callable[[], flask.Flask]
    chain: str
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def load_config(self) -> None:
        for name, value in {**self.fixed(), **self.options}.items():
            self.cfg.set(name, value)

    def fixed(self) -> dict[str, Any]:
        return {
            "bind": f"0.0.0.0:{self.settings.port}",
            "workers": 1,
            "worker_class": Draining,
            "threads": self.settings.threads,
            "keepalive": KEEPALIVE_SECONDS,
            "graceful_timeout": self.settings.drain_seconds,
            "logger_class": OurLog,
            "control_socket_disable": True,
            # Makes gunicorn speak TLS; what is served is the context, asked at each connection.
            "certfile": self.chain,
            "ssl_context": lambda config, default: self.certificate(),
        }

    def load(self) -> flask.Flask:
        return self.begin()
