"""The load on an app while it is released, and what its clients saw of it."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demo.kubectl import Kubectl
from demo.shop import EXAMPLE, image
from demo.waiting import eventually

CLIENT = EXAMPLE / "client.py"


@dataclass(frozen=True)
class Answer:
    """One request as the client saw it: see examples/shop/client.py, which prints these."""

    at: float
    ms: float
    status: int
    version: str
    kind: str
    error: str = ""

    @property
    def ended(self) -> float:
        return self.at + self.ms / 1000

    @property
    def foreign(self) -> bool:
        """A failure that the app did not make."""
        return self.kind == "foreign"


@dataclass
class Traffic:
    """A running client; its answers arrive once a second."""

    process: subprocess.Popen[str]
    ending: Callable[[], object]
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith('{"now"'):
                self.answers.extend(Answer(**one) for one in json.loads(line)["requests"])

    def between(self, begin: float, end: float) -> list[Answer]:
        """The answers to what was sent in this time."""
        return [answer for answer in list(self.answers) if begin <= answer.at < end]

    def caught_up(self, moment: float) -> None:
        """Wait until the answers of all that was sent before this moment have arrived."""
        eventually(
            "the client reports what it sent",
            lambda: self.answers and max(answer.at for answer in self.answers[-100:]) > moment,
            timeout=30,
        )

    def stop(self) -> list[Answer]:
        """All answers, after the client has finished those under way."""
        self.ending()
        self.process.wait(timeout=60)
        self.reader.join(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
        return self.answers


def on_the_node(url: str, *options: str) -> Traffic:
    """A client process beside this one: for tests, which run in the node's network."""
    command = (sys.executable, str(CLIENT), url, *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return Traffic(process, process.terminate)


def in_a_pod(kubectl: Kubectl, url: str, *options: str) -> Traffic:
    """A client pod in the namespace of `kubectl`, read through its log."""
    kubectl.apply([client_pod(url, options)])
    kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s", timeout=70)
    command = ("kubectl", "--namespace", kubectl.namespace, "logs", "--follow", "pod/client")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return Traffic(process, lambda: kubectl("delete", "pod", "client", "--wait=false"))


def client_pod(url: str, options: Sequence[str]) -> dict[str, object]:
    container = {
        "name": "client",
        "image": image("shop"),
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "client.py", url, *options],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 15,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": spec}


def by_version(answers: Sequence[Answer], *, failures: bool = False) -> dict[str, int]:
    """How many requests, or failed ones, each version answered; nobody's are under `none`."""
    counted = (answer for answer in answers if not failures or answer.kind != "ok")
    return dict(sorted(Counter(answer.version or "none" for answer in counted).items()))


def foreign(answers: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.foreign]
