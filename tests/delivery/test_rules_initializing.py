"""Adopting: primary ready, routers open, apex moved, old connections ended, target at zero."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.apex import ROUTER_SELECTOR
from delivery.canary import Phase, Status
from delivery.observation import Routers
from delivery.rules import initializing
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.scenes import NOW, decided, half, seen, silent, stepped, texts
from tests.delivery.worlds import merged

NEW = Status()
BEGUN = Status(
    phase=Phase.INITIALIZING,
    observed="v1",
    promoted="v1",
    replicas=3,
    ports={"80": 20001},
    apex="web",
)
MOVED = replace(BEGUN, apex_moved=NOW - 5.0)
SHUT = Routers(1, frozenset())
ROUTED: Document = {"spec": {"selector": {"app": None, **ROUTER_SELECTOR}}}


def unadopted(**changes: Any) -> Any:
    return replace(seen(scale=3), **{"primary": None, "serving": "v1", **changes})


def routed(**changes: Any) -> Any:
    return replace(seen(scale=3), apex=merged(worlds.service(), ROUTED), **changes)


def test_a_rollout_under_way_is_waited_for_without_an_event() -> None:
    under_way = ("a rollout is under way: 1 of 3",)
    found = decided(initializing.ineligible_is_left_alone, NEW, unadopted(refusals=under_way))
    assert found.reason == "app is not adopted yet: a rollout is under way: 1 of 3"
    assert (found.canary.status.message, found.messages) == (found.reason, ())


def test_an_ineligible_app_is_told_all_the_reasons() -> None:
    look = unadopted(refusals=("it is paused", "it uses a hostPort"))
    found = decided(initializing.ineligible_is_left_alone, NEW, look)
    reason = "app is left alone: it is paused; it uses a hostPort"
    assert texts(found) == [("Warning", reason)]
    assert found.canary.status.phase is Phase.NEW
    assert silent(initializing.ineligible_is_left_alone, NEW, unadopted())


def test_what_serves_now_is_what_was_promoted() -> None:
    look = unadopted(serving="v0")
    found = decided(initializing.adoption_begins, NEW, look).canary.status
    assert (found.phase, found.observed, found.promoted) == (Phase.INITIALIZING, "v0", "v0")
    assert (found.replicas, found.scale, found.apex) == (3, None, "web")
    assert found.phase_since == NOW
    assert set(found.ports) == {"80"}


def test_a_primary_that_is_there_serves_whoever_made_it() -> None:
    look = replace(seen("v2"), primary=half("v1", 4), serving="v2")
    found = decided(initializing.adoption_begins, NEW, look).canary.status
    assert (found.promoted, found.replicas) == ("v1", 4)


def test_an_app_whose_image_names_no_version_is_told_at_its_adoption() -> None:
    floating = {"v1": {"spec": {"containers": [{"image": "web"}]}}}
    found = decided(initializing.adoption_begins, NEW, unadopted(revisions=floating))
    [(kind, text)] = texts(found)
    assert (kind, text.partition(";")[0]) == (
        "Warning",
        "app: no fixed version, so a rollback may bring other bits",
    )
    assert texts(decided(initializing.adoption_begins, NEW, unadopted())) == []


@pytest.mark.parametrize(("known", "wish", "size"), [(7, 5, 7), (None, 5, 5), (None, None, 3)])
def test_the_primary_gets_the_size_that_its_user_wants(
    known: int | None, wish: int | None, size: int
) -> None:
    status = Status(replicas=known)
    found = decided(initializing.adoption_begins, status, unadopted(wish=wish))
    assert found.canary.status.replicas == size


def test_listeners_of_other_apps_are_left_to_them() -> None:
    first = decided(initializing.adoption_begins, NEW, unadopted()).canary.status.ports
    taken = frozenset(first.values())
    second = decided(initializing.adoption_begins, NEW, unadopted(ports_taken=taken))
    assert not taken & set(second.canary.status.ports.values())
    assert set(second.canary.status.ports.values()) <= set(names.LISTENERS)


@pytest.mark.parametrize("missing", ["target", "apex"])
def test_nothing_is_adopted_without_a_deployment_and_a_service(missing: str) -> None:
    look = unadopted(**{missing: None})
    assert silent(initializing.doomed_service_is_awaited, NEW, look)
    assert silent(initializing.adoption_begins, NEW, look)


@pytest.mark.parametrize(
    ("primary", "reason"),
    [
        (half("v1", failing="pod x: ImagePullBackOff"), "pod x: ImagePullBackOff"),
        (half("v1", stuck="over"), "over"),
        (half("v1", waiting="1 of 3"), "1 of 3"),
        (half("v1", ready_pods=0), "no pod is ready"),
    ],
)
def test_a_primary_that_is_not_ready_is_awaited(primary: Any, reason: str) -> None:
    found = decided(initializing.primary_is_awaited, BEGUN, seen(primary=primary))
    assert texts(found) == [("Warning", f"app-primary.shop not ready: {reason}")]


def test_a_primary_that_is_being_created_is_not_complained_about() -> None:
    found = decided(initializing.primary_is_awaited, BEGUN, unadopted())
    assert (found.reason, texts(found)) == ("app-primary.shop is being created", [])
    assert silent(initializing.primary_is_awaited, BEGUN, seen())


def test_routers_are_awaited_until_their_listeners_are_open() -> None:
    found = decided(initializing.routers_are_awaited, BEGUN, seen(routers=SHUT))
    assert texts(found) == [("Warning", "routers of shop not ready: 1 ready")]
    assert silent(initializing.routers_are_awaited, BEGUN, seen())
    assert silent(initializing.routers_are_awaited, MOVED, seen(routers=SHUT))


def test_the_apex_moves_once() -> None:
    found = decided(initializing.apex_moves, BEGUN, seen())
    assert found.canary.status == replace(BEGUN, apex_moved=NOW)
    assert silent(initializing.apex_moves, MOVED, seen())


@pytest.mark.parametrize("apex", [None, worlds.service()])
def test_the_time_to_settle_begins_when_the_apex_has_moved(apex: Any) -> None:
    found = decided(initializing.old_connections_drain, MOVED, seen(apex=apex))
    assert found.canary.status == replace(MOVED, apex_moved=NOW)


@pytest.mark.parametrize(("ago", "scale"), [(4.9, None), (5.0, 0), (60.0, 0)])
def test_the_target_goes_to_zero_when_every_node_has_followed(
    ago: float, scale: int | None
) -> None:
    status = replace(BEGUN, apex_moved=NOW - ago)
    found = decided(initializing.old_connections_drain, status, routed())
    assert found.canary.status == replace(status, scale=scale)


def test_the_target_goes_to_zero_once() -> None:
    assert silent(initializing.old_connections_drain, replace(MOVED, scale=0), routed())


def test_adoption_is_done_when_the_target_is_at_zero_and_free() -> None:
    status = replace(MOVED, scale=0)
    found = decided(initializing.initialization_is_done, status, seen())
    assert texts(found) == [("Normal", "Initialization done! web.shop")]
    assert found.canary.status.phase is Phase.INITIALIZED


@pytest.mark.parametrize("target", [None, half("v1", 3), half("v1", 0, on_hold=True)])
def test_adoption_is_not_done_before(target: Any) -> None:
    assert silent(initializing.initialization_is_done, MOVED, seen(target=target))


LATE = replace(BEGUN, phase_since=NOW - 60.0)
PENDING = half("v1", ready_pods=0, waiting="0 of 3 are available")


@pytest.mark.parametrize(
    ("status", "primary", "why"),
    [
        (LATE, None, "it could not be created"),
        (LATE, PENDING, "0 of 3 are available"),
        (
            LATE,
            half("v1", failing="pod x: CrashLoopBackOff", waiting="w"),
            "pod x: CrashLoopBackOff",
        ),
        (BEGUN, replace(PENDING, stuck="exceeded"), "exceeded"),
    ],
)
def test_an_adoption_that_comes_to_nothing_is_given_up_and_the_app_given_back(
    status: Status, primary: Any, why: str
) -> None:
    look = replace(seen("v2", scale=3), primary=primary)
    found = decided(initializing.stuck_adoption_is_given_up, status, look)
    after = found.canary.status
    assert (after.phase, after.given_up, after.scale) == (Phase.TERMINATING, 1, 3)
    assert after.observed == after.promoted == "v1", "what came meanwhile is not refused"
    text = f"Adoption of app.shop is given up, app-primary.shop not ready: {why}"
    assert texts(found) == [("Warning", text)]


@pytest.mark.parametrize(
    ("status", "primary"),
    [
        (BEGUN, None),
        (replace(BEGUN, phase_since=None), None),
        (replace(LATE, phase_since=NOW - 59.0), PENDING),
        (LATE, half("v1", waiting="1 of 3", ready_pods=1)),
        (LATE, half("v1")),
    ],
    ids=["begun", "begun once", "in time", "it still grows", "it is ready"],
)
def test_an_adoption_that_may_still_succeed_goes_on(status: Status, primary: Any) -> None:
    look = replace(seen(scale=3), primary=primary)
    assert silent(initializing.stuck_adoption_is_given_up, status, look)


def test_one_pod_is_wanted_back_where_no_wish_is_known() -> None:
    look = replace(seen(scale=3), primary=None)
    found = decided(initializing.stuck_adoption_is_given_up, replace(LATE, replicas=None), look)
    assert found.canary.status.scale == 1


PARKED = Status(given_up=1, failed="v1", phase_since=NOW - 599.0, message="app is left alone: …")


def test_an_adoption_that_was_given_up_is_not_tried_again_at_once() -> None:
    found = stepped(PARKED, unadopted(refusals=("it is paused",)))
    assert (found.canary.status.phase, found.reason) == (Phase.NEW, PARKED.message)
    assert found.canary.status.message == PARKED.message


@pytest.mark.parametrize(
    ("changes", "revision", "kept"),
    [({"phase_since": NOW - 600.0}, "v1", 1), ({"phase_since": None}, "v1", 1), ({}, "v2", 0)],
    ids=["after a pause", "never noted", "with another template"],
)
def test_it_is_tried_again_later_or_when_it_has_changed(
    changes: dict[str, Any], revision: str, kept: int
) -> None:
    look = unadopted(target=half(revision), serving=revision)
    after = stepped(replace(PARKED, **changes), look).canary.status
    assert (after.phase, after.given_up, after.failed) == (Phase.INITIALIZING, kept, "")


def test_nothing_that_is_not_there_is_waited_for() -> None:
    look = unadopted(target=None)
    assert silent(initializing.given_up_adoption_waits, PARKED, look)


def test_an_adoption_that_succeeds_forgets_those_that_did_not() -> None:
    done = replace(MOVED, scale=0, given_up=3)
    look = seen(scale=0)
    found = decided(initializing.initialization_is_done, done, look)
    assert found.canary.status.given_up == 0
