"""What admission keeps the webhook from, whatever its rights are: tried under its name."""

import json
from typing import Any

from cluster.errors import ClusterError
from delivery import names
from delivery.optin import namespace_parts
from delivery.programs import Programs
from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import JSON
from demo.namespace import Namespace
from tests.system.test_rights import impersonating

Change = tuple[str, str, tuple[str | int, ...], Any]
"""Kind and name of a part, a path in it, and what is to stand there."""


def refusal(manifest: JSON) -> str:
    """What the API server says when the webhook would apply this; empty where it may."""
    try:
        impersonating(f"system:serviceaccount:{SYSTEM}:{WEBHOOK}").apply(
            manifest, manager=names.WEBHOOK_MANAGER, dry=True
        )
    except ClusterError as error:
        if error.status not in (403, 422):
            raise
        return str(error)
    return ""


def parts(place: str) -> list[JSON]:
    return [json.loads(json.dumps(one)) for one in namespace_parts(place, Programs("a", "b"))]


def test_the_webhook_makes_its_parts_where_the_label_is_and_nowhere_else(
    bound: Namespace, plain_namespace: Namespace
) -> None:
    assert [refusal(one) for one in parts(bound.name)] == [""] * len(parts(bound.name))
    for place in (plain_namespace.name, "default", "kube-system"):
        said = [refusal(one) for one in parts(place)]
        assert ["outrider.dev/enabled" in one for one in said] == [True] * len(said), said


def changed(place: str, change: Change) -> JSON:
    """A part of ours in which something else stands at one path."""
    kind, name, path, value = change
    (part,) = (
        one for one in parts(place) if (one["kind"], one["metadata"]["name"]) == (kind, name)
    )
    inner: Any = part
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return part


ACCOUNT = {"kind": "ServiceAccount", "name": names.AGENT}
POD = ("spec", "template", "spec")
UNCONFINED = {"allowPrivilegeEscalation": True, "capabilities": {"drop": ["ALL"]}}
FROM_SECRET = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "key"}}}
SIGNS = {"secret": {"name": names.AGENT_TLS, "items": [{"key": "ca.key", "path": "ca.key"}]}}
BEYOND: dict[str, Change] = {
    "another account": ("RoleBinding", names.AGENT, ("subjects",), [{**ACCOUNT, "name": "shop"}]),
    "an account elsewhere": (
        "RoleBinding",
        names.AGENT,
        ("subjects",),
        [{**ACCOUNT, "namespace": "default"}],
    ),
    "a person": (
        "RoleBinding",
        names.AGENT,
        ("subjects",),
        [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}],
    ),
    "the app's account": ("Deployment", names.AGENT, (*POD, "serviceAccountName"), "shop"),
    "a token for a router": ("Deployment", names.ROUTER, (*POD, "serviceAccountName"), names.AGENT),
    "the node's network": ("Deployment", names.AGENT, (*POD, "hostNetwork"), True),
    "a privileged container": (
        "Deployment",
        names.AGENT,
        (*POD, "containers", 0, "securityContext"),
        UNCONFINED,
    ),
    "a Secret as environment": (
        "Deployment",
        names.AGENT,
        (*POD, "containers", 0, "env"),
        [FROM_SECRET],
    ),
    "another Secret": (
        "Deployment",
        names.AGENT,
        (*POD, "volumes"),
        [{"name": "shop", "secret": {"secretName": "shop"}}],
    ),
    "a folder of the node": (
        "Deployment",
        names.AGENT,
        (*POD, "volumes"),
        [{"name": "node", "hostPath": {"path": "/"}}],
    ),
    "what signs": (
        "Deployment",
        names.ROUTER,
        (*POD, "volumes", 1, "projected", "sources"),
        [SIGNS],
    ),
}


def test_the_webhook_makes_nothing_that_gives_more_than_its_parts(bound: Namespace) -> None:
    for what, change in BEYOND.items():
        said = refusal(changed(bound.name, change))
        assert "ValidatingAdmissionPolicy 'outrider-webhook-" in said, (what, said)
