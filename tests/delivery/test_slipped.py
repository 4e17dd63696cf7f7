from dataclasses import replace

import pytest

from delivery import names
from delivery.canary import Canary, Phase, Status
from delivery.hashing import template_hash
from delivery.observation import Observation, Workload
from delivery.slipped import slipped
from tests.delivery.reviews import AGENT, Document, admitted, deployment


def taken(observed: str) -> Canary:
    return Canary("web", "shop", "web", status=Status(phase=Phase.PROGRESSING, observed=observed))


def target(revision: str, mark: str | None) -> Observation:
    annotations = {} if mark is None else {names.ADMITTED: mark}
    found = Workload({"metadata": {"name": "web", "annotations": annotations}}, revision, 0)
    return Observation(1.0, target=found, revisions={"old": {}, revision: {}})


def test_a_revision_that_admission_never_saw_is_said() -> None:
    said = slipped(taken("old"), taken("new"), target("new", "old"))
    assert said.startswith("web: revision new slipped past admission")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("old", "new", target("new", "new")),
        ("old", "new", target("new", None)),
        ("new", "new", target("new", "old")),
        ("old", "new", target("newer", "old")),
        ("old", "new", Observation(1.0)),
    ],
)
def test_of_all_others_nothing_is_said(before: str, after: str, found: Observation) -> None:
    assert slipped(taken(before), taken(after), found) == ""


def test_it_is_said_once() -> None:
    after = taken("new")
    later = replace(after, status=replace(after.status, canary_weight=10))
    assert slipped(after, later, target("new", "old")) == ""


def said_of(found: Document) -> str:
    """What the agent says when it takes up what it finds."""
    revision = template_hash(found["spec"]["template"])
    look = Observation(1.0, target=Workload(found, revision, 0), revisions={"old": {}})
    return slipped(taken("old"), taken(revision), look)


def test_admission_marks_what_it_sees_and_nothing_else() -> None:
    held = admitted(deployment({names.SCALE: "0"}), deployment(), user=AGENT)
    past = {**held, "spec": deployment(image="web:2", replicas=0)["spec"]}
    assert said_of(held) == said_of(admitted(past, held)) == ""
    assert "slipped past admission" in said_of(past)


def test_a_new_default_of_the_api_server_did_not_slip() -> None:
    look = replace(target("new", "old"), revisions={"new": {}}, names={"old": "new"})
    assert slipped(taken("old"), taken("new"), look) == ""
