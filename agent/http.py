"""The agent's probes and metrics over HTTP."""

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


class Server(ThreadingHTTPServer):
    """By IPv6 and IPv4 where the kernel knows both."""

    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def serve(
    port: int, registry: CollectorRegistry, *, ready: Callable[[], bool], alive: Callable[[], bool]
) -> ThreadingHTTPServer:
    """Serves until the process ends: /healthz, /readyz, /metrics; everything else is 404."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:  # the library's name
            match self.path.partition("?")[0]:
                case "/metrics":
                    self.answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
                case "/healthz":
                    self.probe(alive())
                case "/readyz":
                    self.probe(ready())
                case _:
                    self.answer(404, b"not found\n")

        def probe(self, good: bool) -> None:
            self.answer(200 if good else 503, b"OK\n" if good else b"not ready\n")

        def answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes are no news."""

    server = Server(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
