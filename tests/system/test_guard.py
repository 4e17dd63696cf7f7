"""The guard on real traffic: rolls back by itself, promotes what it has seen, counts once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from delivery.names import AGENT
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release, first_bad, released
from demo.shop import V2, V3
from demo.waiting import eventually
from tests.system.canaries import events_of
from tests.system.conftest import defaults
from tests.system.load import FRESH, Load

pytestmark = pytest.mark.settled

SLOWLY = {"requestDuration": "5s", "interval": "30s", "stepWeight": "25", "threshold": "100"}
"""Checks that neither judge soon nor count: what happens soon is the guard's doing."""


@pytest.fixture
def slowly(namespace: Namespace) -> None:
    namespace.kubectl.apply([defaults(SLOWLY)])


def told(place: Namespace) -> list[str]:
    return [event["message"] for event in events_of(place, "Canary", "shop")]


@pytest.mark.usefixtures("slowly")
def test_a_bad_release_is_rolled_back_between_two_checks_and_users_are_told_what_they_met(
    shop: Namespace, load: Load, figure: Callable[[str], None]
) -> None:
    client = load(shop, *FRESH)
    release = released(shop, V3)
    answers = client.stop()
    began = first_bad(answers, "v3") or 0
    seconds = (release.weight_zero_after(began) or 0) - began
    figure(f"the guard took a version with 50 % errors off users in {seconds:.1f} s")
    assert release.outcome == "rolled back"
    assert release.status["failedChecks"] == 0
    eventually("it is said", lambda: [one for one in told(shop) if "against 0 % on" in one])
    decision = release.status["lastDecision"]
    metric = next(one for one in decision["metrics"] if one["name"] == "request-success-rate")
    evidence = metric["evidence"]
    assert min(evidence["worseThanPrimary"], evidence["outOfRange"]) >= evidence["needed"]


@pytest.mark.minutes
def test_a_good_release_is_promoted_when_enough_was_seen_and_nothing_is_counted_twice(
    shop: Namespace, load: Load
) -> None:
    """The acting agent dies on the way, so that another goes on from the status."""
    shop.kubectl.apply([defaults({**SLOWLY, "interval": "2s", "guardMinRequests": "200"})])
    client = load(shop, *FRESH, "--rate", "40")
    release = Release(shop)
    shop.kubectl.apply(V2.manifests())
    before = counted(release.weighs(25))
    shop.kubectl("delete", "pod", "-l", f"app.kubernetes.io/name={AGENT}", "--wait=false")
    assert release.finished().outcome == "promoted"
    found = counted(release.status)
    served = sum(answer.version == "v2" for answer in client.stop())
    assert max(200, before["requests"]) <= found["requests"] <= served
    assert found["bad"] == 0


def counted(status: JSON) -> dict[str, int]:
    """The canary's requests in the guard's books."""
    (evidence,) = (
        one for one in status["guard"]["evidence"] if one["metric"] == "request-success-rate"
    )
    found: dict[str, int] = evidence["canary"]
    return found


def test_a_release_that_nobody_calls_says_what_is_missing_and_ends_as_it_is_asked_to(
    shop: Namespace,
) -> None:
    waits = {**SLOWLY, "interval": "1s"}
    shop.kubectl.apply([defaults(waits)])
    release = Release(shop)
    shop.kubectl.apply(V2.manifests())
    missing = "has too few requests for this step: 0 of 20, and none comes"
    eventually("it is said", lambda: any(missing in one for one in told(shop)), timeout=90)
    assert shop.status()["canaryWeight"] == 25
    shop.kubectl.apply([defaults({**waits, "noTraffic": "fail", "noTrafficAfter": "10s"})])
    assert release.finished().outcome == "rolled back"
    unheard = f"shop.{shop.name} no request reached it for 10s"
    eventually("it is said", lambda: f"Rolling back {unheard}" in told(shop))
    shop.kubectl.apply([defaults({**waits, "noTraffic": "promote", "noTrafficAfter": "10s"})])
    assert released(shop, replace(V2, version="v5", replicas=1)).outcome == "promoted"
    eventually("it is said", lambda: f"Promoting {unheard}" in told(shop))
