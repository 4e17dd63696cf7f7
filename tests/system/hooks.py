"""The receiver of hooks in a namespace of its own, and Canaries whose hooks lead to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import image
from demo.waiting import eventually
from tests.system.prometheus import program

NAME = "hooks"
PORT = 8080
PROGRAM = Path(__file__).parent / "receiver.py"


@dataclass(frozen=True)
class Hooks:
    """A real HTTP server, which is told how to answer, and tells what it got."""

    place: Namespace

    def install(self) -> None:
        metadata, data = {"name": NAME}, {"receiver.py": PROGRAM.read_text()}
        modules = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        container = {
            "image": image("shop"),
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "/opt/hooks/receiver.py", str(PORT)],
            "volumeMounts": [{"name": "config", "mountPath": "/opt/hooks"}],
        }
        self.place.kubectl.apply([modules, *program(NAME, container, PORT)])
        eventually("the hooks answer", self.is_there, timeout=60)

    def is_there(self) -> bool:
        try:
            return requests.get(self.place.address(NAME, PORT), timeout=1).ok
        except requests.RequestException:
            return False

    def answer(self, name: str, word: str) -> None:
        requests.put(f"{self.place.address(NAME, PORT)}{name}", data=word, timeout=5)

    def calls(self, name: str = "") -> list[JSON]:
        found: list[JSON] = requests.get(self.place.address(NAME, PORT), timeout=5).json()
        return [one for one in found if name in ("", one["hook"])]

    def called(self, name: str, times: int = 1) -> list[JSON]:
        """Wait for so many calls of this hook."""
        what = f"{name} is called {times} times"
        return eventually(what, lambda: len(self.calls(name)) >= times and self.calls(name))

    def hook(self, kind: str, name: str = "", **changes: Any) -> JSON:
        """As in `spec.analysis.webhooks`."""
        own = name or kind
        url = f"http://{NAME}.{self.place.name}:{PORT}/{own}"
        return {"name": own, "type": kind, "url": url, "timeout": "10s", **changes}
