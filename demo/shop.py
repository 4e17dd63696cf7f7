"""The shop's manifests: examples/shop/shop.yaml with the lines changed that a team would edit."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo.kubectl import JSON

PROJECT = Path(__file__).parents[1]
EXAMPLE = PROJECT / "examples" / "shop"
PRE_STOP_SECONDS = 4
GRPC_PORT = 9090


def image(name: str) -> str:
    """An image of this project where the cluster finds it: the lab's store, or a registry."""
    registry = os.environ.get("OUTRIDER_REGISTRY", "localhost/outrider")
    tag = os.environ.get("OUTRIDER_TAG", "lab")
    return f"{registry}/{name}:{tag}"


@dataclass(frozen=True)
class Shop:
    """One version of the shop, as it stands in somebody's repository."""

    version: str = "v1"
    error_rate: float = 0.0
    delay_ms: int = 0
    replicas: int = 3
    grace_seconds: int = 30
    cold_requests: int = 0
    streams: bool = False
    """Whether a second port serves a gRPC stream."""

    def manifests(self) -> list[JSON]:
        """Deployment and Service, in the order of the file."""
        deployment, service = yaml.safe_load_all((EXAMPLE / "shop.yaml").read_text())
        deployment["spec"]["replicas"] = self.replicas
        pod = deployment["spec"]["template"]["spec"]
        pod["terminationGracePeriodSeconds"] = self.grace_seconds
        container = pod["containers"][0]
        container["image"] = image("shop")
        container["env"] = [{"name": name, "value": value} for name, value in self.settings()]
        if self.streams:
            container["ports"].append({"name": "grpc", "containerPort": GRPC_PORT})
            port = {"name": "grpc", "port": GRPC_PORT, "targetPort": "grpc"}
            service["spec"]["ports"].append({**port, "appProtocol": "kubernetes.io/h2c"})
        return [deployment, service]

    def settings(self) -> list[tuple[str, str]]:
        """The container's environment."""
        drain = self.grace_seconds - PRE_STOP_SECONDS - 2
        return [
            ("VERSION", self.version),
            ("ERROR_RATE", f"{self.error_rate:g}"),
            ("DELAY_MS", str(self.delay_ms)),
            ("DRAIN_SECONDS", str(drain)),
            *([("COLD_REQUESTS", str(self.cold_requests))] if self.cold_requests else []),
            *([("GRPC_PORT", str(GRPC_PORT))] if self.streams else []),
        ]


V1 = Shop("v1")
V2 = Shop("v2")
V3 = Shop("v3", error_rate=0.5)
V4 = Shop("v4", delay_ms=800)
