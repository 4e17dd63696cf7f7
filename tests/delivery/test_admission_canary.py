"""Canaries and MetricTemplates at admission: what is refused, let through, or warned of."""

from collections.abc import Mapping
from typing import Any

import pytest

from delivery import names
from delivery.admission import envelope, validated
from tests.delivery.reviews import AGENT, Document, deployment, request


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


def said_of(**words: str) -> Document:
    annotations = {names.PREFIX + word.replace("_", "-"): value for word, value in words.items()}
    return {**canary(100), "metadata": {"name": "web", "annotations": annotations}}


@pytest.mark.parametrize("word", ["rollback", "promot", "interval"])
@pytest.mark.parametrize("stored", [None, canary(100)])
def test_a_word_that_no_canary_knows_is_told(word: str, stored: Document | None) -> None:
    """Also where the spec stays as it was, as with `kubectl annotate`."""
    known = ", ".join(
        f"outrider.dev/{one}" for one in ("abort", "approve", "pause", "promote", "retry", "stop")
    )
    said = validated(request(said_of(**{word: "true"}), stored), JUDGES, {})
    assert said.warnings == (
        f"metadata.annotations[outrider.dev/{word}]: is no word for a Canary and does nothing; "
        f"known: {known}",
    )


def test_what_is_known_on_a_canary_is_not_warned_of() -> None:
    words = {"generated": "true", "asked_by": "{}", "stop": "false"}
    hand = dict.fromkeys(("abort", "approve", "pause", "promote", "retry"), "true")
    assert validated(request(said_of(**words, **hand), canary(100)), JUDGES).warnings == ()


def test_the_agent_is_not_told_of_others_words() -> None:
    asked = request(said_of(rollback="true"), said_of(rollback="true"), user=AGENT)
    assert validated(asked, JUDGES).warnings == ()


def test_a_word_means_nothing_on_other_kinds() -> None:
    other = {**said_of(rollback="true"), "kind": "AlertProvider"}
    assert validated(request(other), JUDGES).warnings == ()


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
