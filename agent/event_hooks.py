"""Sends each Event of a Canary to its event hooks, in order, and keeps nobody waiting for them."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent import outbound
from agent.hooks import Asked, Calling, attempts
from delivery import hook_request
from delivery.canary import Canary
from delivery.decision import Message
from delivery.hook import Call, Hook, HookType
from delivery.providers import Request
from delivery.templating import TemplateError

log = logging.getLogger(__name__)

MOST_WAITING = 100
"""Events of one hook: a receiver that is slower than releases loses the oldest ones."""
AT_ONCE = 16
"""Hooks that are being told something."""
Key = tuple[str, str]


@dataclass
class Line:
    """What is still to be told to one hook; only one thread tells it, so that order is kept."""

    waiting: deque[tuple[Hook, Request]] = field(default_factory=deque)
    busy: bool = False


class EventHooks:
    """`told` counts: the type, its seconds, whether it failed; `lost` counts what nobody took.

    `otherwise` is where Events of a Canary go that has no event hook of its own.
    """

    def __init__(
        self,
        *,
        told: Callable[[str, float, bool], None],
        lost: Callable[[], None],
        otherwise: str = "",
        calling: Calling = outbound.call,
    ) -> None:
        self.told = told
        self.lost = lost
        self.otherwise = (Hook("events", otherwise, HookType.EVENT),) if otherwise else ()
        self.calling = calling
        self.lines: dict[Key, Line] = {}
        self.running = 0
        self.lock = threading.Lock()

    def tell(self, canary: Canary, messages: Sequence[Message], now: float) -> None:
        hooks = canary.hooks_of(HookType.EVENT) or self.otherwise
        if not messages or not hooks:
            return
        for hook in hooks:
            for message in messages:
                try:
                    request = hook_request.event_request(canary, hook, message, now)
                except TemplateError as error:
                    log.warning("%s: hook %s: %s", canary.name, hook.name, error)
                else:
                    self.add((canary.name, hook.name), hook, request)
        self.go_on()

    def add(self, key: Key, hook: Hook, request: Request) -> None:
        with self.lock:
            line = self.lines.setdefault(key, Line())
            line.waiting.append((hook, request))
            if full := len(line.waiting) > MOST_WAITING:
                line.waiting.popleft()
        if full:
            self.lost()

    def go_on(self) -> None:
        """A thread for each line that has none, as far as there may be more."""
        with self.lock:
            for key, line in self.lines.items():
                if not line.busy and self.running < AT_ONCE:
                    line.busy, self.running = True, self.running + 1
                    threading.Thread(target=self.run, args=(key, line), daemon=True).start()

    def run(self, key: Key, line: Line) -> None:
        while taken := self.next(key, line):
            self.send(key, *taken)
        self.go_on()

    def next(self, key: Key, line: Line) -> tuple[Hook, Request] | None:
        with self.lock:
            if line.waiting:
                return line.waiting.popleft()
            line.busy, self.running = False, self.running - 1
            self.lines.pop(key, None)
            return None

    def send(self, key: Key, hook: Hook, request: Request) -> None:
        began = time.monotonic()
        asked = Asked(Call(hook, "", "", ""), ())
        failure = request.redacted(attempts(asked, request, hook.retries, self.calling))
        self.told(hook.type.value, time.monotonic() - began, bool(failure))
        if failure:
            log.warning("%s: hook %s: %s", key[0], hook.name, failure)
