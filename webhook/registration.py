"""Tells the API server to ask us, once we answer; and again whenever that was changed."""

import base64
import binascii
import logging
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from certs.store import Store
from cluster.api import Api, Object
from cluster.errors import Conflict
from delivery import names
from delivery.admission.ours import OURS
from delivery.covering import covers
from delivery.optin import ENROLLED
from delivery.ownership import LAST_APPLIED
from delivery.references import RESERVED
from webhook.published import Published
from webhook.settings import Settings

log = logging.getLogger(__name__)

KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
NEVER = RESERVED
"""Namespaces that no webhook of ours is asked about, whatever their labels."""
TIMEOUT_SECONDS = 3
API_VERSION = "admissionregistration.k8s.io/v1"

PAUSE_SECONDS = 1.0
"""Between two writes: replicas of two versions may want different things for a while."""

Manifest = dict[str, Any]


@dataclass
class Registration:
    """Both configurations; `published` hears which authorities stand in them."""

    api: Api
    settings: Settings
    published: Published
    written: float = -PAUSE_SECONDS

    def look(self) -> tuple[Object | None, ...]:
        """What is registered now; to be read before the Secret, lest an older one is put back."""
        found = tuple(self.api.read(kind, self.settings.registration) for kind in KINDS)
        self.note(found)
        return found

    def put(self, store: Store, found: Sequence[Object | None]) -> None:
        """Applied while this very replica answers by TLS as they promise."""
        wanted = [self.owned(one) for one in manifests(self.settings, store.published)]
        pairs = zip(found, wanted, strict=True)
        if all(covers(one, manifest) for one, manifest in pairs):
            return
        answers(self.settings, store.published)
        time.sleep(max(0.0, self.written + PAUSE_SECONDS - time.monotonic()))
        self.written = time.monotonic()
        try:
            self.note([self.applied(*pair) for pair in zip(found, wanted, strict=True)])
        except Conflict:
            # Another replica was faster: its change wakes us, and is looked at anew.
            log.info("the registration changed meanwhile")

    def owned(self, manifest: Manifest) -> Manifest:
        """Tied to our ClusterRole: who deletes the installation deletes what it registered."""
        role = self.api.read("ClusterRole", names.WEBHOOK)
        if role is None:
            return manifest
        owner = {"apiVersion": role["apiVersion"], "kind": role["kind"], "name": names.WEBHOOK}
        reference = {**owner, "uid": role["metadata"]["uid"]}
        metadata = {**manifest["metadata"], "ownerReferences": [reference]}
        return {**manifest, "metadata": metadata}

    def applied(self, found: Object | None, manifest: Manifest) -> Object:
        if found is not None and covers(found, manifest):
            return found
        if found is not None:
            version = {"resourceVersion": found["metadata"]["resourceVersion"]}
            manifest = {**manifest, "metadata": {**manifest["metadata"], **version}}
        log.info("registering %s", manifest["kind"])
        return self.api.apply(manifest, manager=names.WEBHOOK_MANAGER)

    def note(self, found: Sequence[Object | None]) -> None:
        self.published.saw([bundle for one in found for bundle in bundles(one)], time.monotonic())


def bundles(found: Object | None) -> list[bytes]:
    """The caBundle of each of its webhooks; one that is not there believes in nobody."""
    webhooks = (found or {}).get("webhooks") or [{}]
    texts = [webhook.get("clientConfig", {}).get("caBundle") or "" for webhook in webhooks]
    return [decoded(text) for text in texts]


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


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
        {
            **webhook("canaries", settings, authorities, "/mutate"),
            "rules": [rule(names.GROUP, "v1beta1", "canaries")],
            "matchConditions": [condition(CANARY_MATTERS)],
            "reinvocationPolicy": "IfNeeded",
        },
    )
    validating = [
        {
            **webhook(resource, settings, authorities, "/validate"),
            "rules": [rule(names.GROUP, "v1beta1", resource)],
        }
        for resource in ("canaries", "metrictemplates", "alertproviders")
    ]
    return (
        configuration(KINDS[0], settings.registration, mutating),
        configuration(KINDS[1], settings.registration, validating),
    )


def configuration(kind: str, name: str, webhooks: Sequence[Mapping[str, Any]]) -> Manifest:
    labels = {"app.kubernetes.io/name": "outrider-webhook", names.MANAGED_BY: names.OUTRIDER}
    metadata = {"name": name, "labels": labels}
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
        "name": f"{what}.{settings.domain}",
        "clientConfig": {"service": service, "caBundle": base64.b64encode(authorities).decode()},
        "namespaceSelector": {"matchExpressions": selected(settings)},
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "admissionReviewVersions": ["v1"],
    }


def selected(settings: Settings) -> list[Mapping[str, Any]]:
    """Opted-in namespaces, but none that the cluster or we ourselves need in order to start."""
    never = [*NEVER, settings.namespace]
    return [
        {"key": settings.label, "operator": "In", "values": list(ENROLLED)},
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
# What slipped past admission before is put right by the next request, whatever it changes. A
# file with just the held number of replicas changes nothing but kubectl's note of it.
DEPLOYMENT_MATTERS = (
    f"{CHANGES} || {differs((LAST_APPLIED,))} || {annotation('object', repr(names.HOLD))} != '' "
    f"|| !({annotation('object', repr(names.SCALE))} in ['', string(object.spec.replicas)])"
)
CANARY_MATTERS = f"request.operation == 'CREATE' || {differs((*names.BY_HAND, names.ASKED_BY))}"
SERVICE_MATTERS = f"{CHANGES} || {annotation('object', repr(names.ROUTE))} != ''"
