from dataclasses import replace

import pytest

from delivery import names
from delivery.canary import Canary, Phase, Status
from delivery.observation import Workload
from delivery.slipped import slipped


def taken(observed: str) -> Canary:
    return Canary("web", "shop", "web", status=Status(phase=Phase.PROGRESSING, observed=observed))


def target(revision: str, mark: str | None) -> Workload:
    annotations = {} if mark is None else {names.ADMITTED: mark}
    return Workload({"metadata": {"name": "web", "annotations": annotations}}, revision, 0)


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
        ("old", "new", None),
    ],
)
def test_of_all_others_nothing_is_said(before: str, after: str, found: Workload | None) -> None:
    assert slipped(taken(before), taken(after), found) == ""


def test_it_is_said_once() -> None:
    after = taken("new")
    later = replace(after, status=replace(after.status, canary_weight=10))
    assert slipped(after, later, target("new", "old")) == ""
