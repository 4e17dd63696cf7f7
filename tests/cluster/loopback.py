"""As much of an API server as a client can tell on loopback: lists, watches, writes, bad days."""

import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes.client import Configuration

from cluster.api import Api, Object, TimedClient

SHOP = "/api/v1/namespaces/shop/configmaps"
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None


@dataclass
class Server:
    """`status` other than 200 is the answer to all; `gone` is what watches are told of their
    version; `cut` ends each watch at once. `pages` are answers of their own to some paths.
    """

    port: int = 0
    status: int = 200
    raw: bytes = b""
    silent: float = 0.0
    cut: bool = False
    gone: bool = False
    version: int = 10
    pages: dict[str, tuple[int, Object]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    items: dict[str, Object] = field(default_factory=dict)
    watches: "list[queue.SimpleQueue[Event | None]]" = field(default_factory=list)

    def put(self, name: str, event: str = "ADDED", **data: str) -> None:
        """An object is made, changed or deleted; all open watches hear of it."""
        self.version += 1
        metadata = {"name": name, "namespace": "shop", "resourceVersion": str(self.version)}
        self.items[name] = {"metadata": metadata, "data": data}
        self.tell(event, {"apiVersion": "v1", "kind": "ConfigMap", **self.items[name]})
        if event == "DELETED":
            del self.items[name]

    def tell(self, event: str, item: Object) -> None:
        for watch in self.watches:
            watch.put({"type": event, "object": item})

    def hang_up(self) -> None:
        """All watches end, as when their time is over."""
        for watch in self.watches:
            watch.put(None)

    def opened(self) -> list[str]:
        """The resourceVersions that watches were opened with."""
        return [one.query["resourceVersion"] for one in self.asked if "watch" in one.query]

    def listed(self) -> Object:
        items = list(self.items.values())
        return {"metadata": {"resourceVersion": str(self.version)}, "items": items}

    def api(self, *, seconds: float = 5.0) -> Api:
        configuration = Configuration()
        configuration.host = f"http://127.0.0.1:{self.port}"
        configuration.retries = False
        connection = TimedClient(configuration)
        connection.seconds = seconds
        return Api(connection)


class Handler(BaseHTTPRequestHandler):
    """One connection; what is answered stands in the server's `state`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: Server

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.state.asked.append(
            Asked(self.command, url.path, query, json.loads(body) if body else None)
        )
        time.sleep(self.state.silent)
        if url.path in self.state.pages:
            code, page = self.state.pages[url.path]
            self.answer(code, json.dumps(page).encode())
            return
        status = 410 if self.state.gone and "watch" in query else self.state.status
        if status != 200 or self.state.raw:
            said = {"message": "not today", "reason": "Bad", "code": status}
            self.answer(status, self.state.raw or json.dumps(said).encode())
        elif "watch" in query:
            self.stream()
        else:
            found = json.loads(body) if body else self.state.listed()
            self.answer(200, json.dumps(found).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815  # the library's names

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        mine: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.state.watches.append(mine)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not self.state.cut and (event := mine.get()):
            self.chunk(json.dumps(event).encode() + b"\n")
        self.state.watches.remove(mine)
        self.chunk(b"")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """The tests look at `asked`."""


@contextmanager
def serving() -> Iterator[Server]:
    state = Server()
    handler = type("Bound", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield state
    finally:
        state.hang_up()
        server.shutdown()
        server.server_close()
