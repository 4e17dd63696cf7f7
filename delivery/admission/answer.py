"""What admission answers, and how it is said to the API server."""

import base64
import json
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from delivery.admission.patch import Operation

WARNING_LIMIT = 256
"""Longer warnings may be cut by the API server, which passes on no more than 4096 in all."""
MORE = " …"
"""At the end of a part that goes on: half a command might be another one that is valid."""


@dataclass(frozen=True)
class Answer:
    """A decision in one word, the patch, what the user is told; `denial` refuses the request."""

    decision: str
    operations: tuple[Operation, ...] = ()
    warnings: tuple[str, ...] = ()
    hash: str = ""
    denial: str = ""


def envelope(uid: str, answer: Answer) -> dict[str, Any]:
    """The AdmissionReview that carries an answer."""
    audit = {"decision": answer.decision} | ({"hash": answer.hash} if answer.hash else {})
    response: dict[str, Any] = {"uid": uid, "allowed": not answer.denial, "auditAnnotations": audit}
    if answer.operations:
        patch = json.dumps(answer.operations, separators=(",", ":")).encode()
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
    if answer.warnings:
        response["warnings"] = [part for one in answer.warnings for part in parts(one)]
    if answer.denial:
        response["status"] = {"code": 422, "reason": "Invalid", "message": answer.denial}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def parts(warning: str) -> list[str]:
    """All of it, in as many warnings as it takes; a word is whole in one of them."""
    if len(warning) <= WARNING_LIMIT:
        return [warning]
    width = WARNING_LIMIT - len(MORE)
    *first, last = wrap(warning, width, break_long_words=False, break_on_hyphens=False)
    return [*(part + MORE for part in first), last]
