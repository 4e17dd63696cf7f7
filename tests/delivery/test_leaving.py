"""What is to be done to give an app back, in the order that keeps its users served."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery import leaving, names
from delivery.canary import Canary, Phase, Status
from delivery.decision import Annotate, Delete, Disown, Restore
from delivery.hashing import template_hash
from delivery.intent import effects
from delivery.observation import Observation, Workload
from delivery.pair import Objects
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.turns import Agent, look
from tests.delivery.worlds import merged

V1, V2 = (template_hash(worlds.template(f"good:{number}")) for number in (1, 2))
AGENT = Agent().run(15)
SEEN = look(AGENT.canary, AGENT.world)
LEAVING = replace(AGENT.canary.status, phase=Phase.TERMINATING, scale=3)
MOVED = replace(LEAVING, apex_moved=None, drained_since=1.0)
CLEARING = replace(MOVED, scale=None)
ENDED = replace(CLEARING, phase=Phase.TERMINATED)
HOME = worlds.service()
MARKED = {"annotations": {names.SCALE: "3", names.LEAVING: "true"}}
assert SEEN.target
assert SEEN.apex


def due(status: Status, seen: Observation = SEEN, **changes: Any) -> tuple[Any, ...]:
    return effects(replace(AGENT.canary, status=status, **changes), seen)


def target(change: Document | None = None, **changes: Any) -> Workload:
    """The user's own Deployment, at its full size and with nothing of ours on it."""
    bare = worlds.deployment()
    return Workload(merged(bare, change or {}), **{"revision": V1, "replicas": 3, **changes})


def homeward(service: Any) -> tuple[Any, ...]:
    return tuple(leaving.homeward(service))


def alone(change: Document | None = None, **changes: Any) -> Observation:
    own = target(change, **changes)
    return replace(SEEN, target=own, primary=None, kept=None, services={}, apex=HOME)


def test_nothing_is_removed_of_an_app_that_stays() -> None:
    assert due(AGENT.canary.status) == ()


def test_the_target_comes_first_and_the_service_stays_while_it_is_awaited() -> None:
    (found,) = due(LEAVING)
    assert (found.kind, found.name) == ("Deployment", "web")
    assert found.annotations[names.LEAVING] == "true"
    assert found.annotations[names.SCALE] == "3"
    labels = {names.ROLE: None}
    assert found.shows["spec"] == {"replicas": 3, "template": {"metadata": {"labels": labels}}}


def test_a_target_that_was_on_hold_is_let_go() -> None:
    (found,) = due(MOVED, alone(on_hold=True))
    assert found.annotations[names.HOLD] is None
    assert found.shows["spec"]["paused"] is None


def test_a_target_that_is_as_it_should_be_is_not_touched() -> None:
    assert due(MOVED, alone({"metadata": MARKED}, held=3)) == ()


@pytest.mark.parametrize(
    "changes", [{"held": 2}, {"held": 3, "replicas": 2}, {"held": 3, "on_hold": True}]
)
def test_a_target_that_is_not_yet_as_it_should_be_is_told(changes: dict[str, Any]) -> None:
    (found,) = due(MOVED, alone({"metadata": MARKED}, **changes))
    assert isinstance(found, Annotate)


def refused(status: Status) -> tuple[Any, ...]:
    held = {"spec": {"template": worlds.template("bad:2")}}
    revisions = {V1: worlds.template("good:1")}
    found = replace(alone(held, revision=V2), revisions=revisions)
    return due(replace(status, observed=V2), found)


def test_a_refused_revision_is_replaced_by_the_promoted_one() -> None:
    (found,) = refused(MOVED)
    assert isinstance(found, Restore)
    assert found.why == f"web is put back to its promoted revision {V1}"
    assert template_hash(found.manifest["spec"]["template"]) == V1
    assert found.manifest["spec"]["replicas"] == 3


