"""What the README says of leaving: by its commands an app is its team's again."""

import pytest

from demo.namespace import Namespace
from demo.shop import V1
from demo.waiting import eventually
from tests.system.load import losses
from tests.system.test_release import Clients, serves_alone


@pytest.mark.usefixtures("calm")
def test_an_app_whose_namespace_leaves_loses_no_request(shop: Namespace, clients: Clients) -> None:
    shop.kubectl("label", "namespace", shop.name, "outrider.dev/enabled-")
    shop.kubectl("wait", "deployment/outrider-agent", "--for=delete", "--timeout=90s", timeout=100)
    serves_alone(shop, "v1")
    eventually("the app alone is left", lambda: names(shop) == ["shop"], timeout=60)
    shop.complete()
    assert shop.kubectl.differences(V1.manifests()) == ""
    assert losses(*clients) == []


def names(place: Namespace) -> list[str]:
    return [one["metadata"]["name"] for one in place.list("Deployment")]
