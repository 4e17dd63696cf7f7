"""What others do to the clone that serves is put back; what an apply could not write is kept."""

import pytest

from delivery.names import PROMOTED
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import released
from demo.shop import Shop
from demo.waiting import eventually
from tests.system.canaries import PATIENT, canary, managed
from tests.system.load import Load, losses
from tests.system.test_by_hand import told

PUT_BACK = (
    "Deployment shop-primary was changed by somebody else, and is put back: what it runs is what "
    "was promoted; change Deployment shop instead"
)
TWICE = {"name": "TWICE", "value": "the last one counts"}


class Doubled(Shop):
    """Kubernetes takes a name twice, with a warning; a server-side apply does not."""

    def manifests(self) -> list[JSON]:
        deployment, service = super().manifests()
        deployment["spec"]["template"]["spec"]["containers"][0]["env"] += [TWICE, TWICE]
        return [deployment, service]


def template(place: Namespace, half: str = "shop-primary") -> JSON:
    found: JSON = place.read("Deployment", half)["spec"]["template"]
    return found


def environment(place: Namespace, half: str = "shop-primary") -> list[JSON]:
    found: list[JSON] = template(place, half)["spec"]["containers"][0]["env"]
    return found


@pytest.mark.settled
def test_a_primary_that_is_restarted_by_hand_goes_back_and_the_next_release_is_promoted(
    namespace: Namespace, load: Load
) -> None:
    managed(namespace, canary(), Doubled(replicas=1))
    assert environment(namespace).count(TWICE) == 2
    client = load(namespace, *PATIENT)
    before = template(namespace)
    namespace.kubectl("rollout", "restart", "deployment/shop-primary")
    told(namespace, "Warning", PUT_BACK)
    eventually("it is as it was", lambda: template(namespace) == before, timeout=20)
    assert released(namespace, Doubled(version="v2", replicas=1)).outcome == "promoted"
    assert environment(namespace) == environment(namespace, "shop")
    assert losses(client) == []
    kept = namespace.read("PodTemplate", "shop-primary")
    assert kept["metadata"]["annotations"][PROMOTED] == namespace.status()["promotedHash"]
