"""What is to be done, from the intent alone, in the safe order."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.apex import ROUTER_SELECTOR
from delivery.canary import Canary, Phase, Status
from delivery.decision import Annotate, Apply, Effect, Replace
from delivery.intent import effects, primary_revision
from delivery.observation import Observation, Routers, Workload
from delivery.service_words import ServiceWords
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.turns import Agent, look
from tests.delivery.worlds import merged, populated

OPEN = Routers(2, frozenset({20001}))


def adopted(seconds: int = 15) -> tuple[Canary, Observation]:
    """A pair at rest, and a look at it."""
    agent = Agent(populated()).run(seconds)
    return agent.canary, look(agent.canary, agent.world)


IDLE, SEEN = adopted()
HALFWAY, BEFORE = adopted(2)
assert SEEN.target
assert SEEN.primary
TARGET, PRIMARY = SEEN.target, SEEN.primary


def due(seen: Observation, **status: Any) -> tuple[Effect, ...]:
    changed = replace(IDLE, status=replace(IDLE.status, **status))
    return effects(changed, seen)


def only(found: tuple[Effect, ...]) -> Any:
    assert len(found) == 1
    return found[0]


def half(found: Workload, change: Document, **changes: Any) -> Workload:
    return replace(found, manifest=merged(found.manifest, change), **changes)


def test_nothing_is_left_to_do_for_a_pair_at_rest() -> None:
    assert IDLE.status.phase is Phase.INITIALIZED
    assert due(SEEN) == ()


@pytest.mark.parametrize(
    ("status", "seen"),
    [({"phase": Phase.NEW}, SEEN), ({"replicas": 9}, replace(SEEN, target=None))],
)
def test_nothing_is_done_before_adoption_and_without_a_target(
    status: dict[str, Any], seen: Observation
) -> None:
    assert due(seen, **status) == ()


def test_what_serves_comes_first_then_what_leads_to_it_then_what_may_go() -> None:
    seen = replace(SEEN, primary=None, services={}, apex=worlds.service(), routers=OPEN)
    listeners = {"80": 20001}
    found = due(seen, scale=2, ports=listeners)
    kinds = [
        (type(one).__name__, one.kind if isinstance(one, Annotate) else one.manifest["kind"])
        for one in found
        if isinstance(one, Apply | Annotate | Replace)
    ]
    assert kinds == [
        ("Replace", "Deployment"),
        ("Apply", "Service"),
        ("Annotate", "Service"),
        ("Annotate", "Deployment"),
    ]


@pytest.mark.parametrize("phase", [Phase.PROMOTING, Phase.FINALISING])
def test_from_promotion_on_the_primary_runs_the_analysed_revision(phase: Phase) -> None:
    assert primary_revision(Status(phase=phase, observed="v2", promoted="v1")) == "v2"


@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.FAILED, Phase.SUCCEEDED])
def test_in_any_other_phase_the_primary_runs_the_promoted_one(phase: Phase) -> None:
    assert primary_revision(Status(phase=phase, observed="v2", promoted="v1")) == "v1"


def test_the_primary_follows_the_users_number_of_replicas() -> None:
    assert only(due(SEEN, replicas=5)).manifest["spec"]["replicas"] == 5


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"replicas": 1}},
        {"spec": {"strategy": {"type": "Recreate"}}},
        {"spec": {"strategy": None}},
        {"spec": {"paused": True}},
    ],
)
def test_a_primary_that_was_changed_by_hand_is_put_right(change: Document) -> None:
    found = only(due(replace(SEEN, primary=half(PRIMARY, change))))
    assert found.manifest["metadata"]["name"] == "web-primary"
    assert found.manifest["spec"]["replicas"] == 3
    assert "paused" not in found.manifest["spec"]


def test_a_primary_that_was_deleted_is_made_of_what_was_promoted_and_as_large_as_it_was() -> None:
    refused = half(TARGET, {"spec": {"template": worlds.template("bad:9")}}, revision="refused")
    found = only(due(replace(SEEN, primary=None, target=refused), phase=Phase.FAILED))
    (container,) = found.manifest["spec"]["template"]["spec"]["containers"]
    assert (found.manifest["metadata"]["name"], container["image"]) == ("web-primary", "good:1")
    assert found.manifest["spec"]["replicas"] == 3


def test_a_primary_on_another_revision_is_put_back_on_the_promoted_one() -> None:
    found = only(due(replace(SEEN, primary=replace(PRIMARY, revision="other"))))
    assert isinstance(found, Replace)
    assert found.why == (
        "Deployment web-primary was changed by somebody else, and is put back: what it runs is "
        "what was promoted; change Deployment web instead"
    )


def test_what_others_added_to_the_primary_is_left_there() -> None:
    extra = {"spec": {"paused": False, "revisionHistoryLimit": 4}}
    assert due(replace(SEEN, primary=half(PRIMARY, extra))) == ()


def test_a_primary_keeps_its_own_selector_whoever_made_it() -> None:
    flaggers = {"spec": {"selector": {"matchLabels": {"app": "web-primary"}}}}
    found = due(replace(SEEN, primary=half(PRIMARY, flaggers, revision="other")))
    selectors = [one.manifest["spec"]["selector"] for one in found if isinstance(one, Replace)]
    assert {"matchLabels": {"app": "web-primary", "outrider.dev/role": "primary"}} in selectors


def test_a_revision_that_nobody_remembers_is_not_guessed() -> None:
    assert due(replace(SEEN, primary=None, revisions={})) == ()


def test_without_an_apex_the_primary_is_kept_all_the_same() -> None:
    found = only(due(replace(SEEN, primary=None, apex=None)))
    assert found.manifest["kind"] == "Deployment"


@pytest.mark.parametrize("name", ["web-primary", "web-canary"])
def test_a_service_of_a_half_that_is_missing_or_wrong_is_made_anew(name: str) -> None:
    rest = {key: one for key, one in SEEN.services.items() if key != name}
    wrong = merged(SEEN.services[name], {"spec": {"ports": []}})
    for services in (rest, {**rest, name: wrong}):
        found = only(due(replace(SEEN, services=services)))
        assert found.manifest["metadata"]["name"] == name


def test_the_halves_are_told_apart_by_their_roles() -> None:
    primary, canary = (SEEN.services[name]["spec"] for name in ("web-primary", "web-canary"))
    assert primary["selector"] == {"app": "web", names.ROLE: "primary"}
    assert canary["selector"] == {"app": "web", names.ROLE: "canary"}
    assert primary["ports"][0]["targetPort"] == "http"


TEAM = {"labels": {"team": "shop", names.ROLE: "mine"}, "annotations": {"note": "a"}}


def test_the_services_of_the_halves_bear_what_is_said_and_no_longer_what_was() -> None:
    saying = replace(IDLE, words=ServiceWords(canary=TEAM))
    wanted = only(effects(saying, SEEN)).manifest["metadata"]
    assert (wanted["name"], wanted["annotations"]) == ("web-canary", {"note": "a"})
    assert (wanted["labels"]["team"], wanted["labels"][names.ROLE]) == ("shop", "canary")
    bearing = canary_service({**wanted, "managedFields": [applied(wanted)]})
    assert effects(saying, bearing) == ()
    assert "annotations" not in only(due(bearing)).manifest["metadata"]
    assert due(canary_service({"labels": {"theirs": "b"}})) == ()


def canary_service(metadata: Document) -> Observation:
    changed = merged(SEEN.services["web-canary"], {"metadata": metadata})
    return replace(SEEN, services={**SEEN.services, "web-canary": changed})


def applied(metadata: Document) -> Document:
    """As the API server notes what the agent has applied."""
    fields = ("labels", "annotations")
    owned: Document = {
        f"f:{field}": {f"f:{key}": {} for key in metadata[field]} for field in fields
    }
    return {
        "manager": "outrider-agent",
        "operation": "Apply",
        "fieldsV1": {"f:metadata": owned},
    }


def test_an_apex_that_slipped_back_is_led_to_the_routers_again() -> None:
    found = only(due(replace(SEEN, apex=worlds.service(), routers=OPEN), ports={"80": 20001}))
    route = {"selector": dict(ROUTER_SELECTOR), "targetPorts": {"80": 20001}}
    assert json.loads(found.annotations[names.ROUTE]) == route
    origin = {"selector": {"app": "web"}, "targetPorts": {"80": "http"}}
    assert json.loads(found.annotations[names.ORIGIN]) == origin
    spec = found.shows["spec"]
    assert spec["selector"] == {"app": None, **ROUTER_SELECTOR}
    assert spec["ports"] == [{**worlds.service()["spec"]["ports"][0], "targetPort": 20001}]


def test_an_apex_without_routers_is_led_to_the_primary() -> None:
    found = only(due(replace(SEEN, routers=Routers())))
    assert found.shows["spec"]["selector"] == {
        "app.kubernetes.io/name": None,
        "app": "web",
        names.ROLE: "primary",
    }
    assert found.shows["spec"]["ports"][0]["targetPort"] == "http"


def test_a_port_without_a_listener_keeps_its_target() -> None:
    assert SEEN.apex
    ports = [*SEEN.apex["spec"]["ports"], {"name": "http-admin", "port": 81}]
    services = {**SEEN.services}
    more = merged(SEEN.apex, {"spec": {"ports": ports}})
    found = due(replace(SEEN, apex=more, services=services))
    assert not [one for one in found if isinstance(one, Annotate)]


def test_the_target_is_held_while_the_app_is_adopted() -> None:
    assert HALFWAY.status.phase is Phase.INITIALIZING
    assert BEFORE.target
    free = replace(BEFORE.target, on_hold=False, paused=False)
    found = [one for one in effects(HALFWAY, replace(BEFORE, target=free))]
    held = only(tuple(one for one in found if isinstance(one, Annotate)))
    assert held.annotations == {names.HOLD: "true", names.CANARY_OF: "web"}
    assert held.shows == {"spec": {"paused": True}}


@pytest.mark.parametrize("on_hold", [True, False])
def test_a_target_that_is_paused_already_is_left_so(on_hold: bool) -> None:
    assert BEFORE.target
    target = replace(BEFORE.target, on_hold=on_hold, paused=True)
    found = effects(HALFWAY, replace(BEFORE, target=target))
    assert not [one for one in found if isinstance(one, Annotate)]


def test_a_hold_without_its_effect_is_said_again() -> None:
    assert BEFORE.target
    target = replace(BEFORE.target, on_hold=True, paused=False)
    found = effects(HALFWAY, replace(BEFORE, target=target))
    assert [one for one in found if isinstance(one, Annotate)]


def test_the_hold_ends_as_admission_ends_it() -> None:
    found = only(due(replace(SEEN, target=replace(TARGET, on_hold=True, paused=True))))
    assert (found.annotations, found.shows) == ({names.HOLD: None}, {"spec": {"paused": None}})
    assert found.ends == found.shows, "a crash in between would leave a pause that nobody asked for"


def test_a_pause_that_the_user_asked_for_meanwhile_outlasts_the_hold() -> None:
    owner = {"manager": "kubectl", "fieldsV1": {"f:spec": {"f:paused": {}}}}
    asked = half(TARGET, {"metadata": {"managedFields": [owner]}}, on_hold=True, paused=True)
    found = only(due(replace(SEEN, target=asked)))
    assert (found.annotations, found.shows, found.ends) == ({names.HOLD: None}, {"spec": {}}, {})


@pytest.mark.parametrize(("held", "replicas"), [(None, 3), (0, 3), (3, 0), (3, 3)])
def test_the_target_is_held_at_the_intended_number(held: int | None, replicas: int) -> None:
    found = only(due(replace(SEEN, target=replace(TARGET, held=held, replicas=replicas))))
    assert found.kind == "Deployment"
    assert found.version == TARGET.manifest["metadata"]["resourceVersion"]
    said = {names.SCALE: "0", names.REPLICAS: "3", names.CANARY_OF: "web"}
    assert said.items() <= found.annotations.items()
    assert found.shows["spec"]["replicas"] == 0
    labels = found.shows["spec"]["template"]["metadata"]["labels"]
    assert labels == {names.ROLE: names.CANARY}


def test_a_target_that_another_canary_held_is_held_in_the_name_of_this_one() -> None:
    found = only(effects(replace(IDLE, name="written"), SEEN))
    assert found.annotations[names.CANARY_OF] == "written"
    assert found.annotations[names.SCALE] == "0"


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_what_a_client_side_apply_owns_of_the_held_fields_is_disowned(kind: str) -> None:
    fields: dict[str, Any] = {"f:spec": {"f:replicas": {}, "f:selector": {}}}
    entry = {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": fields}
    change = {"metadata": {"managedFields": [entry]}}
    assert SEEN.apex
    owned = {
        "Deployment": replace(SEEN, target=half(TARGET, change)),
        "Service": replace(SEEN, apex=merged(SEEN.apex, change)),
    }
    found = only(due(owned[kind]))
    assert (found.kind, found.name) == (kind, "web")
    assert found.fields[0]["fieldsV1"] != fields
