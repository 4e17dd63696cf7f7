"""What the programs may do, by the API server's own answer."""

import pytest

from delivery import names
from demo.install import SYSTEM, WEBHOOK
from demo.kubectl import Kubectl
from demo.namespace import Namespace
from demo.waiting import eventually


@pytest.fixture
def bound(namespace: Namespace) -> Namespace:
    """Opted in without a single pod: the rights are there."""
    namespace.kubectl("create", "quota", "still", "--hard=pods=0")
    namespace.opt_in()
    eventually("its rights are there", lambda: namespace.found("RoleBinding", names.AGENT))
    return namespace


WEBHOOK_USER = f"--as=system:serviceaccount:{SYSTEM}:{WEBHOOK}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (f"get secrets/outrider-webhook-tls -n {SYSTEM}", True),
        (f"get secrets/other -n {SYSTEM}", False),
        (f"list secrets -n {SYSTEM}", False),
        (f"create secrets -n {SYSTEM}", False),
        ("get secrets/outrider-webhook-tls -n default", False),
        ("list secrets -A", False),
        ("create deployments.apps/outrider-agent -n default", True),
        ("create deployments.apps/other -n default", False),
        ("patch deployments.apps/other -n default", False),
        ("create deployments.apps -n default", False),
        ("create pods -n default", False),
        ("delete deployments.apps/outrider-agent -n default", False),
        ("create rolebindings.rbac.authorization.k8s.io/outrider-agent -n default", True),
        ("create rolebindings.rbac.authorization.k8s.io/other -n default", False),
        ("bind clusterroles.rbac.authorization.k8s.io/outrider-agent", True),
        ("bind clusterroles.rbac.authorization.k8s.io/cluster-admin", False),
        ("escalate clusterroles.rbac.authorization.k8s.io/outrider-agent", False),
        ("create mutatingwebhookconfigurations.admissionregistration.k8s.io/other", False),
        ("list namespaces", True),
        ("list deployments.apps -A", False),
        ("list deployments.apps/flagger -A", True),
        ("get deployments.apps/flagger -n default", False),
        ("patch namespaces", False),
    ],
)
def test_what_the_webhook_may(cluster: None, words: str, expected: bool) -> None:
    said = Kubectl().attempt("auth", "can-i", *words.split(), WEBHOOK_USER)
    assert (said.status == 0) is expected


@pytest.mark.parametrize(
    ("words", "own", "other"),
    [
        ("patch deployments.apps", True, False),
        ("create services", True, False),
        ("list pods", True, False),
        ("update canaries.flagger.app --subresource=status", True, False),
        ("get secrets", False, False),
        ("create pods", False, False),
        ("create rolebindings.rbac.authorization.k8s.io", False, False),
        ("update leases.coordination.k8s.io/outrider-agent", True, False),
        ("update leases.coordination.k8s.io/other", False, False),
    ],
)
def test_what_an_agent_may(bound: Namespace, words: str, own: bool, other: bool) -> None:
    user = f"--as=system:serviceaccount:{bound.name}:{names.AGENT}"
    for place, expected in ((bound.name, own), ("default", other)):
        said = bound.kubectl.attempt("auth", "can-i", *words.split(), user, "-n", place)
        assert (said.status == 0) is expected, place
