"""What the webhook is told by its environment and flags, read once."""

import argparse
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certs.authority import Lives
from delivery import names
from delivery.api.defaults import routes
from delivery.programs import AGENT_SIZE, ROUTER_SIZE, Programs, Size, resized
from delivery.providers.interface import http_address

DOMAIN = names.ENABLED.partition("/")[0]
REGISTRATION = "outrider-webhook"
PROJECT = Path(__file__).parents[1] / "pyproject.toml"


@dataclass(frozen=True)
class Settings:
    """`port` is where the pod listens, `service_port` where the API server calls.

    `instance` names a second installation beside the first: its registration, and the label that
    opts in to it, are its own; what namespaces offer to each other is left to the first.
    `settle_seconds`: how long an authority is published before it signs. `drain_seconds`: how long
    open connections are served after SIGTERM. `ipv6`: whether pods are reached by IPv6 first.
    `kubeconfig` empty means: the pod's own ServiceAccount.
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
    leaf_seconds: int = int(Lives.leaf.total_seconds())
    authority_seconds: int = int(Lives.authority.total_seconds())
    settle_seconds: int = 60
    instance: str = ""
    pull_secrets: tuple[str, ...] = ()
    priority_class: str = ""
    agent_size: Size = AGENT_SIZE
    router_size: Size = ROUTER_SIZE
    cluster_name: str = ""
    event_webhook: str = ""
    alerts: str = ""
    identity: str = "webhook"
    ipv6: bool = False
    kubeconfig: str = ""
    log_level: str = "INFO"

    @property
    def programs(self) -> Programs:
        return Programs(
            agent=self.agent_image,
            router=self.router_image,
            pull_secrets=self.pull_secrets,
            priority_class=self.priority_class,
            label=self.label,
            ipv6=self.ipv6,
            agent_size=self.agent_size,
            router_size=self.router_size,
            cluster=self.cluster_name,
            event_webhook=self.event_webhook,
            alerts=self.alerts,
        )

    @property
    def domain(self) -> str:
        """What the names of our webhooks end in."""
        return f"{self.instance}.{DOMAIN}" if self.instance else DOMAIN

    @property
    def registration(self) -> str:
        """The name of both webhook configurations."""
        return f"{REGISTRATION}-{self.instance}" if self.instance else REGISTRATION

    @property
    def label(self) -> str:
        """The namespace's label that opts in."""
        return f"{self.domain}/{names.ENABLED.partition('/')[2]}"

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
    texts = {"service": Settings.service, "secret": Settings.secret, "instance": Settings.instance}
    for flag, text in texts.items():
        parser.add_argument(f"--{flag}", default=text)
    for flag, number in (
        ("port", Settings.port),
        ("service-port", Settings.service_port),
        ("threads", Settings.threads),
        ("drain-seconds", Settings.drain_seconds),
        ("leaf-seconds", Settings.leaf_seconds),
        ("authority-seconds", Settings.authority_seconds),
        ("settle-seconds", Settings.settle_seconds),
    ):
        parser.add_argument(f"--{flag}", type=int, default=number)
    parser.add_argument("--pull-secrets", type=listed, default=listed(said.get("PULL_SECRETS", "")))
    parser.add_argument("--priority-class", default=said.get("PRIORITY_CLASS", ""))
    parser.add_argument("--cluster-name", default=said.get("CLUSTER_NAME", ""))
    parser.add_argument("--event-webhook", type=address, default=said.get("EVENT_WEBHOOK_URL", ""))
    parser.add_argument("--alerts", type=receivers, default=said.get("ALERTS", ""))
    parser.add_argument("--identity", default=said.get("POD_NAME", said.get("HOSTNAME", "webhook")))
    parser.add_argument("--kubeconfig", default=said.get("KUBECONFIG", ""))
    parser.add_argument("--log-level", default=said.get("LOG_LEVEL", "INFO").upper())
    ipv6 = ":" in said.get("KUBERNETES_SERVICE_HOST", "")
    try:
        told = Settings(**vars(parser.parse_args(arguments)), ipv6=ipv6, **sizes(said))
    except ValueError as error:
        parser.error(str(error))
    if not told.settle_seconds * 6 <= told.leaf_seconds <= told.authority_seconds / 2:
        parser.error("a leaf lives at least 6 times --settle-seconds, an authority twice as long")
    return told


def sizes(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Of the agents and the routers, as Settings has them. Raises ValueError."""
    return {
        "agent_size": size(environment, "AGENT", AGENT_SIZE),
        "router_size": size(environment, "ROUTER", ROUTER_SIZE),
    }


def size(environment: Mapping[str, str], program: str, default: Size) -> Size:
    """As AGENT_REQUESTS and AGENT_LIMITS say, or those of the routers."""
    requests, limits = f"{program}_REQUESTS", f"{program}_LIMITS"
    try:
        return resized(
            default, requests=environment.get(requests, ""), limits=environment.get(limits, "")
        )
    except ValueError as error:
        raise ValueError(f"{requests}, {limits}: {error}") from None


def receivers(text: str) -> str:
    """None at all, or AlertProviders as the agents understand them."""
    try:
        if text:
            routes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def address(text: str) -> str:
    """None at all, or one that agents can call."""
    if text and any(http_address(text)):
        raise argparse.ArgumentTypeError("is no URL; write for example http://events.tools/")
    return text


def listed(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def version() -> str:
    """As pyproject.toml has it, which lies beside the programs in their image too."""
    return str(tomllib.loads(PROJECT.read_text())["project"]["version"])
