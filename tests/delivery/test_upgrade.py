import json
from collections.abc import Mapping
from typing import Any

import pytest

from delivery import names
from delivery.optin import namespace_parts
from delivery.programs import Programs
from delivery.upgrade import Standing, admitted, halted, rollout, standing

OLD = namespace_parts("shop", Programs("agent:1", "envoy:1"))
NEW = namespace_parts("shop", Programs("agent:2", "envoy:1"))
DONE = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2}
CURRENT, OUTDATED, MOVING = Standing(), Standing(outdated=True), Standing(waits="pods")
REPLACED = Standing(outdated=True, waits="pods")


def deployment(status: Mapping[str, Any], generation: int = 2) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": names.ROUTER, "generation": generation},
        "status": status,
    }


def test_what_is_as_it_should_be_is_current() -> None:
    assert standing(NEW, NEW).is_current


def test_a_part_of_another_version_is_outdated() -> None:
    assert standing(OLD, NEW) == OUTDATED


def test_a_part_that_is_missing_is_no_other_version() -> None:
    assert standing([None] * len(NEW), NEW) == CURRENT


def test_a_part_without_our_mark_is_of_another_version() -> None:
    foreign = [{**NEW[0], "metadata": {"name": "x"}}, *NEW[1:]]
    assert standing(foreign, NEW) == OUTDATED


def test_a_field_that_somebody_changed_is_no_other_version() -> None:
    changed = json.loads(json.dumps(NEW))
    changed[3]["spec"]["replicas"] = 1
    assert standing(changed, NEW) == CURRENT


@pytest.mark.parametrize(
    ("status", "generation", "expected"),
    [
        (DONE, 2, ""),
        ({}, 1, ""),
        ({"observedGeneration": 1, "replicas": 2}, 1, ""),
        ({**DONE, "observedGeneration": 1}, 2, "outrider-router has just been changed"),
        (
            {**DONE, "replicas": 3, "updatedReplicas": 1},
            2,
            "outrider-router has 2 pods of the version before",
        ),
        (
            {
                "observedGeneration": 2,
                "replicas": 2,
                "conditions": [{"type": "ReplicaFailure", "message": "exceeded quota"}],
            },
            2,
            "outrider-router has 2 pods of the version before: exceeded quota",
        ),
    ],
    ids=["done", "begun", "new", "changed", "under way", "no room"],
)
def test_a_change_of_version_waits_for_the_pods(
    status: Mapping[str, Any], generation: int, expected: str
) -> None:
    found = deployment(status, generation)
    assert rollout(found) == expected
    assert standing([found], [NEW[-1]]).waits == expected


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        ({}, set()),
        ({"a": CURRENT, "b": CURRENT}, {"a", "b"}),
        ({"a": OUTDATED, "b": OUTDATED, "c": CURRENT}, {"a", "c"}),
        ({"a": MOVING, "b": OUTDATED}, {"a"}),
        ({"a": OUTDATED, "b": MOVING, "c": CURRENT}, {"b", "c"}),
        ({"a": OUTDATED, "b": REPLACED}, {"b"}),
    ],
    ids=["none", "all current", "the first", "halted", "not before it is over", "a fix"],
)
def test_versions_change_one_namespace_after_the_other(
    standings: Mapping[str, Standing], expected: set[str]
) -> None:
    assert admitted(standings) == expected


def test_a_halt_is_said_with_what_waits_behind_it() -> None:
    said = halted("shop", {"shop": MOVING, "cart": OUTDATED})
    assert "waits for namespace shop, and 1 more behind it: pods" in said
    assert "kubectl -n shop get pods -l app.kubernetes.io/managed-by=outrider" in said
