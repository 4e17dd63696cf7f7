"""What cannot run, is replaced in mid-release or gets no traffic: users stay where they are."""

import pytest

from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release, released
from demo.shop import Shop
from demo.waiting import always, eventually
from tests.system.canaries import (
    BAD,
    BETTER,
    GOOD,
    NOT_READY,
    PATIENT,
    SMALL,
    analysis,
    canary,
    changed,
    container,
    managed,
    reaches,
    said,
    says,
)
from tests.system.load import Load, losses

pytestmark = pytest.mark.settled

PROBE = {"httpGet": {"path": "/healthz", "port": 1}, "periodSeconds": 1}
BROKEN: dict[str, JSON] = {
    "CrashLoopBackOff": {"command": ["python", "-c", "raise SystemExit('no')"]},
    "ImagePullBackOff": {"image": "localhost/outrider/shop:missing"},
    "ErrImageNeverPull": {"image": "localhost/none:1", "imagePullPolicy": "Never"},
    "10s are over": {"readinessProbe": PROBE},
}
"""What keeps a canary from running, by the reason that is given."""
DEADLINES = {"10s are over": 10}
"""Where nothing but time says it."""


def breaks(place: Namespace, reason: str) -> None:
    """Apply what is broken in this way, and see it refused for just that."""
    release = Release(place)
    place.kubectl.apply(container(GOOD.manifests(), **BROKEN[reason]))
    status = release.finished().status
    assert (status["phase"], status["failedHash"]) == ("Failed", status["observedHash"])
    why = status["message"]
    assert reason in why
    assert why.startswith(f"canary deployment shop.{place.name} {NOT_READY}")
    eventually("it is told", lambda: why in [one["message"] for one in place.list("Event")])


@pytest.mark.minutes
def test_a_canary_that_cannot_run_is_refused_with_its_reason_and_the_next_one_released(
    namespace: Namespace, load: Load
) -> None:
    managed(namespace, canary())
    clients = load(namespace, *PATIENT)
    for reason in BROKEN:
        changed(namespace, {"progressDeadlineSeconds": DEADLINES.get(reason)})
        breaks(namespace, reason)
    changed(namespace, {"progressDeadlineSeconds": None})
    assert released(namespace, GOOD).outcome == "promoted"
    assert losses(clients) == []


def reaches_weight(place: Namespace, shop: Shop, weight: int) -> Release:
    release = Release(place)
    place.kubectl.apply(shop.manifests())
    release.weighs(weight)
    return release


STARTED_OVER = [
    ("Normal", "New revision detected! Restarting analysis for shop"),
    ("Normal", "Starting canary analysis for shop"),
    ("Normal", "Advance shop canary weight 20"),
]


def test_a_newer_revision_starts_over_and_the_promoted_one_rolls_back(
    namespace: Namespace, load: Load
) -> None:
    managed(namespace, canary(analysis=analysis(interval="1m")))
    load(namespace, *PATIENT)
    reaches_weight(namespace, GOOD, 20)
    reaches_weight(namespace, BETTER, 20)
    eventually("the start over is told", lambda: said(namespace)[-3:] == STARTED_OVER)
    namespace.kubectl.apply(SMALL.manifests())
    status = reaches(namespace, "Failed")
    assert status["message"] == (
        f"Rolling back shop.{namespace.name} the promoted revision was applied again"
    )
    failed = ("Warning", "Canary failed! Scaling down shop")
    eventually("the end is told", lambda: said(namespace)[-1] == failed)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("first", "phase"),
    [
        (GOOD, "Promoting"),
        (GOOD, "Finalising"),
        (BAD, "Failed"),
    ],
)
def test_a_revision_that_comes_late_in_a_release_is_the_next_one(
    namespace: Namespace, load: Load, first: Shop, phase: str
) -> None:
    managed(namespace, canary(analysis=analysis(stepWeights=[50])))
    load(namespace, *PATIENT)
    namespace.kubectl.apply(first.manifests())
    before = reaches(namespace, phase)["observedHash"]
    namespace.kubectl.apply(BETTER.manifests())
    eventually("the next one is taken up", lambda: namespace.status()["observedHash"] != before)
    assert reaches(namespace, "Succeeded")["promotedHash"] != before


@pytest.mark.soak
def test_without_traffic_a_release_holds_and_says_why(namespace: Namespace, load: Load) -> None:
    managed(namespace, canary())
    release = Release(namespace)
    namespace.kubectl.apply(GOOD.manifests())
    says(
        namespace,
        "Halt advancement no values found for envoy metric request-success-rate "
        f"probably shop.{namespace.name} is not receiving traffic",
    )
    always("it holds", lambda: namespace.status()["phase"] == "Progressing", seconds=4)
    assert namespace.status().get("failedChecks") == 0
    load(namespace, *PATIENT)
    assert release.finished().outcome == "promoted"
