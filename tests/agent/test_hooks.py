"""Calls to real hooks on loopback: outside the loop, bounded, repeated, dropped, never shown."""

import time
from dataclasses import replace
from typing import Any

import pytest

from agent.hooks import AT_ONCE_EACH, Hooks
from delivery.canary import Analysis, Canary, Phase, Status
from delivery.hook import Call, Hook, HookType, Reply
from tests.agent.pods import Behaviour, Held, Pod, answers, hangs, hangs_up
from tests.agent.running_router import free_port

SHORT_SECONDS = 1.0
"""What a hook may take that will never answer."""
PATIENCE_SECONDS = 30.0
"""What one may take that does."""
RELEASING = Status(Phase.PROGRESSING, observed="v2", phase_since=1000.0)
CANARY = Canary("web", "shop", "app", Analysis(), status=RELEASING)


def hook(port: int, name: str = "check", **changes: Any) -> Hook:
    whole: dict[str, Any] = {"timeout": PATIENCE_SECONDS, **changes}
    return Hook(name, f"http://127.0.0.1:{port}/", **whole)


def call(one: Hook, about: str = "v2", every: float | None = None) -> Call:
    return Call(one, "Progressing", "v2", about, every)


class Asking:
    """A loop that asks the same at each turn, and never waits."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.woken = 0
        self.hooks = Hooks(
            answered=self.wake, told=lambda kind, _, failed: self.told.append((kind, failed))
        )

    def wake(self) -> None:
        self.woken += 1

    def turn(self, *calls: Call, canary: Canary = CANARY) -> dict[str, Reply]:
        found = dict(self.hooks.replies(canary))
        self.hooks.ask(canary, calls)
        return found

    def answered(self, *calls: Call, many: int | None = None) -> dict[str, Reply]:
        end = time.monotonic() + PATIENCE_SECONDS
        while len(found := self.turn(*calls)) < (len(calls) if many is None else many):
            assert time.monotonic() < end, "not answered"
            time.sleep(0.01)
        return found


def answer(behaviour: Behaviour, **changes: Any) -> tuple[Reply, int]:
    """What one hook answered, and how often it was called."""
    with Pod(behaviour) as pod:
        found = Asking().answered(call(hook(pod.endpoint.port, **changes)))
    return found["check"], pod.requests


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One answer after another."""
    left = list(behaviours)

    def behave(connection: Any, head: bytes) -> bool:
        return left.pop(0)(connection, head)

    return behave


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content", "299 Fine"])
def test_trap_any_2xx_is_success(status: str) -> None:
    found, _ = answer(answers(b"", status))
    assert found == Reply("v2", passed=True)


def test_a_turn_does_not_wait_and_is_woken_by_the_answer() -> None:
    with Pod(held := Held()) as pod:
        asking, one = Asking(), call(hook(pod.endpoint.port))
        assert asking.turn(one) == asking.turn(one) == {}
        held.go.set()
        assert asking.answered(one)["check"].passed
    assert asking.woken == 1
    assert asking.told == [("rollout", False)]


def test_nobody_waits_for_the_body_of_a_success() -> None:
    def begins(connection: Any, head: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        return hangs(connection, head)

    # Who waited for the body would answer later than anybody asks here.
    assert answer(begins, timeout=2 * PATIENCE_SECONDS)[0].passed


def half(connection: Any, head: bytes) -> bool:
    """The beginning of an answer that never ends."""
    connection.sendall(b"HTTP/1.1 403 No\r\ncontent-length: 9\r\n\r\nFor")
    return hangs(connection, head)


MOVED = "302 Found\r\nlocation: http://ann:pass@127.0.0.1:1/there?token=abc"


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (answers(b"Forbidden", "403 Forbidden"), "status 403: Forbidden"),
        (answers(b"cmd failed", "500 Broken"), "status 500: cmd failed"),
        (
            answers(b"", MOVED),
            "status 302: redirects are not followed; set url to http://***@127.0.0.1:1/there?***",
        ),
    ],
)
def test_what_is_no_success_says_why(behaviour: Behaviour, failure: str) -> None:
    found, requests = answer(behaviour)
    assert found == Reply("v2", passed=False, failure=failure)
    assert requests == 1


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [(hangs, "request failed: no answer within 1 s"), (half, "status 403: For")],
)
def test_who_does_not_come_to_an_end_is_cut_off(behaviour: Behaviour, failure: str) -> None:
    found, requests = answer(behaviour, timeout=SHORT_SECONDS)
    assert found == Reply("v2", passed=False, failure=failure)
    assert requests == 1


def test_a_hook_that_hangs_up_or_resets_says_so() -> None:
    found, _ = answer(hangs_up)
    closed = ("Remote end closed connection without response", "Connection reset by peer")
    assert found.failure.startswith("request failed: ")
    assert found.failure.endswith(closed)


def test_a_hook_that_is_away_says_so() -> None:
    found = Asking().answered(call(hook(free_port("127.0.0.1"))))
    assert found["check"].failure.endswith("Connection refused")


def test_a_redirect_takes_nothing_elsewhere() -> None:
    with Pod(answers(b"")) as other:
        moved = f"307 Moved\r\nlocation: http://127.0.0.1:{other.endpoint.port}/"
        assert not answer(answers(b"", moved))[0].passed
        assert other.requests == 0


