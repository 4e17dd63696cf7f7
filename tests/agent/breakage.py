"""Ways for a pod to fail a request, in HTTP/1.1 and in HTTP/2, and what became of it."""

import http.client
import socket
import struct

from delivery.routers.transparent import DELAYED_CLOSE
from tests.agent import http2
from tests.agent.pods import Behaviour, answers, hangs_up

HEAD = b"HTTP/1.1 200 OK\r\n"


def abort(connection: socket.socket) -> bool:
    """Closes with a TCP reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def close(connection: socket.socket) -> bool:
    """In good order: a close with something unread is a reset, which may overtake what was sent."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        continue
    return False


def says(text: bytes) -> Behaviour:
    """Sends this and hangs up."""

    def behave(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(text)
        return False

    return behave


def aborts(connection: socket.socket, _: bytes) -> bool:
    return abort(connection)


def _begun(stream: int) -> bytes:
    head = http2.frame(http2.HEADERS, http2.END_HEADERS, stream, http2.STATUS_200)
    return head + http2.frame(http2.DATA, 0, stream, b"abc")


def resets_stream(connection: socket.socket, stream: int) -> bool:
    connection.sendall(http2.reset(stream, http2.INTERNAL_ERROR))
    return True


def refuses_stream(connection: socket.socket, stream: int) -> bool:
    connection.sendall(http2.reset(stream, http2.REFUSED_STREAM))
    return True


def resets_stream_midway(connection: socket.socket, stream: int) -> bool:
    connection.sendall(_begun(stream) + http2.reset(stream, http2.INTERNAL_ERROR))
    return True


def closes_midway(connection: socket.socket, stream: int) -> bool:
    connection.sendall(_begun(stream))
    return close(connection)


def closes_before(connection: socket.socket, stream: int) -> bool:
    return False


def answers_stream(connection: socket.socket, stream: int) -> bool:
    connection.sendall(http2.answer(stream))
    return True


def fails_stream(connection: socket.socket, stream: int) -> bool:
    flags = http2.END_HEADERS | http2.END_STREAM
    connection.sendall(http2.frame(http2.HEADERS, flags, stream, http2.STATUS_500))
    return True


HTTP1: dict[str, tuple[Behaviour, str]] = {
    "answers": (answers(b"ok"), "whole"),
    "answers 404": (answers(b"", "404 Not Found"), "whole"),
    "answers 500": (answers(b"", "500 Oh"), "error"),
    "hangs up before": (hangs_up, "error"),
    "aborts before": (aborts, "error"),
    "is no HTTP": (says(b"HTTX nonsense\r\n\r\n"), "error"),
    "ends at the end": (says(HEAD + b"\r\nabc"), "whole"),
    "breaks off a body": (says(HEAD + b"content-length: 9\r\n\r\nabc"), "broken"),
    "breaks off chunks": (says(HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc"), "broken"),
}
"""What a pod does, and what the caller then sees."""

HTTP2: dict[str, tuple[Behaviour, str]] = {
    "answers": (http2.speaks_http2(answers_stream), "whole"),
    "answers 500": (http2.speaks_http2(fails_stream), "error"),
    "resets before": (http2.speaks_http2(resets_stream), "error"),
    "resets midway": (http2.speaks_http2(resets_stream_midway), "broken"),
    "closes before": (http2.speaks_http2(closes_before), "error"),
    "closes midway": (http2.speaks_http2(closes_midway), "broken"),
}


def outcome(port: int) -> str:
    """One HTTP/1.1 request, as its caller saw it end: whole, error (5xx) or broken."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3 * DELAYED_CLOSE.seconds)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
    except http.client.IncompleteRead:
        return "broken"
    finally:
        connection.close()
    return "error" if answer.status >= 500 else "whole"
