"""Which Deployment of a namespace gets a Canary next."""

from dataclasses import replace

import pytest

from delivery import names
from delivery.adoption import (
    Adoption,
    Declined,
    adoption_pause,
    candidates,
    next_adoption,
    standing,
)
from delivery.canary import Canary, Phase, Status
from delivery.eligibility import Neighbours
from delivery.observation import Observation
from delivery.obstacles.drivers import KEDA
from delivery.obstacles.grounds import Grounds, Sighting
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged

COMPLETE = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


def app(name: str, **metadata: object) -> Document:
    labels = {"app": name}
    found = merged(worlds.deployment(), {"metadata": {"name": name, **metadata}})
    pods = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    return merged(found, {"spec": pods, "status": COMPLETE})


def neighbours(*deployments: Document) -> Neighbours:
    services = [
        merged(worlds.service(), {"metadata": {"name": name}, "spec": {"selector": {"app": name}}})
        for name in (found["metadata"]["name"] for found in deployments)
    ]
    return Neighbours(services, deployments, ())


def canary(name: str, phase: Phase = Phase.SUCCEEDED, message: str = "") -> Canary:
    return Canary(name, "shop", name, status=Status(phase=phase, message=message))


def test_apps_are_adopted_by_name_one_after_another() -> None:
    around = neighbours(app("b"), app("a"), app("c"))
    assert next_adoption([], around).target == app("a")
    assert next_adoption([canary("a")], around).target == app("b")


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.INITIALIZING])
def test_nothing_is_adopted_while_another_app_is_on_its_way(phase: Phase) -> None:
    assert next_adoption([canary("a", phase)], neighbours(app("a"), app("b"))) == Adoption()


def test_a_canary_that_was_left_alone_keeps_no_other_app_waiting() -> None:
    refused = canary("a", Phase.NEW, message="a is left alone: it is paused")
    suspended = replace(canary("a", Phase.NEW), suspend=True)
    around = neighbours(app("a"), app("b"))
    assert next_adoption([refused], around).target == app("b")
    assert next_adoption([suspended], around).target == app("b")


def test_a_refused_app_is_named_with_its_reasons_and_the_next_one_is_taken() -> None:
    broken = merged(app("a"), {"spec": {"replicas": 0}})
    found = next_adoption([], neighbours(broken, app("b")))
    assert found == Adoption(
        app("b"), {"a": ("it is scaled to 0: set spec.replicas to 1 or more",)}
    )


@pytest.mark.parametrize(("due", "taken"), [(False, "b"), (True, "a")])
def test_an_app_whose_canary_was_refused_is_named_and_waits_for_its_next_attempt(
    due: bool, taken: str
) -> None:
    declined = {"a": Declined("403 exceeded quota", due)}
    found = next_adoption([], neighbours(app("a"), app("b")), declined=declined)
    assert found.target == app(taken)
    ((name, (said,)),) = found.refused.items()
    assert (name, said.partition(":")[2]) == ("a", " 403 exceeded quota")
    assert "let the quota or policy named here allow it" in said


def test_an_app_with_an_unusable_canary_is_named_and_the_next_one_is_taken() -> None:
    target = {"kind": "Deployment", "name": "a"}
    broken = {"metadata": {"name": "mine"}, "spec": {"targetRef": target, "analysis": {}}}
    found = next_adoption([], neighbours(app("a"), app("b")), [broken])
    assert found.target == app("b")
    assert found.refused == {
        "a": ("the Canary mine is for it but cannot be used: mend or delete it",)
    }


def test_a_rollout_under_way_is_waited_for_in_silence() -> None:
    rolling = merged(app("a"), {"status": {"updatedReplicas": 1}})
    assert next_adoption([], neighbours(rolling)) == Adoption()


