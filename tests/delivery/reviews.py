"""AdmissionReviews as the API server sends them, and the object that a patch makes."""

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any

from delivery.admission import Answer, Malformed, Request, envelope, mutated, read

USER = "jane"
AGENT = "system:serviceaccount:shop:outrider-agent"

Document = dict[str, Any]


def deployment(
    annotations: Mapping[str, str] | None = None, *, image: str = "web:1", **spec: Any
) -> Document:
    """A Deployment `web` as it is stored at resourceVersion 7."""
    template = {
        "metadata": {"labels": {"app": "web"} | spec.pop("labels", {})},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "resourceVersion": "7",
            "annotations": dict(annotations or {}),
        },
        "spec": {"replicas": 3, "template": template, **spec},
    }


def service(
    annotations: Mapping[str, str] | None = None,
    selector: Mapping[str, str] | None = None,
    ports: Mapping[int, int | str] | None = None,
) -> Document:
    listed = [{"port": port, "targetPort": to} for port, to in (ports or {80: 8080}).items()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "web",
            "resourceVersion": "7",
            "annotations": dict(annotations or {}),
        },
        "spec": {"selector": dict(selector or {"app": "web"}), "ports": listed},
    }


def review(
    asked: Any, stored: Any = None, *, user: str = USER, operation: str | None = None
) -> Document:
    kind = asked.get("kind", "") if isinstance(asked, Mapping) else ""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1234",
            "kind": {"kind": kind},
            "operation": operation or ("UPDATE" if stored else "CREATE"),
            "namespace": "shop",
            "name": "web",
            "userInfo": {"username": user},
            "object": asked,
            "oldObject": stored,
        },
    }


def request(asked: Any, stored: Any = None, *, user: str = USER) -> Request:
    found = read(review(asked, stored, user=user))
    assert not isinstance(found, Malformed)
    return found


def answer(asked: Any, stored: Any = None, *, user: str = USER) -> Answer:
    return mutated(request(asked, stored, user=user))


def admitted(asked: Any, stored: Any = None, *, user: str = USER) -> Document:
    """The object as the API server would store it."""
    said = envelope("1234", answer(asked, stored, user=user))["response"]
    return patched(asked, json.loads(base64.b64decode(said.get("patch", "W10="))))


def patched(document: Document, operations: Any) -> Document:
    """RFC 6902 as far as admission uses it: add and remove."""
    whole = {"": copy.deepcopy(document)}
    for operation in operations:
        place: Any = whole
        *parents, last = [unescaped(key) for key in operation["path"].split("/")]
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        if operation["op"] == "remove":
            del place[last]
        else:
            place[last] = operation["value"]
    return whole[""]


def unescaped(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")
