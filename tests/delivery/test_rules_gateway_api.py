"""A release whose gateway does not follow: it waits, says why, ends, and is taken back at once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from delivery import external, names
from delivery.canary import Canary, Phase, Status
from delivery.decision import Apply
from delivery.observation import Observation, Routes
from delivery.routers.gateway_api import GatewayApi
from delivery.service_words import ServiceWords
from delivery.step import step
from tests.delivery.scenes import BAD, JUDGED, NOW, RELEASING, canary, half, releasing, texts

PARENT = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}
WORDS = ServiceWords(port=80, gateway_refs=(PARENT,))
NOT_READY = (
    "HTTPRoute web.shop parent public is not ready "
    "(status: Unknown, observed generation: 0, current generation: 2)"
)


def routed(status: Status) -> Canary:
    made = canary(status, provider="gatewayapi:v1", external=True, words=WORDS)
    return replace(made, analysis=replace(made.analysis, threshold=1))


def route(found: Canary, **status: Any) -> Mapping[str, Any]:
    """As it is intended, and what a gateway has said of it."""
    (wanted,) = GatewayApi().manifests(found, {})
    metadata = {**wanted["metadata"], "generation": 2, "resourceVersion": "1"}
    return {**wanted, "metadata": metadata, "status": status}


def look(found: Canary, accepted: bool, **changes: Any) -> Observation:
    condition = {"type": "Accepted", "status": "True", "observedGeneration": 2}
    said = {"parents": [{"parentRef": PARENT, "conditions": [condition]}]} if accepted else {}
    own = {
        "metadata": {
            "name": "app-primary",
            "labels": {names.MANAGED_BY: names.OUTRIDER},
            "annotations": {names.ROUTED_BY: "gatewayapi:v1"},
        },
        "spec": {},
    }
    routes = Routes({("HTTPRoute", "web"): route(found, **said)})
    return releasing(routes=routes, services={"app-primary": own}, **changes)


def test_a_route_that_is_not_accepted_holds_the_release_and_is_no_failed_check() -> None:
    found = routed(JUDGED)
    decision = step(found, look(found, accepted=False))
    status = decision.canary.status
    assert (status.canary_weight, status.failed_checks) == (20, 0)
    assert status.unshown_since == NOW
    assert status.message.endswith(NOT_READY)
    after = step(decision.canary, look(found, accepted=True, now=NOW + 5.0)).canary.status
    assert (after.canary_weight, after.shown_since, after.unshown_since) == (40, None, None)


def test_a_bad_release_is_taken_back_whatever_the_gateway_says() -> None:
    found = routed(JUDGED)
    seen = look(found, accepted=False, traffic=BAD)
    decision = step(found, seen)
    assert decision.canary.status.phase is Phase.FAILED
    assert decision.canary.status.canary_weight == 0
    (effect,) = external.effects(decision.canary, seen)
    assert isinstance(effect, Apply)
    (rule,) = effect.manifest["spec"]["rules"]
    assert [one["weight"] for one in rule["backendRefs"]] == [100, 0]


def test_a_gateway_that_never_follows_ends_the_release_by_its_deadline() -> None:
    """And not sooner, however long the release has stood elsewhere before."""
    old = replace(JUDGED, last_check=NOW - 5000.0, phase_since=NOW - 9000.0)
    found = routed(old)
    first = step(found, look(found, accepted=False)).canary
    assert first.status.phase is Phase.PROGRESSING
    later = step(first, look(found, accepted=False, now=NOW + 60.0)).canary
    assert later.status.phase is Phase.PROGRESSING
    ended = step(later, look(found, accepted=False, now=NOW + 61.0))
    assert ended.canary.status.phase is Phase.FAILED
    assert texts(ended)[0] == (
        "Warning",
        f"Rolling back web.shop progress deadline exceeded: {NOT_READY}",
    )


def test_the_first_share_waits_for_the_route_too() -> None:
    found = routed(RELEASING)
    small = half("v2", 1)
    decision = step(found, look(found, accepted=False, target=small))
    assert decision.canary.status.canary_weight == 0
    after = step(found, look(found, accepted=True, target=small))
    assert after.canary.status.canary_weight == 20


def test_without_an_external_router_nothing_is_noted() -> None:
    found = replace(routed(replace(JUDGED, unshown_since=1.0)), external=False)
    assert step(found, look(found, accepted=False)).canary.status.unshown_since is None
