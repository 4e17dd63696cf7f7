"""Reads the Secrets that MetricTemplates and AlertProviders name, when they are needed."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from cluster.api import Api, Object
from cluster.errors import ClusterError, Forbidden
from delivery.names import AGENT
from delivery.references import Named, unoffered_secret

METRICS, ALERTS = "outrider-metrics", "outrider-alerts"
"""Roles by which a user allows them, by what they are for."""


class Unread(Exception):
    """Why there is no such Secret for us, and what is to be done."""


class Unallowed(Unread):
    """We may not read it."""


@dataclass(frozen=True)
class Secrets:
    """Nothing of them is kept; `namespace` is our own."""

    api: Api
    namespace: str
    role: str = METRICS

    def read(self, named: Named) -> Mapping[str, str]:
        try:
            found = self.found(named)
        except Forbidden as error:
            raise Unallowed(self.forbidden(named)) from error
        except ClusterError as error:
            raise Unread(str(error)) from error
        if found is None:
            raise Unread(f'secrets "{named.name}" not found')
        return {key: decoded(value) for key, value in (found.get("data") or {}).items()}

    def found(self, named: Named) -> Object | None:
        """Who wrote the name may be a stranger: it must not lead out of its namespace."""
        if not named.can_be_there:
            return None
        return self.api.read(named.kind, named.name, namespace=named.namespace)

    def forbidden(self, named: Named) -> str:
        if named.namespace == self.namespace:
            return forbidden(named.name, self.namespace, self.role)
        return unoffered_secret(named.name, named.namespace)


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
