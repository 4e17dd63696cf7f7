"""What admission needs of an AdmissionReview, or why it is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery import names
from delivery.mapping import mapping


@dataclass(frozen=True)
class Malformed:
    """The body is no AdmissionReview that can be answered."""

    reason: str


@dataclass(frozen=True)
class Request:
    """One request to the API server; `old` is empty unless an object is updated."""

    uid: str
    operation: str
    kind: str
    namespace: str
    name: str
    username: str
    object: Mapping[str, Any]
    old: Mapping[str, Any]

    @property
    def by_agent(self) -> bool:
        return self.username == f"system:serviceaccount:{self.namespace}:{names.AGENT}"

    @property
    def creates(self) -> bool:
        return self.operation == "CREATE"


def read(review: Any) -> Request | Malformed:
    """The request inside a review; odd content of the object itself is no fault."""
    request = mapping(review, "request")
    uid, operation = request.get("uid"), request.get("operation")
    if not isinstance(uid, str) or not uid or not isinstance(operation, str):
        return Malformed("an AdmissionReview has a request with uid and operation")
    if operation in ("CREATE", "UPDATE") and not isinstance(request.get("object"), Mapping):
        return Malformed(f"request.object of {operation} is not an object")
    return Request(
        uid,
        operation,
        text(mapping(request, "kind"), "kind"),
        text(request, "namespace"),
        text(request, "name"),
        text(mapping(request, "userInfo"), "username"),
        mapping(request, "object"),
        mapping(request, "oldObject"),
    )


def text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""
