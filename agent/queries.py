"""Asks metric backends in threads of its own: a turn takes what is there, and never waits."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from agent.offered import NotOffered
from agent.outbound import send
from agent.room import Room
from agent.secrets import Unallowed, Unread
from delivery.canary import Canary
from delivery.observation import Measurement
from delivery.providers import BadAnswer, BadSettings, NoValues, QueryError, Request
from delivery.providers.interface import TIMEOUT_SECONDS
from delivery.questions import (
    Key,
    Prepared,
    Question,
    Unasked,
    Way,
    due,
    failure,
    place,
    prepared,
    unsettled,
)
from delivery.references import SECRET, Named, template_of

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
"""Beyond a request's own time-out, for what has none: the look-up of a name, the Secret."""
AT_ONCE = 64
AT_ONCE_EACH = 8
"""To one backend, so that one that hangs leaves room for the others."""


class Withdrawn(Unasked):
    """What was offered is no more."""


Send = Callable[[Request], tuple[int, bytes]]


@dataclass
class Answer:
    """What one question brings; `measured` is written once, by whoever is first."""

    began: float = field(default_factory=time.monotonic)
    allowed: float = TIMEOUT_SECONDS + GRACE_SECONDS
    ended: float | None = None
    measured: Measurement | None = None


@dataclass
class Round:
    """The questions of one Canary between two verdicts; the next verdict asks anew."""

    since: tuple[Any, ...]
    answers: dict[Key, Answer] = field(default_factory=dict)


class Queries:
    """`answered` wakes the loop; `told` counts: the provider, its seconds, whether it failed."""

    def __init__(
        self,
        secret: Callable[[Named], Mapping[str, str]],
        *,
        find: Callable[[Named], Mapping[str, Any] | None],
        answered: Callable[[], None],
        told: Callable[[str, float, bool], None],
        sending: Send = send,
    ) -> None:
        self.secret = secret
        self.find = find
        self.answered = answered
        self.told = told
        self.sending = sending
        self.rounds: dict[str, Round] = {}
        self.room = Room(AT_ONCE, AT_ONCE_EACH)
        self.lock = threading.Lock()

    def measurements(self, canary: Canary, now: float) -> Mapping[Key, Measurement]:
        """What is known by now of that which is due; what is not asked yet is asked."""
        asked = due(canary, now)
        if not asked:
            self.rounds.pop(canary.name, None)
            return {}
        status = canary.status
        since = (canary.uid, status.observed, status.phase_since, status.last_check)
        found = self.rounds.get(canary.name)
        if found is None or found.since != since:
            found = self.rounds[canary.name] = Round(since)
        known = {question.key: self.answer(found, canary, question, now) for question in asked}
        return {key: measured for key, measured in known.items() if measured is not None}

    def answer(
        self, found: Round, canary: Canary, question: Question, now: float
    ) -> Measurement | None:
        """An answer serves for one interval: whoever waits longer is told how it is then."""
        answer, moment = found.answers.get(question.key), time.monotonic()
        if answer is not None and answer.measured is None:
            if moment - answer.began > answer.allowed:
                late = BadAnswer(f"request failed: no answer within {TIMEOUT_SECONDS:g} s")
                self.settle(answer, Measurement(failure=failure(canary, question, late)))
            return answer.measured
        fresh = answer is not None and moment - (answer.ended or 0.0) < canary.analysis.interval
        if answer is not None and fresh:
            return answer.measured
        if (begun := self.begin(canary, question, now)) is not None:
            found.answers[question.key] = begun
        return None

    def begin(self, canary: Canary, question: Question, now: float) -> Answer | None:
        """None where too much is being asked already, or its template is not offered: then it is
        tried at the next turn.
        """
        try:
            template = self.template(canary, question)
        except NotOffered:
            return None
        where, answer = place(canary, question), Answer()
        asking = partial(self.ask, answer, canary, question, template, now)
        return answer if self.room.begin(where, f"query {question.metric.name}", asking) else None

    def template(self, canary: Canary, question: Question) -> Mapping[str, Any] | None:
        if question.way is not Way.TEMPLATE:
            return None
        return self.find(template_of(canary, question.metric))

    def ask(
        self,
        answer: Answer,
        canary: Canary,
        question: Question,
        template: Mapping[str, Any] | None,
        now: float,
    ) -> None:
        """All of it in the question's own thread, the writing of its query too."""
        kind = "unknown"
        try:
            made = prepared(canary, question, template, now=now)
            kind = made.kind
            measured = self.measured(answer, canary, question, made)
        except Unasked as error:
            measured = Measurement(failure=str(error), early=isinstance(error, Withdrawn))
        failed = measured.value is None
        if failed:
            log.info("%s: %s", canary.name, measured.failure)
        self.told(kind, time.monotonic() - answer.began, failed)
        if self.settle(answer, measured):
            self.answered()

    def measured(
        self, answer: Answer, canary: Canary, question: Question, made: Prepared
    ) -> Measurement:
        request = self.request(canary, question, made)
        answer.allowed = time.monotonic() - answer.began + request.timeout + GRACE_SECONDS
        try:
            value = made.provider.parse(*self.sending(request))
        except QueryError as error:
            early = made.cut and isinstance(error, NoValues)
            text = request.redacted(failure(canary, question, error))
            return Measurement(failure=text, early=early)
        return Measurement(value)

    def request(self, canary: Canary, question: Question, made: Prepared) -> Request:
        settings, owner = made.settings, template_of(canary, question.metric).namespace
        try:
            if made.secret:
                secret = self.secret(Named(SECRET, owner, made.secret))
                settings = replace(settings, secret=secret)
            return made.provider.request(made.query, settings)
        except Unallowed as error:
            said = f"secret {made.secret} error: {error}"
            if owner != canary.namespace:
                # Taken back a moment ago: that says nothing of the release, which halts for it.
                raise Withdrawn(unsettled(canary, question, said)) from error
        except Unread as error:
            said = f"secret {made.secret} error: {error}"
        except BadSettings as error:
            said = f"provider {made.kind} error: {error}"
        raise Unasked(unsettled(canary, question, said))

    def settle(self, answer: Answer, measured: Measurement) -> bool:
        """Whether this was the first word on it."""
        with self.lock:
            if answer.measured is not None:
                return False
            answer.measured, answer.ended = measured, time.monotonic()
            return True
