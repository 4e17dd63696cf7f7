"""Chat systems in a pod: each path is one, which takes what it is told, fails or hangs."""

import json
import threading
import time
import urllib.request
from collections import defaultdict
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import image
from tests.system.prometheus import program

NAME, PORT = "chat", 8080
KEY = "key-of-the-hook"
"""A part of each path: nobody may ever show it."""
HANGS, FAILS, BUSY = "deaf", "broken", "busy"
"""One that never answers, one that fails until it is healed, one that fails at first."""


class Chats(BaseHTTPRequestHandler):
    """POST /NAME/KEY tells; GET / shows all that was taken; DELETE /NAME heals."""

    taken: defaultdict[str, list[Any]] = defaultdict(list)
    refused: defaultdict[str, int] = defaultdict(int)
    healed: set[str]
    lock = threading.Lock()

    def do_POST(self) -> None:
        name = self.path.split("/")[1]
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if name == HANGS:
            time.sleep(60)
        with self.lock:
            bad = (name == FAILS and name not in self.healed) or (
                name == BUSY and self.refused[name] < 2
            )
            if bad:
                self.refused[name] += 1
            else:
                self.taken[name].append([self.headers.get("Authorization"), said])
        self.answer(500 if bad else 200, b"")

    def do_GET(self) -> None:
        with self.lock:
            shown = json.dumps({"taken": self.taken, "refused": self.refused})
        self.answer(200, shown.encode())

    def do_DELETE(self) -> None:
        with self.lock:
            self.healed.add(self.path.split("/")[1])
        self.answer(200, b"")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def manifests() -> list[JSON]:
    """The chat systems, which are left alone in their namespace."""
    source = Path(__file__).read_text()
    start = "import json, threading, time\nfrom collections import defaultdict\n"
    start += "from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\nAny = object\n"
    names = f"HANGS, FAILS, BUSY = {HANGS!r}, {FAILS!r}, {BUSY!r}\n"
    served = source[source.index("class Chats") : source.index("def manifests")]
    end = f"Chats.healed = set()\nThreadingHTTPServer(('', {PORT}), Chats).serve_forever()\n"
    command = ["python3", "-c", start + names + served + end]
    probe = {"tcpSocket": {"port": PORT}, "periodSeconds": 1}
    container = {"image": image("shop"), "command": command, "readinessProbe": probe}
    deployment, service = program(NAME, container, PORT)
    deployment["metadata"] = {"name": NAME, "annotations": {"outrider.dev/enabled": "false"}}
    return [deployment, service]


def provider(place: Namespace, name: str, kind: str = "webhook", **said: Any) -> JSON:
    """The AlertProvider of one of them."""
    address = f"http://{NAME}.{place.name}:{PORT}/{name}/{KEY}"
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "AlertProvider",
        "metadata": {"name": name},
        "spec": {"type": kind, **({} if "secretRef" in said else {"address": address}), **said},
    }


def shown(place: Namespace) -> JSON:
    with urllib.request.urlopen(place.address(NAME, PORT), timeout=5) as answer:
        found: JSON = json.load(answer)
    return found


def heal(place: Namespace, name: str) -> None:
    request = urllib.request.Request(f"{place.address(NAME, PORT)}{name}", method="DELETE")
    with urllib.request.urlopen(request, timeout=5):
        return
