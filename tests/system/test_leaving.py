"""What the README says of leaving: by these commands an app is its team's again."""

import pytest

from demo.namespace import Namespace
from demo.shop import V1
from tests.system.load import losses
from tests.system.test_release import Clients, serves_alone

MADE = "deployment,service,canary,configmap,pdb,serviceaccount,rolebinding"
OURS = "app.kubernetes.io/managed-by=outrider"


@pytest.mark.usefixtures("calm")
def test_an_app_that_leaves_loses_no_request(shop: Namespace, clients: Clients) -> None:
    shop.kubectl("label", "namespace", shop.name, "outrider.dev/enabled-")
    shop.kubectl("delete", "deployment", "outrider-agent")
    shop.kubectl.apply(V1.manifests())
    shop.complete()
    shop.kubectl("delete", MADE, "-l", OURS, timeout=90)
    serves_alone(shop, "v1")
    assert [one["metadata"]["name"] for one in shop.list("Deployment")] == ["shop"]
    assert losses(*clients) == []
