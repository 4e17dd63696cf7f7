"""HTTP/1.1 as it stands on the wire: read without interpreting it, and compared line by line."""

import socket
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Header = tuple[bytes, bytes]
"""A name as it was written, and all that followed the colon."""


@dataclass(frozen=True)
class Message:
    """A request or an answer. The body is decoded: chunks are each hop's own affair."""

    start: bytes
    headers: tuple[Header, ...]
    body: bytes = b""
    trailers: tuple[Header, ...] = ()

    def value(self, name: bytes) -> bytes | None:
        found = (value.strip() for key, value in self.headers if key.lower() == name)
        return next(found, None)

    @property
    def status(self) -> int:
        return int(self.start.split()[1])

    @property
    def chunked(self) -> bool:
        return (self.value(b"transfer-encoding") or b"").lower() == b"chunked"


class Wire:
    """One connection, read to the byte."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._received = b""

    def head(self) -> Message | None:
        """The start line and the headers; None when the peer has closed instead."""
        while b"\r\n\r\n" not in self._received:
            if not self._more():
                return None
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        start, *lines = head.split(b"\r\n")
        return Message(start, tuple(_headers(lines)))

    def with_body(self, head: Message, *, until_close: bool) -> Message:
        if head.chunked:
            return self._chunks(head)
        if length := head.value(b"content-length"):
            return Message(head.start, head.headers, self.exactly(int(length)))
        if until_close:
            while self._more():
                continue
            rest, self._received = self._received, b""
            return Message(head.start, head.headers, rest)
        return head

    def exactly(self, size: int) -> bytes:
        parts = [self._received]
        missing = size - len(self._received)
        while missing > 0:
            part = self.connection.recv(min(missing, 1 << 20))
            if not part:
                raise ConnectionResetError(f"{missing} of {size} bytes are missing")
            parts.append(part)
            missing -= len(part)
        whole = b"".join(parts)
        self._received = whole[size:]
        return whole[:size]

    def _chunks(self, head: Message) -> Message:
        body = b""
        while size := int(self._line().partition(b";")[0], 16):
            body += self.exactly(size)
            self._line()
        trailers = tuple(_headers(iter(self._line, b"")))
        return Message(head.start, head.headers, body, trailers)

    def _line(self) -> bytes:
        while b"\r\n" not in self._received:
            if not self._more():
                raise ConnectionResetError("in the middle of a line")
        line, _, self._received = self._received.partition(b"\r\n")
        return line

    def _more(self) -> bool:
        part = self.connection.recv(1 << 16)
        self._received += part
        return bool(part)


def _headers(lines: Iterable[bytes]) -> Iterator[Header]:
    for line in lines:
        name, _, value = line.partition(b":")
        yield name, value


def answers(wire: Wire, count: int, method: bytes) -> list[Message]:
    """So many final answers, with all 1xx ones that come before."""
    read: list[Message] = []
    while count and (head := wire.head()):
        if head.status < 200 and head.status != 101:
            read.append(head)
            continue
        count -= 1
        bodiless = method == b"HEAD" or head.status in (101, 204, 304)
        read.append(head if bodiless else wire.with_body(head, until_close=True))
    return read


def differences(around: list[Message], through: list[Message]) -> list[str]:
    """What the router changed, line by line: `- ` is gone, `+ ` is new."""
    if len(around) != len(through):
        return [f"{len(around)} messages -> {len(through)}"]
    return [change for pair in zip(around, through, strict=True) for change in _changes(*pair)]


def _changes(around: Message, through: Message) -> Iterator[str]:
    words = zip(around.start.split(maxsplit=2), through.start.split(maxsplit=2), strict=True)
    yield from (f"{old.decode()} -> {new.decode()}" for old, new in words if old != new)
    yield from _header_changes(around.headers, through.headers)
    if around.body != through.body:
        yield f"body of {len(around.body)} bytes -> {len(through.body)}"
    for change in _header_changes(around.trailers, through.trailers):
        yield f"trailer {change}"


def _header_changes(around: tuple[Header, ...], through: tuple[Header, ...]) -> Iterator[str]:
    gone, new = Counter(around) - Counter(through), Counter(through) - Counter(around)
    yield from (f"- {line}" for line in sorted(map(_shown, gone.elements())))
    yield from (f"+ {line}" for line in sorted(map(_shown, new.elements())))
    kept = set(around) & set(through)
    if [one for one in around if one in kept] != [one for one in through if one in kept]:
        yield "order"


def _shown(header: Header) -> str:
    line = b":".join(header).decode()
    return line if len(line) < 80 else f"{line[:60]}... ({len(line)} bytes)"
