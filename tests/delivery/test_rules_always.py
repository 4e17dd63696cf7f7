"""What stops a Canary in any phase."""

from dataclasses import replace

import pytest

from delivery.canary import Phase, Status
from delivery.observation import Observation
from delivery.rules import always
from tests.delivery.scenes import IDLE, JUDGED, decided, releasing, seen, silent, texts


def test_a_suspended_canary_is_skipped_and_says_so_once() -> None:
    text = "skipping canary run as object is suspended"
    first = decided(always.suspended_is_skipped, JUDGED, releasing(), suspend=True)
    assert texts(first) == [("Normal", text)]
    assert first.canary.status == replace(JUDGED, message=text)
    second = decided(always.suspended_is_skipped, first.canary.status, releasing(), suspend=True)
    assert (second.messages, second.canary) == ((), first.canary)


def test_a_canary_that_is_not_suspended_goes_on() -> None:
    assert silent(always.suspended_is_skipped, JUDGED, releasing())


@pytest.mark.parametrize(
    ("status", "look"),
    [(JUDGED, releasing(leaving="it is")), (replace(IDLE, phase=Phase.TERMINATING), seen())],
)
def test_a_canary_that_leaves_is_not_kept_by_its_suspension(
    status: Status, look: Observation
) -> None:
    assert silent(always.suspended_is_skipped, status, look, suspend=True)


def test_a_target_that_is_not_there_is_awaited() -> None:
    found = decided(always.missing_target_is_awaited, IDLE, replace(seen(), target=None))
    assert texts(found) == [("Warning", "deployment app.shop get query error: not found")]
    assert silent(always.missing_target_is_awaited, IDLE, seen())


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.INITIALIZED, Phase.PROGRESSING])
def test_fields_that_are_not_built_halt_in_every_phase(phase: Phase) -> None:
    status = replace(IDLE, phase=phase)
    found = decided(always.unbuilt_fields_halt, status, seen(), unbuilt=("a", "b (mind c)"))
    assert found.reason == "halted by a (not built yet; remove it); b (mind c)"
    assert found.canary.status.phase is phase
    assert silent(always.unbuilt_fields_halt, status, seen())


def test_fields_that_are_not_built_do_not_keep_an_app_that_is_to_leave() -> None:
    look = seen(leaving="it is")
    assert silent(always.unbuilt_fields_halt, replace(IDLE, phase=Phase.NEW), look, unbuilt=("a",))
