"""Events to real hooks on loopback: all of them, in order, and nobody waits for a slow receiver."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from agent.event_hooks import MOST_WAITING, EventHooks
from delivery.canary import Analysis, Canary, Phase, Status
from delivery.decision import Message, normal
from delivery.hook import Hook, HookType
from tests.agent.pods import Pod, answers, hangs
from tests.agent.running_router import eventually

PATIENCE_SECONDS = 30.0
"""What a receiver may take."""


class Receiver:
    """Keeps what it was told."""

    def __init__(self, pause: float = 0.0, status: str = "200 OK", *, deaf: bool = False) -> None:
        self.texts: list[str] = []
        self.pause = pause
        self.deaf = deaf
        self.status = status

    def __call__(self, connection: Any, head: bytes) -> bool:
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        body = head.partition(b"\r\n\r\n")[2]
        while len(body) < int(length.partition(b":")[2]):
            body += connection.recv(65536)
        self.texts.append(json.loads(body)["metadata"]["eventMessage"])
        time.sleep(self.pause)
        return hangs(connection, head) if self.deaf else answers(b"", self.status)(connection, head)


class Telling:
    def __init__(self, otherwise: str = "") -> None:
        self.told: list[tuple[str, bool]] = []
        self.lost = 0
        self.hooks = EventHooks(
            told=lambda kind, _, failed: self.told.append((kind, failed)),
            lost=self.lose,
            otherwise=otherwise,
        )

    def lose(self) -> None:
        self.lost += 1

    def tell(self, canary: Canary, *messages: Message) -> None:
        self.hooks.tell(canary, messages, 1000.0)

    def until(self, many: int) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while len(self.told) < many:
            assert time.monotonic() < end, f"{self.told}"
            time.sleep(0.01)


def canary(*ports: int, **changes: Any) -> Canary:
    hooks = tuple(
        Hook(
            f"to-{port}",
            f"http://127.0.0.1:{port}/",
            HookType.EVENT,
            **{"timeout": PATIENCE_SECONDS, **changes},
        )
        for port in ports
    )
    status = Status(Phase.PROGRESSING, observed="v2")
    return Canary("web", "shop", "app", Analysis(hooks=hooks), status=status)


def test_every_receiver_is_told_all_of_it_in_order() -> None:
    one, other, telling = Receiver(), Receiver(pause=0.01), Telling()
    with Pod(one) as first, Pod(other) as second:
        found = canary(first.endpoint.port, second.endpoint.port)
        for number in range(5):
            telling.tell(found, normal(f"{number}a"), normal(f"{number}b"))
        telling.until(20)
    assert one.texts == other.texts == [f"{number}{part}" for number in range(5) for part in "ab"]
    assert set(telling.told) == {("event", False)}


def test_trap_a_receiver_that_hangs_keeps_nobody_and_loses_only_its_own() -> None:
    slow, quick, telling = Receiver(deaf=True), Receiver(), Telling()
    with Pod(slow) as first, Pod(quick) as second:
        found = canary(first.endpoint.port, second.endpoint.port)
        for number in range(MOST_WAITING + 3):
            telling.tell(found, normal(str(number)))
            eventually(lambda: len(quick.texts) > number)  # noqa: B023  # within this turn
        assert telling.lost in (2, 3)
        telling.until(MOST_WAITING + 3)
        assert telling.told == [("event", False)] * (MOST_WAITING + 3)


def test_an_event_is_tried_again_as_often_as_its_hook_says() -> None:
    receiver, telling = Receiver(status="503 Later\r\nretry-after: 0"), Telling()
    with Pod(receiver) as pod:
        telling.tell(canary(pod.endpoint.port, retries=1), normal("once"))
        telling.until(1)
    assert receiver.texts == ["once", "once"]
    assert telling.told == [("event", True)]


def test_the_installations_hook_hears_of_canaries_without_one_of_their_own() -> None:
    everywhere, own = Receiver(), Receiver()
    with Pod(everywhere) as first, Pod(own) as second:
        telling = Telling(f"http://127.0.0.1:{first.endpoint.port}/")
        telling.tell(canary(), normal("of this one"))
        telling.tell(canary(second.endpoint.port), normal("of that one"))
        telling.until(2)
    assert (everywhere.texts, own.texts) == (["of this one"], ["of that one"])


def test_without_event_hooks_nobody_is_told() -> None:
    telling = Telling()
    found = canary(1)
    telling.tell(found)
    telling.tell(replace(found, analysis=Analysis()), normal("anything"))
    assert not telling.hooks.lines


def test_what_cannot_be_rendered_is_logged_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telling = Telling()
    telling.tell(canary(1, metadata={"a": "{{ .b }}"}), normal("anything"))
    assert "hook to-1: metadata.a" in caplog.text
    assert not telling.hooks.lines
