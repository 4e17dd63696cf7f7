import json
from typing import Any

import pytest

from delivery import ownership

REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}, "f:paused": {}}}
PORTS: dict[str, Any] = {
    "f:ports": {'k:{"port":80}': {"f:port": {}, "f:targetPort": {}}},
    "f:selector": {},
}
KEPT_PORTS: dict[str, Any] = {"f:ports": {'k:{"port":80}': {"f:port": {}}}}


def owned_by(fields: Any, **entry: str) -> dict[str, Any]:
    managed = {"manager": "kubectl", "operation": "Update", "fieldsV1": fields, **entry}
    return {"metadata": {"managedFields": [managed]}}


@pytest.mark.parametrize(
    ("fields", "held", "left"),
    [
        (REPLICAS, ownership.TARGET, {"f:spec": {"f:paused": {}}}),
        ({"f:spec": PORTS}, ownership.APEX, {"f:spec": KEPT_PORTS}),
        (REPLICAS, ownership.SPEC, {}),
    ],
)
def test_held_fields_lose_their_owner(fields: Any, held: Any, left: Any) -> None:
    (entry,) = ownership.disowned(owned_by(fields), held) or []
    assert entry["fieldsV1"] == left


@pytest.mark.parametrize(
    "found",
    [
        {"metadata": {}},
        owned_by({"f:spec": {"f:paused": {}}}),
        owned_by({"f:metadata": {}}),
        owned_by(REPLICAS, operation="Apply"),
        owned_by(REPLICAS, subresource="scale"),
    ],
)
def test_what_a_user_applied_or_scaled_or_we_do_not_hold_stays_owned(found: Any) -> None:
    assert ownership.disowned(found, ownership.TARGET) is None


def test_of_what_we_wrote_ourselves_we_give_up_the_spec() -> None:
    ours = owned_by({**REPLICAS, "f:metadata": {}}, manager="outrider-agent")
    ours["metadata"]["managedFields"] += owned_by(REPLICAS)["metadata"]["managedFields"]
    first, second = ownership.ours_released(ours, "outrider-agent")
    assert (first["fieldsV1"], second["fieldsV1"]) == ({"f:metadata": {}}, REPLICAS)


def filed(text: str) -> dict[str, Any]:
    return {"metadata": {"annotations": {ownership.LAST_APPLIED: text}}}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (owned_by({"f:spec": {"f:paused": {}}}), True),
        (owned_by({"f:spec": {"f:paused": {}}}, manager="outrider-agent"), False),
        (owned_by({"f:spec": {"f:replicas": {}}}), False),
        ({"metadata": {"managedFields": "odd"}}, False),
        ({"metadata": None}, False),
        (filed(json.dumps({"spec": {"paused": True}})), True),
        (filed(json.dumps({"spec": {"paused": False}})), False),
        (filed(json.dumps({"spec": "odd"})), False),
        (filed(json.dumps(["odd"])), False),
        (filed("{"), False),
        ({"metadata": {"annotations": {ownership.LAST_APPLIED: 7}}}, False),
    ],
)
def test_a_pause_is_the_users_when_somebody_else_owns_it_or_the_file_says_so(
    found: Any, expected: bool
) -> None:
    assert ownership.pauses(found) is expected


def test_what_we_applied_of_labels_is_ours_alone() -> None:
    labels: dict[str, Any] = {"f:metadata": {"f:labels": {".": {}, "f:team": {}, "f:app": {}}}}
    ours = owned_by(labels, manager="outrider-agent", operation="Apply")
    assert ownership.applied_keys(ours, "outrider-agent", "labels") == {"team", "app"}
    assert ownership.applied_keys(ours, "outrider-agent", "annotations") == frozenset()
    assert ownership.applied_keys(owned_by(labels), "kubectl", "labels") == frozenset()
    assert ownership.applied_keys({"metadata": {}}, "outrider-agent", "labels") == frozenset()


OURS = {"manager": "outrider-agent", "operation": "Update"}
WHOSE: dict[str, Any] = {"f:metadata": {"f:ownerReferences": {'k:{"uid":"7"}': {}}}}
METADATA: dict[str, Any] = {"f:metadata": {**WHOSE["f:metadata"], "f:labels": {"f:team": {}}}}


@pytest.mark.parametrize(
    ("others", "ours", "left"),
    [
        ([REPLICAS], METADATA, [REPLICAS]),
        ([], {**METADATA, "f:spec": PORTS}, [WHOSE]),
        ([REPLICAS], None, None),
        ([], WHOSE, None),
        ([], {"f:spec": PORTS}, [None]),
        ([], None, None),
    ],
)
def test_what_is_given_back_is_its_users_or_nobodys(others: Any, ours: Any, left: Any) -> None:
    """But for whose it is, of what nobody else has written: without any owner it would get one."""
    managed: list[Any] = [owned_by(one)["metadata"]["managedFields"][0] for one in others]
    managed += [{**OURS, "fieldsV1": ours}] if ours else []
    found: Any = ownership.forsaken({"metadata": {"managedFields": managed}}, "outrider-agent")
    assert (found and [entry.get("fieldsV1") for entry in found]) == left
