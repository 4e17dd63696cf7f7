import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.admission import Answer, Malformed, envelope, mutated, read
from delivery.admission.answer import MORE, WARNING_LIMIT
from delivery.admission.patch import ABSENT, edits
from delivery.references import unoffered
from tests.delivery.reviews import (
    AGENT,
    Document,
    admitted,
    answer,
    deployment,
    patched,
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
    said = envelope("12", Answer("kept", patch, ("mind it",), "ab"))
    assert (said["apiVersion"], said["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert json.loads(base64.b64decode(said["response"].pop("patch"))) == list(patch)
    assert said["response"] == {
        "uid": "12",
        "allowed": True,
        "patchType": "JSONPatch",
        "warnings": ["mind it"],
        "auditAnnotations": {"decision": "kept", "hash": "ab"},
    }


def warned(*warnings: str) -> list[str]:
    said: list[str] = envelope("1", Answer("valid", warnings=warnings))["response"]["warnings"]
    return said


def test_a_long_warning_goes_out_in_parts_that_lose_nothing() -> None:
    """Cut in mid-command it would be another command, and a valid one."""
    namespace, path = "n" * 63, "spec.analysis.metrics[0].templateRef"
    whole = unoffered(path, "MetricTemplate", namespace, "team-" + "o" * 58)
    said = warned(whole, "short")
    assert [len(part) <= WARNING_LIMIT for part in said] == [True] * len(said)
    *first, last, short = said
    assert " ".join([*(part.removesuffix(MORE) for part in first), last]) == whole
    assert first
    assert all(part.endswith(MORE) for part in first)
    assert short == "short"


@pytest.mark.parametrize("length", [1, WARNING_LIMIT])
def test_a_warning_within_the_limit_stays_as_it_is(length: int) -> None:
    assert warned("w" * length) == ["w" * length]


def test_a_word_is_never_cut() -> None:
    command = "outrider.dev/offers-to=" + ",".join(f"team-{number}" for number in range(60))
    assert warned(f"run: {command} now") == ["run:" + MORE, command + MORE, "now"]
