"""A second installation of the admission program, for tests that disturb its certificates."""

import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from delivery import names
from demo import namespace as namespaces
from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace
from demo.shop import PROJECT, image

BASE = PROJECT / "manifests" / "base"
FILES = ("rights.yaml", "secret.yaml", "service.yaml", "webhook.yaml")
SECRET = "outrider-webhook-tls"
PORT = 8443
KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@dataclass(frozen=True)
class Installation:
    """Two replicas in a namespace of their own, asked only about namespaces with their label."""

    place: Namespace

    @property
    def name(self) -> str:
        """Of all that has no namespace: rights and registrations."""
        return f"{WEBHOOK}-{self.place.name}"

    def manifests(self, *flags: str) -> list[JSON]:
        texts = [(BASE / name).read_text().replace(SYSTEM, self.place.name) for name in FILES]
        return self.own([one for text in texts for one in yaml.safe_load_all(text)], *flags)

    def overlay(self, name: str, *flags: str) -> list[JSON]:
        """One of our overlays, its namespace too."""
        folder = str(PROJECT / "manifests" / "overlays" / name)
        text = self.place.kubectl("kustomize", folder).replace(SYSTEM, self.place.name)
        found = self.own([one for one in yaml.safe_load_all(text) if ours(one)], *flags)
        (deployment,) = (one for one in found if one["kind"] == "Deployment")
        deployment["spec"]["replicas"] = 1  # a node has one address, and there may be one node
        return found

    def own(self, found: list[JSON], *flags: str) -> list[JSON]:
        """The same manifests for this installation alone."""
        for document in found:
            if document["kind"].startswith("Cluster"):
                renamed(document, self.name)
            if document["kind"] == "Deployment":
                flagged(document, (*flags, f"--instance={self.place.name}"))
        return found

    def install(self, *flags: str, overlay: str = "") -> None:
        written = self.overlay(overlay, *flags) if overlay else self.manifests(*flags)
        self.place.kubectl.apply(written)
        self.place.complete(WEBHOOK, timeout=120)

    def remove(self) -> None:
        cluster = Kubectl()
        for kind in ("clusterrolebinding", "clusterrole", *KINDS):
            cluster("delete", kind, self.name, "--ignore-not-found", "--wait=false")
        cluster("delete", "namespace", self.place.name, "--wait=false")

    def opt_in(self, place: Namespace) -> None:
        label = f"{self.place.name}.{names.ENABLED}=true"
        place.kubectl("label", "namespace", place.name, label)

    def secret(self) -> JSON:
        """What the Secret holds; empty while there is none."""
        found = self.place.found("Secret", SECRET) or {}
        data: JSON = found.get("data") or {}
        return data

    def bundle(self) -> str:
        """The caBundle that is registered; empty while there is none."""
        found = self.place.api.read(KINDS[0], self.name) or {"webhooks": [{"clientConfig": {}}]}
        said: str = found["webhooks"][0]["clientConfig"].get("caBundle") or ""
        return said

    def pods(self) -> list[JSON]:
        return list(self.place.list("Pod", f"app.kubernetes.io/name={WEBHOOK}"))

    def ready(self) -> int:
        conditions = [one for pod in self.pods() for one in pod["status"].get("conditions", [])]
        return sum((one["type"], one["status"]) == ("Ready", "True") for one in conditions)

    @contextmanager
    def connections(self, count: int) -> Iterator[list[HTTPSConnection]]:
        """So many to each replica, kept open as the API server keeps them."""
        context = ssl._create_unverified_context()  # what is served is not the question here
        addresses = [pod["status"]["podIP"] for pod in self.pods() for _ in range(count)]
        with ExitStack() as stack:
            yield [
                stack.enter_context(
                    closing(HTTPSConnection(address, PORT, timeout=20, context=context))
                )
                for address in addresses
            ]

    def samples(self) -> Iterator[Sample]:
        """The metrics of all replicas."""
        with self.connections(1) as replicas:
            for replica in replicas:
                yield from samples(asked(replica, "/metrics")[1])

    def seen_by_api_server(self) -> dict[str, float]:
        """Failures of calls to us: those that were let pass, and those that refused a request."""
        found = {"fail_open": 0.0, "rejection": 0.0}
        for sample in samples(Kubectl()("get", "--raw", "/metrics")):
            ours = self.place.name in sample.labels.get("name", "")
            for what in found:
                if ours and sample.name.startswith(f"apiserver_admission_webhook_{what}_count"):
                    found[what] += sample.value
        return found


def asked(connection: HTTPConnection, path: str) -> tuple[int, str]:
    """One request over a connection that stays open."""
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


def renamed(document: JSON, name: str) -> None:
    """Rights without a namespace, so that they name this installation's registration alone."""
    document["metadata"]["name"] = name
    if "roleRef" in document:
        document["roleRef"]["name"] = name
    for rule in document.get("rules", ()):
        if "admissionregistration.k8s.io" in rule["apiGroups"]:
            rule["resourceNames"] = [name]


def ours(document: JSON) -> bool:
    """Whether a second installation has one of its own: namespaces share the agents' rights, and
    the policies know the first one's label and accounts.
    """
    shared = document["metadata"]["name"] == names.AGENT or "Policy" in document["kind"]
    return document["kind"] != "ResourceQuota" and not shared


def flagged(document: JSON, flags: tuple[str, ...]) -> None:
    container: dict[str, Any] = document["spec"]["template"]["spec"]["containers"][0]
    args = [*container.get("args", ()), *flags]
    container |= {"image": image("webhook"), "imagePullPolicy": "IfNotPresent", "args": args}
    said = {one["name"]: one for one in container["env"]}
    said["AGENT_IMAGE"]["value"] = image("agent")
    if "OUTRIDER_REGISTRY" not in os.environ:
        said["ROUTER_IMAGE"]["value"] = image("envoy")


@contextmanager
def installed(name: str, *flags: str, overlay: str = "") -> Iterator[Installation]:
    made = Installation(namespaces.create(name))
    try:
        made.install(*flags, overlay=overlay)
        yield made
    finally:
        made.remove()
