import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.admission import Answer, Malformed, envelope, mutated, read, validated
from delivery.admission.patch import ABSENT, edits
from tests.delivery.reviews import (
    AGENT,
    Document,
    admitted,
    answer,
    deployment,
    patched,
    request,
    review,
    service,
)

ROUTES = st.builds(
    lambda selector, ports: json.dumps({"selector": selector, "targetPorts": ports}),
    st.none() | st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=2),
    st.dictionaries(st.sampled_from(["80", "81"]), st.sampled_from([1, 2, 3]), max_size=2),
)
NUMBERS = st.sampled_from(["0", "1", "2", "99999999999", "no"])
MARKS: dict[str, st.SearchStrategy[str]] = {
    names.SCALE: NUMBERS,
    names.REPLICAS: NUMBERS,
    names.HOLD: st.just("x"),
    names.ROUTE: ROUTES | st.just("{"),
    names.ORIGIN: ROUTES | st.just("{"),
    names.WISHED: st.sampled_from(["6", "7", ""]),
    "team": st.just("shop"),
}
ANNOTATIONS = st.fixed_dictionaries({}, optional=MARKS)
LABELS = st.sampled_from([{}, {names.ROLE: names.CANARY}])
DEPLOYMENTS = st.builds(
    lambda marks, replicas, labels, spec: (
        deployment(marks, replicas=replicas, labels=labels)
        | ({"spec": spec} if spec is not None else {})
    ),
    ANNOTATIONS,
    st.integers(0, 3) | st.sampled_from([None, True, "1"]),
    LABELS,
    st.sampled_from([None, None, None, {}, {"template": None, "paused": True}, []]),
)
SERVICES = st.builds(
    service,
    ANNOTATIONS,
    st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=2),
    st.dictionaries(st.sampled_from([80, 81]), st.sampled_from([1, 2, "http"]), max_size=2),
)
USERS = st.sampled_from(["jane", AGENT])
PAIRS = st.tuples(DEPLOYMENTS, DEPLOYMENTS) | st.tuples(SERVICES, SERVICES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
KEYS = ["metadata", "annotations", "spec", "template", "selector", "ports", "replicas", *MARKS]
ODD = st.recursive(
    st.sampled_from([None, True, 3, "", "0", "no", '{"selector":{"a":"x"}}']),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["metadata", "spec"]), ODD)
KINDS = st.sampled_from(["Deployment", "Service"])


@given(PAIRS, USERS)
def test_a_second_look_changes_nothing(pair: tuple[Document, Document], user: str) -> None:
    asked, stored = pair
    once = admitted(asked, stored, user=user)
    assert answer(once, stored, user=user).operations == ()


@given(PAIRS)
def test_a_user_never_changes_what_the_agent_intends(pair: tuple[Document, Document]) -> None:
    asked, stored = pair
    found = admitted(asked, stored)["metadata"]["annotations"]
    for intent in (names.SCALE, names.HOLD, names.ROUTE, names.CANARY_OF):
        assert found.get(intent) == stored["metadata"]["annotations"].get(intent)


@given(PAIRS, USERS)
def test_sending_the_stored_object_again_changes_nothing(
    pair: tuple[Document, Document], user: str
) -> None:
    asked, stored = pair
    once = admitted(asked, stored, user=user)
    once["metadata"]["resourceVersion"] = "8"
    assert answer(once, once).operations == ()


@given(OBJECTS, OBJECTS, KINDS, USERS)
def test_an_odd_object_is_admitted_and_a_second_look_changes_nothing(
    asked: Document, stored: Document, kind: str, user: str
) -> None:
    asked["kind"] = kind
    once = admitted(asked, stored, user=user)
    assert answer(once, stored, user=user).operations == ()


@given(JSON)
def test_any_json_is_a_request_or_malformed(body: Any) -> None:
    assert isinstance(read(body), Malformed)
    found = read(review(body, body))
    assert isinstance(found, Malformed) or mutated(found).decision == "unchanged"


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"request": []},
        {"request": {"uid": "", "operation": "CREATE", "object": {}}},
        {"request": {"uid": "1", "operation": 1, "object": {}}},
        {"request": {"uid": "1", "operation": "UPDATE", "object": None}},
    ],
)
def test_what_is_no_review_is_malformed(body: Any) -> None:
    assert isinstance(read(body), Malformed)


@pytest.mark.parametrize(
    ("operation", "kind"), [("DELETE", "Deployment"), ("CREATE", "Pod"), ("UPDATE", "")]
)
def test_what_is_not_ours_to_change_is_left_alone(operation: str, kind: str) -> None:
    found = read(review({"kind": kind}, operation=operation))
    assert isinstance(found, Malformed) or mutated(found) == Answer("unchanged")


