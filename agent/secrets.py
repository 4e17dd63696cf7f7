"""Reads the Secrets that MetricTemplates and AlertProviders name, when they are needed."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from cluster.api import Api
from cluster.errors import ClusterError, Forbidden
from delivery.names import AGENT

METRICS, ALERTS = "outrider-metrics", "outrider-alerts"
"""Roles by which a user allows them, by what they are for."""


class Unread(Exception):
    """Why there is no such Secret for us, and what is to be done."""


@dataclass(frozen=True)
class Secrets:
    """Those of one namespace; nothing of them is kept."""

    api: Api
    namespace: str
    role: str = METRICS

    def read(self, name: str) -> Mapping[str, str]:
        try:
            found = self.api.read("Secret", name, namespace=self.namespace)
        except Forbidden as error:
            raise Unread(forbidden(name, self.namespace, self.role)) from error
        except ClusterError as error:
            raise Unread(str(error)) from error
        if found is None:
            raise Unread(f'secrets "{name}" not found')
        return {key: decoded(value) for key, value in (found.get("data") or {}).items()}


def forbidden(name: str, namespace: str, role: str) -> str:
    """An agent reads no Secrets but those that it is allowed by name."""
    return (
        "the agent may not read it; allow it that one: "
        f"kubectl -n {namespace} create role {role} --verb=get --resource=secrets "
        f"--resource-name={name} && kubectl -n {namespace} create rolebinding {role} "
        f"--role={role} --serviceaccount={namespace}:{AGENT}"
    )


def decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
