"""One namespace of the cluster: what a user does in it by kubectl, and what is seen of it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.api import Api, connect
from delivery.names import ENABLED, OPEN_STATISTICS
from demo.kubectl import JSON, Kubectl
from demo.waiting import eventually

LABELS = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True)
class Namespace:
    """kubectl changes things as users do; reading goes through the API, which is cheaper."""

    name: str
    api: Api
    kubectl: Kubectl

    def found(self, kind: str, name: str) -> JSON | None:
        return self.api.read(kind, name, namespace=self.name)

    def read(self, kind: str, name: str) -> JSON:
        """An object that must be there."""
        found = self.found(kind, name)
        assert found is not None, f"no {kind} {name} in namespace {self.name}"
        return found

    def list(self, kind: str, selector: str = "") -> Sequence[JSON]:
        query = {"labelSelector": selector} if selector else None
        return self.api.list(kind, namespace=self.name, query=query)

    def status(self, name: str = "shop") -> JSON:
        """The status of an app's Canary; empty while there is none."""
        canary = self.found("Canary", name) or {}
        status: JSON = canary.get("status", {})
        return status

    def address(self, service: str = "shop", port: int = 80) -> str:
        """The URL of a Service by its ClusterIP."""
        return f"http://{self.read('Service', service)['spec']['clusterIP']}:{port}/"

    def opt_in(self) -> None:
        self.kubectl("label", "namespace", self.name, f"{ENABLED}=true")

    def open_statistics(self) -> None:
        """Its routers show them to everybody, a Prometheus for one."""
        self.kubectl("annotate", "namespace", self.name, f"{OPEN_STATISTICS}=true")

    def adopted(self, name: str = "shop", *, timeout: float = 120) -> JSON:
        """Wait until an app that was left to Outrider is in its hands."""
        return eventually(
            f"{name} is adopted",
            lambda: self.status(name).get("phase") == "Initialized" and self.status(name),
            timeout=timeout,
        )

    def complete(self, name: str = "shop", *, timeout: float = 60) -> None:
        """Wait for an ordinary rollout, as users do."""
        limit = f"--timeout={timeout:.0f}s"
        self.kubectl("rollout", "status", f"deployment/{name}", limit, timeout=timeout + 10)


def opened(place: Namespace, manifests: Sequence[JSON], *options: str, name: str = "shop") -> None:
    """Apply an app, wait until it runs, and opt in: as a team does that has always applied so."""
    place.kubectl.apply(manifests, *options)
    place.complete(name)
    place.opt_in()
    place.adopted(name)


def create(name: str) -> Namespace:
    """A new namespace under the strictest pod security; it is not opted in yet."""
    api = Api(connect(kubeconfig()))
    metadata = {"name": name, "labels": LABELS}
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, manager="demo")
    return Namespace(name, api, Kubectl(name))


def kubeconfig() -> str:
    return os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
