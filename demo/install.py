"""Installs Outrider into a cluster, with kubectl alone; `python -m demo.install` for the tests."""

import os
from collections.abc import Callable

import yaml

from demo.kubectl import JSON, Kubectl
from demo.shop import PROJECT, image
from demo.waiting import eventually

SYSTEM = "outrider-system"
WEBHOOK = "outrider-webhook"
WRITTEN = PROJECT / ".lab" / "overlay"


def unheard(_line: str) -> None:
    """Nobody wants to hear the commands."""


def install(tell: Callable[[str], None] = unheard) -> None:
    """The two commands of the README, and the wait until admission answers."""
    kubectl = Kubectl(SYSTEM)
    there = kubectl.attempt("get", "deployment", WEBHOOK).status == 0
    for words in (
        ("apply", "--server-side", "-k", "manifests/crds"),
        ("apply", "-k", overlay()),
        # Images built anew have the name of those before them: running pods would keep the old.
        *([("rollout", "restart", f"deployment/{WEBHOOK}")] if there else []),
        ("rollout", "status", f"deployment/{WEBHOOK}", "--timeout=120s"),
    ):
        tell(f"kubectl {' '.join(words)}")
        kubectl(*words, timeout=150)
    eventually("the webhook is registered", lambda: registered(kubectl))


def overlay() -> str:
    """The folder for `kubectl apply -k`: the lab's, or one written for OUTRIDER_REGISTRY."""
    if "OUTRIDER_REGISTRY" not in os.environ:
        return os.path.relpath(PROJECT / "manifests" / "overlays" / "lab")
    WRITTEN.mkdir(parents=True, exist_ok=True)
    (WRITTEN / "kustomization.yaml").write_text(yaml.safe_dump(kustomization(), sort_keys=False))
    return os.path.relpath(WRITTEN)


def kustomization() -> JSON:
    """The base with our images from the registry; Envoy's stays the official one."""
    name, _, tag = image("webhook").rpartition(":")
    agent = {"name": "AGENT_IMAGE", "value": image("agent")}
    pod = {"spec": {"containers": [{"name": "webhook", "env": [agent]}]}}
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": WEBHOOK, "namespace": SYSTEM},
        "spec": {"template": pod},
    }
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(PROJECT / "manifests" / "base", WRITTEN)],
        "images": [{"name": "outrider/webhook", "newName": name, "newTag": tag}],
        "patches": [{"patch": yaml.safe_dump(patch)}],
    }


def registered(kubectl: Kubectl) -> bool:
    found = kubectl.json("get", "mutatingwebhookconfigurations")["items"]
    hooks = [
        hook for one in found for hook in one["webhooks"] if WEBHOOK in one["metadata"]["name"]
    ]
    return bool(hooks) and all(hook["clientConfig"].get("caBundle") for hook in hooks)


if __name__ == "__main__":
    install()
