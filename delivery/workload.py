"""The pair: what a primary looks like, and the Services that tell its halves apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from delivery import names
from delivery.canary import Canary
from delivery.hashing import stripped

Manifest = dict[str, Any]

NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "argocd.argoproj.io/",
    "meta.helm.sh/",
    "app.kubernetes.io/managed-by",
    # Argo CD may know its resources by it, and would prune a copy that is not in Git.
    "app.kubernetes.io/instance",
    names.PREFIX,
)
"""Keys that say who manages the original: a copy that carried them would be fought over."""

RECREATE = {"type": "Recreate"}
"""A strategy that the primary never takes over: it would leave users without a pod."""


def copied(keys: Mapping[str, str] | None) -> dict[str, str]:
    """Labels or annotations fit for a copy."""
    return {
        key: value
        for key, value in (keys or {}).items()
        if not key.startswith(NOT_COPIED) and "toolkit.fluxcd.io" not in key
    }


def marks(canary: Canary) -> dict[str, str]:
    """The labels of everything that we create for one app."""
    return {names.APP: canary.target, names.MANAGED_BY: names.OUTRIDER}


def primary_labels(target: Mapping[str, Any]) -> dict[str, str]:
    """What a new primary selects its pods by: the user's labels and the role."""
    return {**target["spec"]["selector"]["matchLabels"], names.ROLE: names.PRIMARY}


def primary_template(
    template: Mapping[str, Any], selector: Mapping[str, str], app: str
) -> Manifest:
    """The user's pod template, with all its labels and the primary's selector on top.

    Nothing of it is left out: the primary must show the revision that was analysed.
    """
    clean = stripped(template)
    metadata = dict(clean.get("metadata") or {})
    labels = {**(metadata.get("labels") or {}), **selector}
    labels |= {names.ROLE: names.PRIMARY, names.APP: app}
    metadata["labels"] = labels
    return {**clean, "metadata": metadata}


def primary(
    canary: Canary,
    target: Mapping[str, Any],
    *,
    template: Mapping[str, Any],
    selector: Mapping[str, str],
    replicas: int,
) -> Manifest:
    """The clone that serves users, as the agent applies it."""
    spec = target["spec"]
    kept = ("strategy", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": names.primary_name(canary.target),
            "namespace": canary.namespace,
            "labels": copied(target["metadata"].get("labels"))
            | marks(canary)
            | {names.ROLE: names.PRIMARY},
        },
        "spec": {
            **{key: spec[key] for key in kept if key in spec and spec[key] != RECREATE},
            "replicas": replicas,
            "selector": {"matchLabels": dict(selector)},
            "template": primary_template(template, selector, canary.target),
        },
    }


def named(ports: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Of several ports each must have a name."""
    if len(ports) < 2:
        return ports
    return [{"name": f"port-{port['port']}", **port} for port in ports]


def role_service(
    canary: Canary, role: str, *, selector: Mapping[str, str], ports: Any, router: str = ""
) -> Manifest:
    """The Service of one half, `S-primary` or `S-canary`, with the apex's ports, and what its user
    wants to be written on it.

    `router` names the external one whose objects lead to it.
    """
    name = names.suffixed(canary.service or canary.target, role)
    kept = ("name", "port", "targetPort", "protocol", "appProtocol")
    said = canary.words.primary if role == names.PRIMARY else canary.words.canary
    written = {**(said.get("annotations") or {}), **({names.ROUTED_BY: router} if router else {})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": canary.namespace,
            "labels": {**(said.get("labels") or {}), **marks(canary), names.ROLE: role},
            **({"annotations": written} if written else {}),
        },
        "spec": {
            "type": "ClusterIP",
            "selector": dict(selector),
            "ports": [{key: port[key] for key in kept if key in port} for port in named(ports)],
        },
    }