def test_until_a_rollout_is_over_only_what_is_wrong_with_the_app_itself_is_said() -> None:
    rolling = merged(app("a"), {"status": {"updatedReplicas": 1}})
    alone = replace(neighbours(rolling), services=[])
    assert next_adoption([], alone) == Adoption()
    strategy = {"spec": {"strategy": {"type": "Recreate"}}}
    (said,) = next_adoption([], neighbours(merged(rolling, strategy))).refused["a"]
    assert said.startswith("spec.strategy.type is Recreate")


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ("not read yet: x", None),
        ("not known yet: x", ("it is scaled to 0: set spec.replicas to 1 or more",)),
    ],
)
def test_before_all_is_read_nothing_is_said_and_then_all_at_once(
    unknown: str, said: tuple[str, ...] | None
) -> None:
    grounds = Grounds(drivers={KEDA: Sighting(unknown=unknown)})
    idle = merged(app("a"), {"spec": {"replicas": 0}})
    around = replace(neighbours(idle), grounds=grounds)
    assert next_adoption([], around).refused.get("a") == said


def test_what_is_ours_managed_leaving_or_left_out_is_no_candidate() -> None:
    ours = app("outrider-router", labels={names.MANAGED_BY: names.OUTRIDER})
    leaving = app("gone", deletionTimestamp="2026-01-01T00:00:00Z")
    left_out = app("no", annotations={names.ENABLED: "false"})
    around = neighbours(ours, leaving, left_out, app("web"), app("web-primary"))
    assert list(candidates(around, {"web"})) == []


@pytest.mark.parametrize(
    ("said", "selected_only", "reasons"),
    [
        ("false", False, ("its annotation outrider.dev/enabled is false",)),
        ("no", True, ("its annotation outrider.dev/enabled is not true",)),
        ("true", True, None),
    ],
)
def test_what_its_user_leaves_out_is_named_with_the_word_that_does_it(
    said: str, selected_only: bool, reasons: tuple[str, ...] | None
) -> None:
    around = replace(
        neighbours(app("web", annotations={names.ENABLED: said})), selected_only=selected_only
    )
    found = next_adoption([], around)
    assert found.left_out.get("web") == reasons
    assert (found.target is None) is (reasons is not None)


def test_where_nothing_is_opted_in_nothing_is_said_to_be_left_out() -> None:
    around = neighbours(app("web", annotations={names.ENABLED: "false"}))
    assert next_adoption([], replace(around, enrolled=False)) == Adoption()


UNFIT = ("it mounts a PersistentVolumeClaim",)
TRIED = "its clone did not become ready in time, tried again in 10 min or when changed"


@pytest.mark.parametrize(
    ("phase", "seen", "said"),
    [
        (Phase.INITIALIZED, Observation(1.0), None),
        (Phase.INITIALIZED, Observation(1.0, unfit=UNFIT), ("is given back", UNFIT)),
        (Phase.TERMINATING, Observation(1.0, unfit=UNFIT), ("is given back", UNFIT)),
        (Phase.TERMINATED, Observation(1.0, unfit=UNFIT), ("is left alone", UNFIT)),
        (
            Phase.PROGRESSING,
            Observation(1.0, unfit=UNFIT),
            ("is given back when its release has ended", UNFIT),
        ),
        (Phase.NEW, Observation(1.0), None),
        (Phase.NEW, Observation(1.0, refusals=UNFIT), ("is left alone", UNFIT)),
        (Phase.NEW, Observation(1.0, refusals=(*UNFIT, "a rollout is under way: 1")), None),
    ],
)
def test_what_becomes_of_an_app_that_has_a_canary_is_said(
    phase: Phase, seen: Observation, said: object
) -> None:
    assert standing(canary("a", phase), seen) == said


def test_an_app_whose_adoption_was_given_up_is_said_to_be_left_alone() -> None:
    parked = replace(canary("a"), status=Status(given_up=1))
    assert standing(parked, Observation(1.0)) == ("is left alone", (TRIED,))


@pytest.mark.parametrize(
    ("given_up", "minutes"), [(1, 10), (2, 20), (3, 40), (5, 160), (6, 240), (99, 240)]
)
def test_the_pause_grows_to_four_hours(given_up: int, minutes: int) -> None:
    assert adoption_pause(given_up) == minutes * 60
