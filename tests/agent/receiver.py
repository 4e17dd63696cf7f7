"""A real HTTP server on loopback that takes JSON, and answers as a test says."""

import json
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

HANGS = 0
RESETS = -1


class Receiver:
    """`answers` are statuses, one for each request, the last one for all that follow.

    One that hangs says nothing until its caller gives up.
    """

    def __init__(self, *answers: int, body: bytes = b"ok") -> None:
        self.answers: Sequence[int] = answers or (200,)
        self.body = body
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self.lock = threading.Lock()

    def __enter__(self) -> "Receiver":
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook-secret"

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        said = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.lock:
            number = len(self.bodies)
            self.bodies.append(json.loads(said))
            self.headers.append({key.lower(): text for key, text in handler.headers.items()})
            self.paths.append(handler.path)
            self.times.append(time.monotonic())
        status = self.answers[min(number, len(self.answers) - 1)]
        if status == HANGS:
            handler.rfile.read()
        elif status != RESETS:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(self.body)))
            handler.end_headers()
            handler.wfile.write(self.body)