def test_a_dry_run_is_answered_as_the_real_call() -> None:
    real = review(deployment({names.SCALE: "1"}), deployment())
    dry = {**real, "request": {**real["request"], "dryRun": True}}
    assert read(dry) == read(real)


@pytest.mark.parametrize(
    ("document", "path", "wanted", "operations"),
    [
        ({}, ("a", "b"), {"c": 1}, [{"op": "add", "path": "/a", "value": {"b": {"c": 1}}}]),
        ({"a": None}, ("a",), {"c": 1}, [{"op": "add", "path": "/a", "value": {"c": 1}}]),
        ({}, ("a", "b"), {"c": ABSENT}, []),
        ({"a": {}}, ("a",), {"c": ABSENT}, []),
        ({"a": {"c": 1}}, ("a",), {"c": ABSENT}, [{"op": "remove", "path": "/a/c"}]),
        ({"a": {"c": 1}}, ("a",), {"c": 1}, []),
        ({"a": {"c": 2}}, ("a",), {"c": 1}, [{"op": "add", "path": "/a/c", "value": 1}]),
        ({"a": {}}, ("a",), {"x/y~z": 1}, [{"op": "add", "path": "/a/x~1y~0z", "value": 1}]),
        ({"a": "odd"}, ("a",), {"c": 1}, []),
        ({"a": "odd"}, ("a", "b"), {"c": 1}, []),
    ],
)
def test_edits(
    document: Any, path: tuple[str, ...], wanted: Mapping[str, Any], operations: Any
) -> None:
    found = list(edits(document, path, wanted))
    assert found == operations
    assert edits(patched(document, found), path, wanted) == ()


def test_the_envelope_of_a_patch() -> None:
    patch = ({"op": "remove", "path": "/a"},)
    said = envelope("12", Answer("kept", patch, ("w" * 300,), "ab"))
    assert (said["apiVersion"], said["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert json.loads(base64.b64decode(said["response"].pop("patch"))) == list(patch)
    assert said["response"] == {
        "uid": "12",
        "allowed": True,
        "patchType": "JSONPatch",
        "warnings": ["w" * 256],
        "auditAnnotations": {"decision": "kept", "hash": "ab"},
    }


def canary(weight: int, **labels: str) -> Document:
    spec = {"analysis": {"maxWeight": weight}}
    return {"kind": "Canary", "metadata": {"name": "web", "labels": labels}, "spec": spec}


def heavy(document: Mapping[str, Any]) -> tuple[str, ...]:
    weight = document["spec"]["analysis"]["maxWeight"]
    return (f"spec.analysis.maxWeight {weight}: at most 100",) if weight > 100 else ()


JUDGES = {"Canary": heavy, "MetricTemplate": lambda document: ("spec.query: is empty",)}


def test_a_template_is_refused_with_its_problems() -> None:
    found = {**canary(100), "kind": "MetricTemplate"}
    assert validated(request(found), JUDGES).denial == "MetricTemplate web: spec.query: is empty"


def test_a_canary_is_refused_with_its_problems() -> None:
    said = validated(request(canary(101)), JUDGES)
    assert said.denial == "Canary web: spec.analysis.maxWeight 101: at most 100"
    status = envelope("1", said)["response"]["status"]
    assert status == {"code": 422, "reason": "Invalid", "message": said.denial}


def stopping(word: str) -> Document:
    found = canary(100)
    return {**found, "metadata": {**found["metadata"], "annotations": {names.STOP: word}}}


def test_a_stop_that_would_stop_nothing_is_refused() -> None:
    said = validated(request(stopping("yes"), canary(100)), JUDGES)
    problem = "metadata.annotations[outrider.dev/stop]: 'yes' is unknown"
    assert said.denial == f'Canary web: {problem}; use "true" or "false"'


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        (stopping("true"), canary(100)),
        (stopping("false"), stopping("true")),
        (canary(100), stopping("yes")),
        (stopping("yes"), stopping("yes")),
        ({**stopping("yes"), "kind": "Other"}, canary(100)),
    ],
)
def test_a_stop_that_can_be_read_or_stood_there_before_is_let_through(
    asked: Document, stored: Document
) -> None:
    assert validated(request(asked, stored), JUDGES).decision == "unchanged"


@pytest.mark.parametrize(
    ("asked", "stored", "decision"),
    [
        (canary(100), None, "valid"),
        (canary(100), canary(101), "valid"),
        (canary(101), canary(100), "denied"),
        (canary(101, team="shop"), canary(101), "unchanged"),
        (deployment(), None, "unchanged"),
    ],
)
def test_a_canary_is_judged_when_its_spec_changes(
    asked: Document, stored: Document | None, decision: str
) -> None:
    assert validated(request(asked, stored), JUDGES).decision == decision
