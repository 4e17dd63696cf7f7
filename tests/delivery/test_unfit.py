"""What the namespace holds beside an app: why it is refused, and why it cannot stay managed."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import apex
from delivery.canary import Phase, Status
from delivery.eligibility import Neighbours, is_passing, unfit
from delivery.observation import Observation
from delivery.obstacles.drivers import ARGO
from delivery.obstacles.grounds import Grounds, Sighting
from delivery.rules import leaving
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.scenes import (
    IDLE,
    JUDGED,
    NOW,
    PROMOTING,
    REFUSED,
    canary,
    decided,
    releasing,
    seen,
    silent,
    stepped,
    texts,
)
from tests.delivery.test_eligibility import SCALER, pod, running, said
from tests.delivery.test_rules_leaving import CLEAN, CLEARING, WHY
from tests.delivery.worlds import merged

SMALL = {
    "metadata": {"name": "small"},
    "spec": {"hard": {"pods": "1"}},
    "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}},
}
CLOSED = {"metadata": {"name": "closed"}, "spec": {"podSelector": {}}}
WEB = {"kind": "Deployment", "name": "web"}
DRIVEN = {"metadata": {"name": "one"}, "spec": {"workloadRef": WEB}}


@pytest.mark.parametrize(
    ("grounds", "start"),
    [
        (Grounds(quotas=[SMALL]), "ResourceQuota small has no room"),
        (Grounds(policies=[CLOSED]), "NetworkPolicy closed refuses the routers on port 8080"),
        (Grounds(drivers={ARGO: Sighting([DRIVEN])}), "Rollout of Argo one drives it"),
        (Grounds(drivers={ARGO: Sighting(unknown="it cannot be known")}), "it cannot be known"),
        (Grounds(flagger="tools/flagger"), "Flagger (Deployment flagger of namespace tools)"),
    ],
)
def test_what_the_namespace_holds_beside_it_is_a_reason(grounds: Grounds, start: str) -> None:
    assert said(running(), grounds=grounds)[0].startswith(start)


@pytest.mark.parametrize(
    ("reason", "passing"),
    [("a rollout is under way: 1", True), ("not known yet: x", True), ("it is paused", False)],
)
def test_a_reason_that_ends_by_itself_is_known_by_its_beginning(reason: str, passing: bool) -> None:
    assert is_passing(reason) is passing


def left(change: Document | None = None, **found: Any) -> tuple[str, ...]:
    """Why an app that is managed cannot stay so."""
    deployment = running(change)
    around = Neighbours([worlds.service()], (deployment,), **{"autoscalers": (), **found})
    return unfit(deployment, around, worlds.template("good:1"))


RECREATE = {"spec": {"strategy": {"type": "Recreate"}}}


@pytest.mark.parametrize(
    ("change", "found", "reasons"),
    [
        ({}, {}, 0),
        (RECREATE, {}, 1),
        ({}, {"autoscalers": [SCALER]}, 1),
        ({}, {"mesh": "istio-injection"}, 1),
        ({}, {"grounds": Grounds(drivers={ARGO: Sighting([DRIVEN])})}, 1),
        ({}, {"grounds": Grounds(drivers={ARGO: Sighting(unknown="it cannot be known")})}, 0),
        ({}, {"grounds": Grounds(quotas=[SMALL], flagger="tools/flagger")}, 0),
        ({"spec": {"paused": True, "replicas": 0}}, {}, 0),
        (pod(hostNetwork=True), {}, 0),
    ],
    ids=[
        "fit",
        "strategy",
        "autoscaler",
        "mesh",
        "driver",
        "what could not be read",
        "what only adopting needs",
        "what we do ourselves",
        "a revision that does not serve",
    ],
)
def test_a_managed_app_becomes_unfit_only_by_what_lasts(
    change: Document, found: dict[str, Any], reasons: int
) -> None:
    assert len(left(change, **found)) == reasons


def test_what_is_judged_is_the_revision_that_serves() -> None:
    around = Neighbours([worlds.service()], (running(),), ())
    serving = merged(worlds.template("good:1"), {"spec": {"hostNetwork": True}})
    (found,) = unfit(running(), around, serving)
    assert found.startswith("it uses the host's network")


def test_a_range_of_addresses_makes_nobody_unfit_while_no_router_runs() -> None:
    block = [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
    ranged = {"metadata": {"name": "r"}, "spec": {"podSelector": {}, "ingress": block}}
    assert left(grounds=Grounds(policies=[ranged])) == ()
    assert left(grounds=Grounds(policies=[ranged], routers=("192.0.2.1",))) != ()


UNFIT = ("HorizontalPodAutoscaler hpa scales it",)


@pytest.mark.parametrize("phase", [Phase.INITIALIZED, Phase.SUCCEEDED, Phase.FAILED])
def test_an_app_that_is_no_longer_fit_leaves_between_releases(phase: Phase) -> None:
    found = stepped(replace(IDLE, phase=phase), seen(unfit=UNFIT))
    assert found.canary.status.phase is Phase.TERMINATING
    assert texts(found) == [
        ("Warning", "app is given back: HorizontalPodAutoscaler hpa scales it"),
        ("Normal", "Terminating canary web.shop"),
    ]


@pytest.mark.parametrize(
    ("status", "look"),
    [
        (JUDGED, releasing()),
        (PROMOTING, releasing()),
        (IDLE, seen("v2")),
        (replace(REFUSED, canary_weight=50), releasing()),
        (replace(IDLE, stopped=True), seen()),
        (IDLE, seen(target=None)),
        (Status(), seen()),
    ],
    ids=[
        "judged",
        "promoting",
        "a release waits",
        "users not back",
        "stopped",
        "no target",
        "not adopted",
    ],
)
def test_what_is_under_way_is_brought_to_its_end_first(status: Status, look: Observation) -> None:
    assert silent(leaving.unfit_app_leaves, status, replace(look, unfit=UNFIT))


def test_an_app_that_is_fit_stays() -> None:
    assert silent(leaving.unfit_app_leaves, IDLE, seen())


def test_a_revision_that_waits_is_released_also_when_the_app_is_no_longer_fit() -> None:
    found = stepped(IDLE, seen("v2", unfit=UNFIT))
    assert found.canary.status.phase is Phase.PROGRESSING


def test_a_pair_that_stands_where_routers_must_not_is_given_back_from_where_it_leads() -> None:
    adopting = replace(IDLE, phase=Phase.INITIALIZING, scale=None, apex_moved=None)
    found = stepped(adopting, seen(unfit=UNFIT))
    assert found.canary.status.phase is Phase.TERMINATING
    assert found.messages[0].text.startswith("app is given back: ")
    moved = replace(adopting, apex_moved=NOW - 1.0)
    assert silent(leaving.unfit_app_is_not_moved, moved, seen(unfit=UNFIT))


def test_an_unfit_app_is_not_moved_to_the_routers_unless_its_canary_has_users() -> None:
    at_primary = {"app": "app", "outrider.dev/role": "primary"}
    for status, selector in ((IDLE, at_primary), (JUDGED, apex.ROUTER_SELECTOR)):
        route = apex.wanted_route(canary(status), seen(unfit=UNFIT), worlds.service())
        assert route is not None
        assert route["selector"] == selector


def test_an_unfit_app_whose_releases_are_suspended_leaves_all_the_same() -> None:
    found = stepped(IDLE, seen(unfit=UNFIT), suspend=True)
    assert found.canary.status.phase is Phase.TERMINATING


def test_who_has_left_for_a_reason_stays_out_while_it_holds() -> None:
    gone = replace(CLEARING, phase=Phase.TERMINATED)
    out = decided(leaving.return_begins_anew, gone, seen(unfit=UNFIT))
    assert (out.canary.status, out.reason) == (gone, f"app is left alone: {UNFIT[0]}")


GIVEN_UP = replace(CLEARING, given_up=2)


def test_an_app_whose_adoption_was_given_up_is_new_but_for_what_is_known_of_it() -> None:
    found = decided(leaving.nothing_of_ours_is_left, GIVEN_UP, CLEAN)
    text = "app is left alone: its clone did not become ready in time, tried again in 20 min"
    known = Status(given_up=2, failed="v1", phase_since=NOW, message=f"{text} or when changed")
    assert found.canary.status == known
    assert texts(found) == [("Warning", f"{text} or when changed")]


def test_who_leaves_by_word_is_not_tried_again() -> None:
    found = decided(leaving.nothing_of_ours_is_left, GIVEN_UP, replace(CLEAN, leaving=WHY))
    assert found.canary.status.phase is Phase.TERMINATED
