"""Which words put a namespace or its pods into a service mesh, that splits traffic by itself."""

from collections.abc import Mapping
from typing import Any

OF_NAMESPACES = (
    "istio-injection",
    "istio.io/rev",
    "istio.io/dataplane-mode",
    "linkerd.io/inject",
    "kuma.io/sidecar-injection",
    "consul.hashicorp.com/connect-inject",
    "openservicemesh.io/sidecar-injection",
)
"""Labels or annotations: Linkerd's and Open Service Mesh's are annotations."""
OF_PODS = ("sidecar.istio.io/inject", *OF_NAMESPACES[1:])
OUT = ("disabled", "none", "false")
"""Values that keep out of a mesh."""


def of_namespace(namespace: Mapping[str, Any]) -> str:
    """The word that puts a namespace into a mesh, empty without one."""
    return named(namespace.get("metadata") or {}, OF_NAMESPACES)


def of_pods(template: Mapping[str, Any]) -> str:
    return named(template.get("metadata") or {}, OF_PODS)


def named(metadata: Mapping[str, Any], words: tuple[str, ...]) -> str:
    said = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
    return next((word for word in words if said.get(word, OUT[0]) not in OUT), "")