def test_a_refused_revision_stays_while_it_has_users_of_a_failed_promotion() -> None:
    assert refused(replace(MOVED, canary_weight=50)) == ()


def test_a_promoted_revision_that_nobody_remembers_is_not_guessed() -> None:
    assert refused(replace(MOVED, promoted="forgotten")) == ()


def test_users_are_kept_on_what_serves_until_the_way_home_is_decided() -> None:
    found = due(LEAVING, replace(SEEN, primary=None, apex=HOME))
    kinds = [one.manifest["kind"] if hasattr(one, "manifest") else one.kind for one in found]
    assert kinds == ["Deployment", "Service", "Deployment"]
    assert found[0].manifest["metadata"]["name"] == "web-primary"


def test_the_service_goes_home_then_forgets_where_that_was() -> None:
    away = SEEN.apex or {}
    (found,) = homeward(away)
    assert found.annotations == {names.ROUTE: None}
    (port,) = found.shows["spec"]["ports"]
    assert (found.shows["spec"]["selector"]["app"], port["targetPort"]) == ("web", "http")
    origin = away["metadata"]["annotations"][names.ORIGIN]
    back = merged(HOME, {"metadata": {"annotations": {names.ORIGIN: origin}}})
    (found,) = homeward(back)
    assert found.annotations == {names.ORIGIN: None, names.WISHED: None}
    assert found.shows == {}


@pytest.mark.parametrize(
    "change", [{"selector": {"app": "other"}}, {"ports": [{"port": 80, "targetPort": 20001}]}]
)
def test_a_service_whose_way_home_was_broken_off_goes_it_to_the_end(change: Document) -> None:
    origin = json.dumps({"selector": {"app": "web"}, "targetPorts": {"80": "http"}})
    metadata = {"annotations": {names.ORIGIN: origin}}
    (found,) = homeward(merged(HOME, {"metadata": metadata, "spec": change}))
    assert found.annotations == {names.ROUTE: None}
    assert found.shows["spec"]["selector"]["app"] == "web"


def test_a_service_that_is_home_is_not_touched() -> None:
    assert homeward(HOME) == ()


def test_a_service_that_is_gone_keeps_nobody_waiting() -> None:
    assert due(MOVED, replace(alone({"metadata": MARKED}, held=3), apex=None)) == ()


def test_the_clone_and_its_services_go_before_our_marks() -> None:
    found = due(CLEARING, replace(SEEN, apex=HOME))
    assert found == (
        Delete("Deployment", "web-primary"),
        Delete("PodTemplate", "web-primary"),
        Delete("Service", "web-canary"),
        Delete("Service", "web-primary"),
    )


@pytest.mark.parametrize(
    ("change", "marks"),
    [
        ({"metadata": MARKED}, [names.SCALE, names.LEAVING]),
        ({"spec": {"template": {"metadata": {"labels": {names.ROLE: names.CANARY}}}}}, []),
    ],
    ids=["annotations", "role"],
)
def test_our_marks_go_last_whichever_is_left(change: Document, marks: list[str]) -> None:
    (found,) = due(CLEARING, alone(change))
    assert sorted(found.annotations) == sorted(marks)
    assert set(found.annotations.values()) <= {None}
    labels = {names.ROLE: None}
    assert found.shows["spec"] == {"replicas": 3, "template": {"metadata": {"labels": labels}}}


USERS: Document = {"manager": "kubectl", "fieldsV1": {"f:metadata": {}}}
OWNED = {"managedFields": [USERS, {"manager": names.AGENT_MANAGER, "fieldsV1": {}}]}


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_of_what_bears_no_mark_any_more_we_own_nothing(kind: str) -> None:
    owned = {
        "Deployment": alone({"metadata": OWNED}),
        "Service": replace(alone(), apex=merged(HOME, {"metadata": OWNED})),
    }
    found = due(CLEARING, owned[kind])
    assert found == (Disown(kind, "web", (USERS,), ""),)
    assert leaving.remains(replace(AGENT.canary, status=CLEARING), owned[kind])
    assert not leaving.remains(replace(AGENT.canary, status=CLEARING), alone())


