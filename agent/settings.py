"""What an agent is told by its environment and flags, read once."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from delivery import names
from delivery.alert import Route
from delivery.api.defaults import routes


@dataclass(frozen=True)
class Settings:
    """`identity` is the pod's name. `kubeconfig` empty means: the pod's own ServiceAccount.

    `ipv6`: whether pods have such an address, first or second. `cluster_name`, `event_webhook` and
    `alerts` are the installation's, see delivery/programs.py.
    """

    namespace: str
    identity: str
    kubeconfig: str = ""
    http_port: int = names.AGENT_HTTP_PORT
    xds_port: int = names.XDS_PORT
    log_level: str = "INFO"
    label: str = names.ENABLED
    ipv6: bool = False
    cluster_name: str = ""
    event_webhook: str = ""
    alerts: tuple[Route, ...] = ()


def everybodys(text: str) -> tuple[Route, ...]:
    """Who is told of all Canaries that name nobody."""
    return tuple(replace(one, everybodys=True) for one in routes(text)) if text else ()


def settings(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Settings:
    """Flags first, then the environment (NAMESPACE, POD_NAME, POD_IPS, …)."""
    said = os.environ if environment is None else environment
    parser = argparse.ArgumentParser("agent", description="The Outrider agent of one namespace.")
    parser.add_argument("--namespace", default=said.get("NAMESPACE"))
    parser.add_argument("--identity", default=said.get("POD_NAME", said.get("HOSTNAME", "agent")))
    parser.add_argument("--label", default=said.get("OPT_IN_LABEL", names.ENABLED))
    parser.add_argument("--cluster-name", default=said.get("CLUSTER_NAME", ""))
    parser.add_argument("--event-webhook", default=said.get("EVENT_WEBHOOK_URL", ""))
    parser.add_argument("--alerts", type=everybodys, default=said.get("ALERTS", ""))
    parser.add_argument("--kubeconfig", default=said.get("KUBECONFIG", ""))
    parser.add_argument("--http-port", type=int, default=names.AGENT_HTTP_PORT)
    parser.add_argument("--xds-port", type=int, default=names.XDS_PORT)
    parser.add_argument("--log-level", default=said.get("LOG_LEVEL", "INFO").upper())
    given = parser.parse_args(arguments)
    if not given.namespace:
        parser.error("--namespace, or NAMESPACE in the environment, must name the namespace")
    return Settings(**vars(given), ipv6=":" in said.get("POD_IPS", ""))
