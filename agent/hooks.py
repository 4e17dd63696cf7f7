"""Calls hooks in threads of its own: a turn takes the replies that there are, and never waits."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from agent import outbound
from agent.room import Room
from delivery import hook_request
from delivery.canary import Canary
from delivery.hook import Call, HookType, Reply
from delivery.hook_request import Answer
from delivery.providers import BadAnswer, Request
from delivery.templating import TemplateError

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
"""Beyond an attempt's own time-out, for what has none: the look-up of a name."""
AT_ONCE = 64
AT_ONCE_EACH = 8
"""To one place, so that one that hangs leaves room for the others."""

Calling = Callable[[Request], Answer]
Key = tuple[str, str]
"""A Canary and its hook, by their names."""


@dataclass
class Asked:
    """One call under way, or its end; `reply` is written once, by whoever is first."""

    call: Call
    release: tuple[object, ...]
    began: float = field(default_factory=time.monotonic)
    ends: float = field(default_factory=lambda: time.monotonic() + GRACE_SECONDS)
    reply: Reply | None = None
    dropped: threading.Event = field(default_factory=threading.Event)


class Hooks:
    """`answered` wakes the loop; `told` counts: the type, its seconds, whether it failed."""

    def __init__(
        self,
        *,
        answered: Callable[[], None],
        told: Callable[[str, float, bool], None],
        calling: Calling = outbound.call,
    ) -> None:
        self.answered = answered
        self.told = told
        self.calling = calling
        self.asked: dict[Key, Asked] = {}
        self.known: dict[Key, Reply] = {}
        self.room, self.urgent = (Room(AT_ONCE, AT_ONCE_EACH) for _ in range(2))
        self.lock = threading.Lock()

    def replies(self, canary: Canary) -> Mapping[str, Reply]:
        """The last ones of the hooks that are being asked; by name."""
        for key, asked in self.of(canary):
            if asked.reply is None and time.monotonic() > asked.ends:
                late = f"request failed: no answer within {asked.call.hook.timeout:g} s"
                self.settle(asked, Reply(asked.call.about, passed=False, failure=late))
            if asked.reply is not None:
                self.known[key] = asked.reply
        return {key[1]: reply for key, reply in self.known.items() if key[0] == canary.name}

    def of(self, canary: Canary) -> list[tuple[Key, Asked]]:
        return [(key, asked) for key, asked in self.asked.items() if key[0] == canary.name]

    def ask(self, canary: Canary, calls: Iterable[Call]) -> None:
        """Begins what is to be asked now. What is no longer wanted is dropped: an answer of a gate
        that was not waited for says nothing later, and the rest goes with its release.
        """
        release = (canary.uid, canary.status.observed, canary.status.phase_since)
        wanted = {(canary.name, call.hook.name): call for call in calls}
        for key, asked in self.of(canary):
            if key not in wanted and (asked.call.polled or asked.release != release):
                self.drop(key)
        for key, call in wanted.items():
            self.wanted(key, call, canary, release)

    def wanted(self, key: Key, call: Call, canary: Canary, release: tuple[object, ...]) -> None:
        asked = self.asked.get(key)
        if asked is not None and asked.call.about == call.about:
            if asked.reply is None or call.every is None:
                return
            if time.monotonic() - asked.began < call.every:
                return
        elif asked is not None:
            self.drop(key)
        if (begun := self.begin(call, canary, release)) is not None:
            self.asked[key] = begun

    def keep(self, names: Iterable[str]) -> None:
        """Of these Canaries only: the others are gone, or decided by somebody else."""
        kept = set(names)
        for key in [key for key in self.asked if key[0] not in kept]:
            self.drop(key)

    def drop(self, key: Key) -> None:
        self.asked.pop(key).dropped.set()
        self.known.pop(key, None)

    def begin(self, call: Call, canary: Canary, release: tuple[object, ...]) -> Asked | None:
        """None where too much is being asked already: then it is tried at the next turn. What may
        roll back has room of its own.
        """
        room = self.urgent if call.hook.type is HookType.ROLLBACK else self.room
        asked = Asked(call, release)
        # Before the thread runs, for the call counts as late from its own time-out on.
        asked.ends += call.hook.timeout
        place, calling = urlsplit(call.hook.url).netloc, partial(self.run, asked, canary)
        return asked if room.begin(place, f"hook {call.hook.name}", calling) else None

    def run(self, asked: Asked, canary: Canary) -> None:
        hook = asked.call.hook
        try:
            request = hook_request.request_of(canary, asked.call)
            # What is polled is asked again anyway, and soon.
            retries = 0 if asked.call.polled else hook.retries
            failure = attempts(asked, request, retries, self.calling)
            failure = request.redacted(failure)
        except TemplateError as error:
            failure = str(error)
        if asked.dropped.is_set():
            return
        if failure:
            log.info("%s: hook %s: %s", canary.name, hook.name, failure)
        self.told(hook.type.value, time.monotonic() - asked.began, bool(failure))
        if self.settle(asked, Reply(asked.call.about, not failure, failure)):
            self.answered()

    def settle(self, asked: Asked, reply: Reply) -> bool:
        """Whether this was the first word on it."""
        with self.lock:
            if asked.reply is not None:
                return False
            asked.reply = reply
            return True


def attempts(asked: Asked, request: Request, retries: int, calling: Calling) -> str:
    """Why all of them failed; empty where one passed. Ends early when nobody waits for it."""
    number = 0
    while True:
        number += 1
        failure, answer, again = attempt(request, calling)
        if not failure or not again or number > retries:
            break
        pause = hook_request.wait(number, answer)
        asked.ends = time.monotonic() + pause + request.timeout + GRACE_SECONDS
        if asked.dropped.wait(pause):
            break
    return f"{failure}; gave up after {number} attempts" if failure and number > 1 else failure


def attempt(request: Request, calling: Calling) -> tuple[str, Answer | None, bool]:
    """Why it failed, what was answered, and whether it may pass later."""
    try:
        answer = calling(request)
    except BadAnswer as error:
        return str(error), None, True
    if hook_request.passed(answer):
        return "", answer, False
    return hook_request.failure(answer), answer, hook_request.may_pass_later(answer)
