"""The texts and times of a Canary's conditions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary import Condition, Phase
from delivery.conditions import promoted, supported

STARTING = "New Deployment detected, starting initialization."
WAITING = "Waiting for approval."


@pytest.mark.parametrize(
    ("phase", "status", "message"),
    [
        (Phase.NEW, "Unknown", STARTING),
        (Phase.INITIALIZING, "Unknown", STARTING),
        (Phase.INITIALIZED, "True", "Deployment initialization completed."),
        (Phase.WAITING, "Unknown", WAITING),
        (Phase.WAITING_PROMOTION, "Unknown", WAITING),
        (Phase.PROGRESSING, "Unknown", "New revision detected, progressing canary analysis."),
        (
            Phase.PROMOTING,
            "Unknown",
            "Canary analysis completed, starting primary rolling update.",
        ),
        (
            Phase.FINALISING,
            "Unknown",
            "Canary analysis completed, routing all traffic to primary.",
        ),
        (
            Phase.SUCCEEDED,
            "True",
            "Canary analysis completed successfully, promotion finished.",
        ),
        (Phase.FAILED, "False", "Canary analysis failed, Deployment scaled to zero."),
        (Phase.TERMINATING, "Unknown", STARTING),
        (Phase.TERMINATED, "Unknown", STARTING),
    ],
)
def test_each_phase_says_what_flagger_says(phase: Phase, status: str, message: str) -> None:
    condition = promoted(phase, "Deployment", (), 7.0)
    assert condition == Condition("Promoted", status, phase.value, message, 7.0, 7.0)


def test_the_message_names_the_kind_of_the_target() -> None:
    assert promoted(Phase.FAILED, "DaemonSet", (), 0.0).message.endswith(
        "DaemonSet scaled to zero."
    )


def test_the_same_status_and_reason_leave_the_condition_untouched() -> None:
    before = replace(promoted(Phase.WAITING, "Deployment", (), 1.0), message="said before")
    assert promoted(Phase.WAITING, "Deployment", (before,), 9.0) is before


def test_a_new_reason_refreshes_the_update_but_not_the_transition() -> None:
    before = promoted(Phase.PROGRESSING, "Deployment", (), 1.0)
    after = promoted(Phase.PROMOTING, "Deployment", (before,), 9.0)
    assert (after.reason, after.updated, after.changed) == ("Promoting", 9.0, 1.0)


def test_a_new_status_refreshes_both_times() -> None:
    before = promoted(Phase.FINALISING, "Deployment", (), 1.0)
    after = promoted(Phase.SUCCEEDED, "Deployment", (before,), 9.0)
    assert (after.updated, after.changed) == (9.0, 9.0)


def test_other_conditions_are_not_taken_for_promoted() -> None:
    other = Condition("Supported", "Unknown", "Waiting", "", 1.0, 1.0)
    assert promoted(Phase.WAITING, "Deployment", (other,), 9.0).changed == 9.0


@given(st.lists(st.sampled_from(list(Phase)), min_size=1))
def test_the_transition_time_moves_only_with_the_status(phases: list[Phase]) -> None:
    last = promoted(phases[0], "Deployment", (), 0.0)
    for now, phase in enumerate(phases, 1):
        following = promoted(phase, "Deployment", (last,), float(now))
        moved = following.changed != last.changed
        assert moved == (following.status != last.status)
        assert following.changed <= following.updated
        last = following


def test_fields_that_are_not_built_are_listed() -> None:
    fields = ("spec.analysis.mirror", "spec.service.gateways (not for you)")
    condition = supported(fields, (), 3.0)
    assert condition is not None
    assert (condition.type, condition.status) == ("Supported", "False")
    assert condition.reason == "FieldsNotBuilt"
    assert condition.message == (
        "These fields halt releases: spec.analysis.mirror (not built yet; remove it); "
        "spec.service.gateways (not for you)."
    )


def test_the_supported_condition_goes_when_all_is_built() -> None:
    assert supported((), (), 3.0) is None


def test_the_same_fields_leave_the_condition_untouched() -> None:
    before = supported(("spec.analysis.mirror",), (), 3.0)
    assert before is not None
    assert supported(("spec.analysis.mirror",), (before,), 9.0) is before


def test_other_fields_refresh_the_message_but_not_the_transition() -> None:
    before = supported(("spec.analysis.mirror",), (), 3.0)
    assert before is not None
    after = supported(("spec.analysis.match",), (before,), 9.0)
    assert after is not None
    assert (after.updated, after.changed) == (9.0, 3.0)
