"""What the webhook is told by its environment and flags, read once."""

import argparse
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from delivery.optin import Images

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


@dataclass(frozen=True)
class Settings:
    """`port` is where the pod listens, `service_port` where the API server calls.

    `drain_seconds`: how long open connections are served after SIGTERM. `kubeconfig` empty means:
    the pod's own ServiceAccount.
    """

    namespace: str
    agent_image: str
    router_image: str
    service: str = "outrider-webhook"
    secret: str = "outrider-webhook-tls"
    port: int = 8443
    service_port: int = 443
    threads: int = 16
    drain_seconds: int = 20
    kubeconfig: str = ""
    log_level: str = "INFO"

    @property
    def images(self) -> Images:
        return Images(self.agent_image, self.router_image)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which the server may be called; the API server uses the first."""
        host = f"{self.service}.{self.namespace}"
        return (f"{host}.svc", f"{host}.svc.cluster.local", host, self.service)


def settings(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Settings:
    """Flags first, then the environment (NAMESPACE, AGENT_IMAGE, ROUTER_IMAGE, …)."""
    said = os.environ if environment is None else environment
    parser = argparse.ArgumentParser("webhook", description="Outrider's admission program.")
    for flag in ("namespace", "agent-image", "router-image"):
        default = said.get(flag.replace("-", "_").upper())
        parser.add_argument(f"--{flag}", default=default, required=not default)
    for flag, text in (("service", Settings.service), ("secret", Settings.secret)):
        parser.add_argument(f"--{flag}", default=text)
    for flag, number in (
        ("port", Settings.port),
        ("service-port", Settings.service_port),
        ("threads", Settings.threads),
        ("drain-seconds", Settings.drain_seconds),
    ):
        parser.add_argument(f"--{flag}", type=int, default=number)
    parser.add_argument("--kubeconfig", default=said.get("KUBECONFIG", ""))
    parser.add_argument("--log-level", default=said.get("LOG_LEVEL", "INFO").upper())
    return Settings(**vars(parser.parse_args(arguments)))


def version() -> str:
    """As pyproject.toml has it, which lies beside the programs in their image too."""
    return str(tomllib.loads(PROJECT.read_text())["project"]["version"])