def test_a_service_of_our_own_is_not_disowned_with_a_deleted_app() -> None:
    ours = merged(HOME, {"metadata": {**OWNED, "labels": {names.MANAGED_BY: names.OUTRIDER}}})
    assert list(leaving.leftovers(Objects(services=[ours]))) == []


def test_nothing_is_left_to_do_for_an_app_without_marks() -> None:
    assert due(CLEARING, alone()) == ()


@pytest.mark.parametrize(("generated", "found"), [(True, (Delete("Canary", "web"),)), (False, ())])
def test_only_a_canary_that_we_wrote_goes_with_the_app(
    generated: bool, found: tuple[Any, ...]
) -> None:
    assert due(ENDED, generated=generated) == found


OURS = {names.MANAGED_BY: names.OUTRIDER}
CLONE = {"labels": {**OURS, names.APP: "web"}}
NEIGHBOUR = {"metadata": {"labels": {**OURS, names.APP: None}}}


def test_what_a_deleted_app_left_is_cleared_away() -> None:
    world = AGENT.world
    rest = [world.deployments["web-primary"], merged(worlds.deployment(), NEIGHBOUR)]
    rest[1] = merged(rest[1], {"metadata": {"name": "outrider-agent"}})
    found = list(leaving.leftovers(Objects(rest, services=list(world.services.values()))))
    assert [one for one in found if isinstance(one, Delete)] == [
        Delete("Deployment", "web-primary"),
        Delete("Service", "web-canary"),
        Delete("Service", "web-primary"),
    ]
    (home,) = [one for one in found if isinstance(one, Annotate)]
    assert (home.name, home.annotations) == ("web", {names.ROUTE: None})


def test_what_belongs_to_an_app_that_is_there_is_kept() -> None:
    world = AGENT.world
    every = Objects(list(world.deployments.values()), services=list(world.services.values()))
    assert list(leaving.leftovers(every)) == []


def app(change: Document | None = None) -> Objects:
    return Objects([merged(worlds.deployment(), change or {})], services=[HOME])


def test_a_namespace_without_a_trace_of_us_is_given_back() -> None:
    assert leaving.is_over([], app())
    ours = merged(worlds.deployment(), {"metadata": {"labels": OURS}})
    assert leaving.is_over([], replace(app(), deployments=[ours]))


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"annotations": {names.SCALE: "3"}}},
        {"metadata": {"annotations": {names.ADMITTED: V1}}},
        {"metadata": {"annotations": {names.ORIGIN: "{}"}}},
        {"metadata": CLONE},
    ],
    ids=["held", "admitted", "routed", "clone"],
)
def test_a_namespace_with_a_trace_of_us_is_not_given_back(change: Document) -> None:
    assert not leaving.is_over([], app(change))


@pytest.mark.parametrize(
    ("phase", "generated", "over"),
    [
        (Phase.TERMINATED, False, True),
        (Phase.NEW, False, True),
        (Phase.TERMINATED, True, False),
        (Phase.TERMINATING, False, False),
        (Phase.INITIALIZED, False, False),
    ],
)
def test_a_namespace_is_not_given_back_before_its_canaries(
    phase: Phase, generated: bool, over: bool
) -> None:
    found = Canary("web", "shop", "web", generated=generated, status=Status(phase=phase))
    assert leaving.is_over([found], app()) is over


def test_a_word_of_leaving_on_a_target_that_stays_is_taken_back() -> None:
    """Somebody wrote it: admission would keep the role from the canary's pods."""
    change = {"metadata": {"annotations": {names.LEAVING: "true"}}}
    assert SEEN.target
    stays = replace(SEEN.target, manifest=merged(SEEN.target.manifest, change))
    (found,) = due(AGENT.canary.status, replace(SEEN, target=stays))
    assert found.annotations == {names.LEAVING: None}
