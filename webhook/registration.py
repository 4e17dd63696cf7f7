"""Tells the API server to ask us, once we answer; and again whenever that was changed."""

import base64
import logging
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster.api import Api
from delivery import names
from delivery.admission.ours import OURS
from delivery.covering import covers
from delivery.optin import ENROLLED
from webhook.settings import Settings
from webhook.tls import Served

log = logging.getLogger(__name__)

NAME = "outrider-webhook"
NEVER = ("kube-system", "kube-node-lease", "kube-public")
"""Namespaces that no webhook of ours is asked about, whatever their labels."""
TIMEOUT_SECONDS = 3
API_VERSION = "admissionregistration.k8s.io/v1"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Registration:
    """Both configurations, applied while this very replica answers by TLS as they promise."""

    api: Api
    settings: Settings
    served: Served

    def turn(self) -> None:
        answers(self.settings, self.served.store.published)
        for manifest in manifests(self.settings, self.served.store.published):
            found = self.api.read(manifest["kind"], NAME)
            if not covers(found, manifest):
                self.api.apply(manifest, manager=names.WEBHOOK_MANAGER)
                log.info("registered %s", manifest["kind"])


def answers(settings: Settings, authorities: bytes) -> None:
    """Raises an OSError unless our own port shows what the API server will believe."""
    context = ssl.create_default_context(cadata=authorities.decode())
    address = ("127.0.0.1", settings.port)
    with (
        socket.create_connection(address, timeout=TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=settings.hosts[0]),
    ):
        return


def manifests(settings: Settings, authorities: bytes) -> tuple[Manifest, Manifest]:
    """The Mutating- and the ValidatingWebhookConfiguration."""
    mutating = (
        {
            **webhook("deployments", settings, authorities, "/mutate"),
            "rules": [rule("apps", "v1", "deployments")],
            "matchConditions": [condition(DEPLOYMENT_MATTERS)],
            "reinvocationPolicy": "IfNeeded",
        },
        {
            **webhook("services", settings, authorities, "/mutate"),
            "rules": [rule("", "v1", "services")],
            "matchConditions": [condition(SERVICE_MATTERS)],
            "reinvocationPolicy": "IfNeeded",
        },
    )
    validating = {
        **webhook("canaries", settings, authorities, "/validate"),
        "rules": [rule(names.GROUP, "v1beta1", "canaries")],
    }
    return (
        configuration("MutatingWebhookConfiguration", mutating),
        configuration("ValidatingWebhookConfiguration", (validating,)),
    )


def configuration(kind: str, webhooks: Sequence[Mapping[str, Any]]) -> Manifest:
    labels = {"app.kubernetes.io/name": NAME, names.MANAGED_BY: names.OUTRIDER}
    metadata = {"name": NAME, "labels": labels}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "webhooks": list(webhooks),
    }


def webhook(what: str, settings: Settings, authorities: bytes, path: str) -> Manifest:
    service = {
        "name": settings.service,
        "namespace": settings.namespace,
        "path": path,
        "port": settings.service_port,
    }
    return {
        "name": f"{what}.outrider.dev",
        "clientConfig": {"service": service, "caBundle": base64.b64encode(authorities).decode()},
        "namespaceSelector": {"matchExpressions": selected(settings.namespace)},
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "admissionReviewVersions": ["v1"],
    }


def selected(own_namespace: str) -> list[Mapping[str, Any]]:
    """Opted-in namespaces, but none that the cluster or we ourselves need in order to start."""
    never = [*NEVER, own_namespace]
    return [
        {"key": names.ENABLED, "operator": "In", "values": list(ENROLLED)},
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": never},
    ]


def rule(group: str, version: str, resource: str) -> Mapping[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": [version],
        "resources": [resource],
        "operations": ["CREATE", "UPDATE"],
        "scope": "Namespaced",
    }


def condition(expression: str) -> Mapping[str, str]:
    return {"name": "matters", "expression": expression}


def annotation(document: str, key: str) -> str:
    """CEL for the value of an annotation, empty where there is none."""
    path = f"{document}.metadata"
    return (
        f"(has({path}.annotations) && {key} in {path}.annotations ? {path}.annotations[{key}] : '')"
    )


def differs(keys: Sequence[str]) -> str:
    """CEL for: one of these annotations is not as it was."""
    listed = ", ".join(f"'{key}'" for key in keys)
    return (
        f"[{listed}].exists(key, {annotation('object', 'key')} != {annotation('oldObject', 'key')})"
    )


CHANGES = f"request.operation == 'CREATE' || object.spec != oldObject.spec || {differs(OURS)}"
# What slipped past admission before is put right by the next request, whatever it changes.
DEPLOYMENT_MATTERS = (
    f"{CHANGES} || {annotation('object', repr(names.HOLD))} != '' "
    f"|| !({annotation('object', repr(names.SCALE))} in ['', string(object.spec.replicas)])"
)
SERVICE_MATTERS = f"{CHANGES} || {annotation('object', repr(names.ROUTE))} != ''"
