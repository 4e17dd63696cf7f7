"""A receiver of hooks that answers as it was told, or hangs, resets, redirects; keeps all it got.

A program of its own (`python receiver.py PORT`), of the standard library alone. `PUT /HOOK` with a
word sets how calls of a hook are answered, `GET /` shows what came.
"""

import json
import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLS: list[dict[str, Any]] = []
ANSWERS: dict[str, str] = {}
HANGS_SECONDS = 120.0


class Receiver(BaseHTTPRequestHandler):
    """Hooks are told apart by their paths; one of which nothing was said passes."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:  # the name that the library calls
        ANSWERS[self.path] = self.body().decode()
        self.answer(204)

    def do_GET(self) -> None:  # the name that the library calls
        self.answer(200, json.dumps(CALLS).encode())

    def do_POST(self) -> None:  # the name that the library calls
        payload = json.loads(self.body())
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        came = {"hook": path.strip("/"), "query": query, "at": time.time()}
        CALLS.append({**came, "payload": payload, "headers": headers})
        match ANSWERS.get(path, "200"):
            case "hang":
                time.sleep(HANGS_SECONDS)
            case "reset":
                # Closed with nothing lingering: the caller gets an RST.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            case "302":
                self.answer(302, location=f"/elsewhere?{query}")
            case status:
                self.answer(int(status), b"" if status == "204" else f"said {status}".encode())

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status: int, body: bytes = b"", *, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("location", location)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), Receiver).serve_forever()
