"""HTTP/2 frames by hand: enough to be a client, or a pod that breaks off where a test says."""

import socket
import struct
from collections.abc import Callable

from tests.agent.pods import Behaviour

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
STATUS_200, STATUS_500 = b"\x88", b"\x8e"
GET_ROOT = b"\x82\x86\x84\x41\x04shop"
INTERNAL_ERROR, REFUSED_STREAM, CANCEL = 2, 7, 8

OnStream = Callable[[socket.socket, int], bool]
"""Given the connection and a stream's number; True when the connection may go on."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class Frames:
    """What comes in on a connection, frame by frame; `received` has been read already."""

    def __init__(self, connection: socket.socket, received: bytes = b"") -> None:
        self._connection = connection
        self._received = received

    def skip(self, size: int) -> None:
        self._exactly(size)

    def next(self) -> tuple[int, int, int, bytes]:
        """Kind, flags, stream, payload; ConnectionError when the peer has gone."""
        head = self._exactly(9)
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        return kind, flags, stream, self._exactly(int.from_bytes(head[:3], "big"))

    def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            part = self._connection.recv(65536)
            if not part:
                raise ConnectionResetError("the peer has gone")
            self._received += part
        taken, self._received = self._received[:size], self._received[size:]
        return taken


def reset(stream: int, code: int) -> bytes:
    return frame(RESET, 0, stream, struct.pack(">I", code))


def answer(stream: int, body: bytes = b"ok") -> bytes:
    head = frame(HEADERS, END_HEADERS, stream, STATUS_200)
    return head + frame(DATA, END_STREAM, stream, body)


def speaks_http2(on_stream: OnStream) -> Behaviour:
    """`pods.Pod` reads up to the first empty line, which is in the middle of the preface."""

    def behave(connection: socket.socket, received: bytes) -> bool:
        frames = Frames(connection, received)
        frames.skip(len(PREFACE))
        connection.sendall(frame(SETTINGS, 0, 0))
        while True:
            kind, flags, stream, _ = frames.next()
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            if kind == HEADERS and not on_stream(connection, stream):
                return False

    return behave


def request(port: int) -> str:
    """`GET /` with prior knowledge, as its caller saw it end: whole, error (5xx) or broken."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
        connection.sendall(frame(HEADERS, END_STREAM | END_HEADERS, 1, GET_ROOT))
        frames = Frames(connection)
        while True:
            kind, flags, stream, payload = frames.next()
            if stream == 1 and kind == RESET:
                return "broken"
            if stream == 1 and kind == HEADERS and payload[:1] != STATUS_200:
                return "error"
            if stream == 1 and flags & END_STREAM:
                return "whole"
