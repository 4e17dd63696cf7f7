"""Installs Outrider into a cluster, with kubectl alone; `python -m demo.install` for the tests."""

import os
from collections.abc import Callable

from demo.kubectl import Kubectl
from demo.shop import PROJECT
from demo.waiting import eventually

SYSTEM = "outrider-system"
WEBHOOK = "outrider-webhook"


def unheard(_line: str) -> None:
    """Nobody wants to hear the commands."""


def install(tell: Callable[[str], None] = unheard) -> None:
    """The two commands of the README, and the wait until admission answers."""
    kubectl = Kubectl(SYSTEM)
    for words in (
        ("apply", "--server-side", "-k", "manifests/crds"),
        ("apply", "-k", overlay()),
        ("rollout", "status", f"deployment/{WEBHOOK}", "--timeout=120s"),
    ):
        tell(f"kubectl {' '.join(words)}")
        kubectl(*words, timeout=150)
    eventually("the webhook is registered", lambda: registered(kubectl))


def overlay() -> str:
    """The lab's, or one made for the registry that OUTRIDER_REGISTRY names."""
    return os.path.relpath(PROJECT / "manifests" / "overlays" / "lab")


def registered(kubectl: Kubectl) -> bool:
    found = kubectl.json("get", "mutatingwebhookconfigurations")["items"]
    hooks = [
        hook for one in found for hook in one["webhooks"] if WEBHOOK in one["metadata"]["name"]
    ]
    return bool(hooks) and all(hook["clientConfig"].get("caBundle") for hook in hooks)


if __name__ == "__main__":
    install()
