"""An app as its user writes it, and what a patch makes of it."""

from collections.abc import Mapping
from typing import Any

from tests.delivery.reviews import Document


def template(image: str) -> Document:
    port = {"name": "http", "containerPort": 8080}
    container = {"name": "web", "image": image, "ports": [port]}
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}


def deployment(image: str = "good:1", replicas: int = 3) -> Document:
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"type": "RollingUpdate"},
        "template": template(image),
    }
    return {"kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def service() -> Document:
    port = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
    spec = {"selector": {"app": "web"}, "ports": [port], "clusterIP": "10.0.0.1"}
    return {"kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def merged(found: Any, patch: Mapping[str, Any]) -> Document:
    """RFC 7396."""
    kept = dict(found) if isinstance(found, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = merged(kept.get(key), value) if isinstance(value, Mapping) else value
    return kept
