"""A call of a hook as an HTTP request in Flagger's form (reference, 3), and its answer."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from delivery import templating
from delivery.api.duration import duration
from delivery.canary import Canary
from delivery.decision import Message
from delivery.frozen import frozen
from delivery.hook import Call, Hook
from delivery.providers.interface import HIDDEN, Request, beginning
from delivery.templating import TemplateError
from delivery.templating.functions import BUILT_IN as FUNCTIONS

VALUES = (
    "name",
    "namespace",
    "target",
    "service",
    "ingress",
    "route",
    "interval",
    "phase",
    "canaryWeight",
)
"""What metadata may call beside the functions of the language."""
KNOWN = frozenset(FUNCTIONS) | frozenset(VALUES)
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds between two attempts, doubled each time."""
BUSY = (429, 503)
"""Who answers so may say when to come again."""


@dataclass(frozen=True)
class Answer:
    """What came over HTTP; `body` is only its beginning, and nobody waits for that of a success."""

    status: int
    headers: Mapping[str, str] = field(default_factory=frozen)
    body: bytes = b""


def request_of(canary: Canary, call: Call) -> Request:
    """Raises TemplateError where metadata cannot be rendered."""
    rendered = metadata(canary, call.hook, call.phase)
    # A poll asks how it stands now: its answer must not be taken from memory.
    key = () if call.polled else (("Idempotency-Key", identity(canary, call)),)
    return posted(canary, call.hook, (call.phase, call.checksum), rendered, key)


def event_request(canary: Canary, hook: Hook, message: Message, now: float) -> Request:
    """The text of an Event, as Flagger sends it; of equal names the hook's own metadata is left."""
    status = canary.status
    told = {
        "eventMessage": message.text,
        "eventType": message.type,
        "timestamp": str(round(now * 1000)),
    }
    rendered = metadata(canary, hook, status.phase) | told
    return posted(canary, hook, (status.phase, status.observed), rendered)


def posted(
    canary: Canary,
    hook: Hook,
    about: tuple[str, str],
    rendered: Mapping[str, str],
    headers: tuple[tuple[str, str], ...] = (),
) -> Request:
    payload: dict[str, object] = {
        "name": canary.name,
        "namespace": canary.namespace,
        "phase": about[0],
        "checksum": about[1],
    }
    if rendered:
        payload["metadata"] = dict(sorted(rendered.items()))
    parts = urlsplit(hook.url)
    host = parts.netloc.rpartition("@")[2]
    return Request(
        "POST",
        urlunsplit((parts.scheme, host, parts.path or "/", parts.query, "")),
        (("Content-Type", "application/json"), *login(parts), *headers),
        json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode(),
        timeout=hook.timeout,
        verify=not hook.insecure,
        secrets=secrets(parts),
    )


def login(parts: SplitResult) -> tuple[tuple[str, str], ...]:
    """What the URL says before its @ goes as basic authentication."""
    name, password = (unquote(part or "") for part in (parts.username, parts.password))
    if not name and not password:
        return ()
    coded = b64encode(f"{name}:{password}".encode()).decode()
    return (("Authorization", f"Basic {coded}"),)


def secrets(parts: SplitResult) -> tuple[str, ...]:
    """What no text may show: user information and the query, as written and as meant."""
    said = parts.netloc.rpartition("@")[0]
    meant = [unquote(part) for part in (parts.username, parts.password) if part]
    coded = [value.removeprefix("Basic ") for _, value in login(parts)]
    values = [value for _, value in parse_qsl(parts.query)]
    return tuple(one for one in (said, *meant, *coded, parts.query, *values) if one)


def redacted(url: str) -> str:
    """A URL that may be shown."""
    parts = urlsplit(url)
    said, _, host = parts.netloc.rpartition("@")
    query = HIDDEN if parts.query else ""
    return urlunsplit((parts.scheme, f"{HIDDEN}@{host}" if said else host, parts.path, query, ""))


def identity(canary: Canary, call: Call) -> str:
    """The same for every attempt at a call, whoever makes it: an agent may die over the first."""
    whole = "\n".join((canary.uid, canary.namespace, canary.name, call.hook.name, call.about))
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def metadata(canary: Canary, hook: Hook, phase: str) -> dict[str, str]:
    service = canary.service or canary.status.apex or canary.target
    values: dict[str, object] = {
        "name": canary.name,
        "namespace": canary.namespace,
        "target": canary.target,
        "service": service,
        "ingress": canary.target,
        "route": canary.target,
        "interval": duration(canary.analysis.interval),
        "phase": str(phase),
        "canaryWeight": canary.status.canary_weight,
    }
    return {key: rendered(key, text, values) for key, text in hook.metadata.items()}


def rendered(key: str, text: str, values: Mapping[str, object]) -> str:
    try:
        return templating.render(templating.parse(text, KNOWN), values)
    except TemplateError as error:
        raise TemplateError(f"metadata.{key}: {error}") from error


def passed(answer: Answer) -> bool:
    return 200 <= answer.status <= 299


def failure(answer: Answer) -> str:
    """Why an answer is no success, with the answer's own words."""
    if 300 <= answer.status <= 399 and "location" in answer.headers:
        there = redacted(answer.headers["location"])
        return f"status {answer.status}: redirects are not followed; set url to {there}"
    words = beginning(answer.body)
    return f"status {answer.status}: {words}" if words else f"status {answer.status}"


def may_pass_later(answer: Answer) -> bool:
    """As Flagger's client sees it: too many requests, and faults of the server (reference, 3.1)."""
    return answer.status == 429 or (answer.status >= 500 and answer.status != 501)


def wait(attempt: int, answer: Answer | None) -> float:
    """Seconds until the next attempt, behind the one of this number; the first has number 1."""
    asked = answer.headers.get("retry-after", "") if answer and answer.status in BUSY else ""
    if asked.isdecimal():
        return min(LONGEST_WAIT, float(asked))
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 10))