def test_attempts_are_repeated_with_a_pause_and_the_same_key() -> None:
    keys: list[bytes] = []

    def fails(connection: Any, head: bytes) -> bool:
        keys.extend(line for line in head.split(b"\r\n") if line.startswith(b"Idempotency-Key"))
        return answers(b"", "503 Later\r\nretry-after: 0")(connection, head)

    found, requests = answer(in_turn(fails, fails, answers(b"OK")), retries=2)
    assert found.passed
    assert requests == 3
    assert len(set(keys)) == 1


def test_the_last_failure_is_told_and_how_often_it_was_tried() -> None:
    later = answers(b"busy", "503 Later\r\nretry-after: 0")
    found, requests = answer(later, retries=1)
    assert found.failure == "status 503: busy; gave up after 2 attempts"
    assert requests == 2


def test_what_will_not_pass_later_is_not_repeated() -> None:
    assert answer(answers(b"", "403 No"), retries=5)[1] == 1


def test_what_is_polled_is_not_repeated_within_a_poll() -> None:
    assert answer(answers(b"", "500 No"), retries=5, type=HookType.CONFIRM_PROMOTION)[1] == 1


def test_one_call_is_made_once_and_another_one_anew() -> None:
    with Pod(answers(b"")) as pod:
        asking, one = Asking(), hook(pod.endpoint.port)
        for about in ("v2", "v2", "v3"):
            assert asking.answered(call(one, about))["check"].passed
            while asking.turn(call(one, about)).get("check") != Reply(about, passed=True):
                time.sleep(0.01)
        assert pod.requests == 2


def test_a_poll_is_repeated_and_its_last_answer_stands_meanwhile() -> None:
    with Pod(in_turn(answers(b"", "403 No"), answers(b"OK"))) as pod:
        asking = Asking()
        gate = call(hook(pod.endpoint.port, type=HookType.CONFIRM_PROMOTION), every=0.2)
        assert not asking.answered(gate)["check"].passed
        end = time.monotonic() + PATIENCE_SECONDS
        while not asking.turn(gate)["check"].passed:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert pod.requests == 2


def test_an_answer_of_a_gate_that_nobody_waited_for_is_forgotten() -> None:
    with Pod(answers(b"OK")) as pod:
        asking = Asking()
        gate = call(hook(pod.endpoint.port, type=HookType.CONFIRM_PROMOTION), every=2.0)
        asking.answered(gate)
        asking.turn()
        assert asking.turn(gate) == {}


def test_a_check_under_way_outlives_a_turn_that_does_not_ask_for_it_but_not_its_release() -> None:
    with Pod(answers(b"OK")) as pod:
        asking, check = Asking(), call(hook(pod.endpoint.port))
        asking.answered(check)
        asking.turn()
        assert asking.turn(check)["check"].passed
        asking.turn(canary=replace(CANARY, status=replace(RELEASING, observed="v3")))
        assert asking.turn() == {}


def test_attempts_end_with_their_release() -> None:
    with Pod(answers(b"", "503 Later\r\nretry-after: 1")) as pod:
        asking = Asking()
        asking.turn(call(hook(pod.endpoint.port, retries=9)))
        while not pod.requests:
            time.sleep(0.01)
        asking.hooks.keep(["another"])
        time.sleep(1.3)
        assert pod.requests == 1
    assert asking.told == []


def test_trap_a_hook_that_hangs_delays_no_other_and_counts_as_late() -> None:
    with Pod(hangs) as slow, Pod(answers(b"")) as quick:
        asking = Asking()
        calls = call(hook(slow.endpoint.port, "slow")), call(hook(quick.endpoint.port, "quick"))
        assert set(asking.answered(*calls, many=1)) == {"quick"}
        asking.hooks.asked["web", "slow"].ends = time.monotonic()
        late = asking.turn(*calls)["slow"]
    assert late.failure == "request failed: no answer within 30 s"


def test_a_place_that_hangs_leaves_room_for_others_and_for_rollbacks() -> None:
    with Pod(hangs) as slow:
        asking, port = Asking(), slow.endpoint.port
        many = [call(hook(port, f"check-{number}")) for number in range(AT_ONCE_EACH + 3)]
        asking.turn(*many)
        assert len(asking.hooks.asked) == AT_ONCE_EACH
        asking.turn(*many, call(hook(port, "rollback", type=HookType.ROLLBACK), every=2.0))
        assert ("web", "rollback") in asking.hooks.asked


def test_metadata_that_cannot_be_rendered_is_a_failure() -> None:
    with Pod(answers(b"")) as pod:
        broken = hook(pod.endpoint.port, metadata={"cmd": "{{ .items }}"})
        found = Asking().answered(call(broken))["check"]
        assert found.failure.startswith("metadata.cmd: {{ .items }}: ")
        assert pod.requests == 0


def test_a_secret_is_sent_and_never_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    def echoes(connection: Any, head: bytes) -> bool:
        return answers(head, "500 Broken")(connection, head)

    with Pod(echoes) as pod:
        url = f"http://ann:s3cret-pass@127.0.0.1:{pod.endpoint.port}/x?token=s3cret-token"
        found = Asking().answered(call(Hook("check", url)))["check"]
    assert "POST /x?*** HTTP/1.1" in found.failure
    assert "Authorization: Basic ***" in found.failure
    assert "s3cret" not in found.failure + caplog.text
