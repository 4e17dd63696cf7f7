"""Other Envoys judge where a Canary names them: here the routers, as if they were not ours."""

import pytest

from delivery.apex import ROUTER_SELECTOR
from delivery.names import ROUTER_OPEN_PORT
from demo.namespace import Namespace
from demo.release import released
from tests.system.canaries import BAD, GOOD, PATIENT, analysis, canary, managed
from tests.system.load import Load, losses

PLAIN = {
    "dialect": "envoy",
    "labels": dict(ROUTER_SELECTOR),
    "port": ROUTER_OPEN_PORT,
    "clusters": {"canary": "shop/80/canary", "primary": "shop/80/primary"},
}


@pytest.mark.soak
def test_a_release_is_judged_by_the_envoys_that_its_canary_names(
    namespace: Namespace, load: Load
) -> None:
    namespace.open_statistics()
    managed(namespace, canary(analysis=analysis(source=PLAIN)))
    clients = load(namespace, *PATIENT)
    refused = released(namespace, BAD)
    assert refused.outcome == "rolled back"
    found = refused.status["source"]
    assert found.startswith(f"envoy on port {ROUTER_OPEN_PORT} of pods with ")
    assert found.endswith(": 2 found")
    assert released(namespace, GOOD).outcome == "promoted"
    assert losses(clients) == []
