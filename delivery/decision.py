"""What was decided, as a value: the next status, what is said about it, and the effects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery.alert import Alert
from delivery.canary import Canary
from delivery.frozen import frozen
from delivery.hook import Call

NORMAL = "Normal"
WARNING = "Warning"


@dataclass(frozen=True)
class Message:
    """An Event on the Canary, in Flagger's words where Flagger has such an event."""

    type: str
    text: str


@dataclass(frozen=True)
class Apply:
    """Server-side apply of an object that is ours."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class Replace:
    """An object that is ours alone, whole: what others have put into it goes, which an apply could
    not take away, and what its lists say twice stays. It names the resourceVersion that was seen,
    and is made where it names none; `why` is told where somebody else had changed it.
    """

    manifest: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True)
class Create:
    """An object that a user could have written, and who owns it from then on; where one of that
    name is there already, it stays as it is.
    """

    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class Annotate:
    """An intent, said by annotation on an object of the user's; admission makes it so.

    `shows` is the merge patch that the answer must agree with; where it does not (admission is
    down), that patch is what the agent writes itself. `version` is the resourceVersion that was
    seen: if the object changed since, nothing is written and the next look decides anew.
    `ends` are fields that go in the very same write: where no annotation asks for them any more,
    nobody could tell later that they were ours. What is removed gets no owner.
    `hopes` is what admission alone does: where it does not, that is only said.
    """

    kind: str
    name: str
    annotations: Mapping[str, str | None]
    shows: Mapping[str, Any] = field(default_factory=frozen)
    version: str = ""
    ends: Mapping[str, Any] = field(default_factory=frozen)
    hopes: Mapping[str, Any] = field(default_factory=frozen)


@dataclass(frozen=True)
class Write:
    """An object that a user wrote, whole, as it was seen but for what is routed; it names its
    resourceVersion. What we changed gets no owner; `last`: nothing else of it is ours any more.
    """

    manifest: Mapping[str, Any]
    last: bool = False


@dataclass(frozen=True)
class Delete:
    """Removal of an object that is ours."""

    kind: str
    name: str


@dataclass(frozen=True)
class Restore:
    """A field of the user's, put back as it serves: the one thing that no annotation can say.

    `manifest` is the whole object as it was seen, with that field replaced.
    """

    manifest: Mapping[str, Any]
    why: str


@dataclass(frozen=True)
class Disown:
    """The fields of a user's object that we hold get no owner; `fields` are its managedFields."""

    kind: str
    name: str
    fields: tuple[Mapping[str, Any], ...]
    version: str


@dataclass(frozen=True)
class Claim:
    """Something that another program made becomes ours by its metadata alone: nothing restarts."""

    kind: str
    name: str
    metadata: Mapping[str, Any]
    version: str


@dataclass(frozen=True)
class Consume:
    """A person's annotations on the Canary that were acted on: taken off, where nothing changed."""

    annotations: Mapping[str, str | None]


Effect = Apply | Annotate | Claim | Consume | Create | Delete | Disown | Replace | Restore | Write


@dataclass(frozen=True)
class Decision:
    """The next canary and why; its status is written before any effect is performed.

    `asks` are the hooks whose answers are wanted at the next look.
    """

    canary: Canary
    reason: str
    messages: tuple[Message, ...] = ()
    asks: tuple[Call, ...] = ()
    alert: Alert | None = None


def normal(text: str) -> Message:
    return Message(NORMAL, text)


def warning(text: str) -> Message:
    return Message(WARNING, text)
