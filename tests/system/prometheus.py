"""A real Prometheus beside the apps: it scrapes a namespace's routers as the README says."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

import requests
import yaml

from delivery.names import ROUTER, ROUTER_OPEN_PORT
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.shop import PROJECT, image
from demo.waiting import eventually

NAME = "prometheus"
PORT = 9090
USER, PASSWORD = "jane", "open-sesame"
HASH = "$2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G"
"""Of the password, as Prometheus wants it."""
CONFIG = "/etc/prometheus"
DISCOVERY = ("kubernetes_sd_configs", "relabel_configs")
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Prometheus:
    """It stands in a namespace of its own and lets nobody in without the password."""

    place: Namespace
    watched: Namespace

    @property
    def address(self) -> str:
        return f"http://{NAME}.{self.place.name}:{PORT}"

    @property
    def with_login(self) -> str:
        return self.address.replace("//", f"//{USER}:{PASSWORD}@")

    def install(self) -> None:
        """When the routers are there."""
        self.place.kubectl.apply([self.config(), *program(NAME, prometheus(), PORT)])

    def config(self) -> JSON:
        """Debian's Prometheus cannot ask Kubernetes for pods, so they are named to it."""
        (job,) = yaml.safe_load(readme("- job_name: outrider-routers"))
        found = self.watched.list("Pod", f"app.kubernetes.io/name={ROUTER}")
        targets = [f"{pod['status']['podIP']}:{ROUTER_OPEN_PORT}" for pod in found]
        named = [{"targets": targets, "labels": {"namespace": self.watched.name}}]
        kept = {key: job[key] for key in job if key not in DISCOVERY} | {"static_configs": named}
        said = {"global": {"scrape_interval": "1s"}, "scrape_configs": [kept]}
        web = {"basic_auth_users": {USER: HASH}}
        data = {"prometheus.yml": yaml.safe_dump(said), "web.yml": yaml.safe_dump(web)}
        metadata = {"name": NAME}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    def scrapes(self, routers: int) -> None:
        """Wait until it has read so many routers."""
        eventually("the routers are scraped", lambda: self.value("sum(up)") == routers, timeout=60)

    def value(self, query: str) -> float | None:
        url = f"{self.place.address(NAME, PORT)}api/v1/query"
        try:
            answer = requests.get(url, params={"query": query}, auth=(USER, PASSWORD), timeout=5)
        except requests.ConnectionError:
            return None
        if answer.status_code == 503:  # It reads what it has stored first.
            return None
        found = answer.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else None


def readme(beginning: str) -> str:
    """A block of the README."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", (PROJECT / "README.md").read_text(), re.M | re.S)
    (found,) = [block for block in blocks if block.startswith(beginning)]
    return str(found)


def prometheus() -> JSON:
    ours = "OUTRIDER_REGISTRY" not in os.environ
    return {
        "image": image(NAME) if ours else "prom/prometheus:v2.42.0",
        "args": [
            f"--config.file={CONFIG}/prometheus.yml",
            f"--web.config.file={CONFIG}/web.yml",
            "--storage.tsdb.path=/data",
        ],
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG},
            {"name": "data", "mountPath": "/data"},
        ],
    }


def deaf() -> list[JSON]:
    """A backend that accepts every connection and never says a word."""
    script = "import socket, time; kept = socket.create_server(('', 8080)); time.sleep(9999)"
    return program("deaf", {"image": image("shop"), "command": ["python3", "-c", script]}, 8080)


def program(name: str, container: Mapping[str, object], port: int) -> list[JSON]:
    """A Deployment of one pod, and its Service."""
    labels = {"app": name}
    volumes = [{"name": "config", "configMap": {"name": name}}, {"name": "data", "emptyDir": {}}]
    mounted = volumes if "volumeMounts" in container else []
    whole = {"name": name, "securityContext": RESTRICTED, **container}
    spec = {"containers": [whole], "volumes": mounted, "terminationGracePeriodSeconds": 1}
    template = {"metadata": {"labels": labels}, "spec": spec}
    metadata = {"name": name}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": port}]},
        },
    ]
