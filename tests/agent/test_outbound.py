"""Requests to metric backends, real ones on loopback that behave as badly as they can."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agent.outbound import LONGEST, send
from delivery.providers import BadAnswer, Request
from tests.agent.identity import self_signed
from tests.agent.pods import Behaviour, Pod, answers, hangs, hangs_up
from tests.agent.running_router import free_port


def asked(port: int, **changes: object) -> Request:
    request = Request("GET", f"http://127.0.0.1:{port}/api/v1/query?query=up", timeout=10.0)
    return replace(request, **changes)  # type: ignore[arg-type]  # names are checked by replace


def failure(behaviour: Behaviour, *, timeout: float = 10.0) -> str:
    with Pod(behaviour) as pod, pytest.raises(BadAnswer) as raised:
        send(asked(pod.endpoint.port, timeout=timeout))
    return str(raised.value)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "302 Found"])
def test_an_answer_is_taken_as_it_is(status: str) -> None:
    with Pod(answers(b"hello", status)) as pod:
        assert send(asked(pod.endpoint.port)) == (int(status[:3]), b"hello")


def test_what_is_to_be_sent_is_sent() -> None:
    heads: list[bytes] = []

    def listens(connection: object, head: bytes) -> bool:
        heads.append(head)
        return answers(b"")(connection, head)  # type: ignore[arg-type]  # handed through

    own = (("X-Scope-OrgID", "a"), ("X-Scope-OrgID", "b"), ("Authorization", "Bearer abc"))
    with Pod(listens) as pod:
        send(asked(pod.endpoint.port, headers=own))
    (head,) = heads
    assert head.startswith(b"GET /api/v1/query?query=up HTTP/1.1\r\n")
    assert b"X-Scope-OrgID: a, b\r\n" in head or b"X-Scope-OrgID: b\r\n" in head
    assert b"Authorization: Bearer abc\r\n" in head


def test_a_redirect_is_not_followed_with_our_credentials() -> None:
    with Pod(answers(b"elsewhere")) as other:
        moved = f"302 Found\r\nlocation: http://127.0.0.1:{other.endpoint.port}/"
        with Pod(answers(b"", moved)) as pod:
            status, _ = send(asked(pod.endpoint.port))
        assert (status, other.requests) == (302, 0)


def floods(connection: object, head: bytes) -> bool:
    return answers(b"x" * (LONGEST + 1))(connection, head)  # type: ignore[arg-type]  # handed through


def test_a_backend_that_hangs_is_cut_off() -> None:
    assert failure(hangs, timeout=0.3) == "request failed: no answer within 0.3 s"


def test_a_backend_that_trickles_is_cut_off_long_before_its_end() -> None:
    sent = bytearray()

    def trickling(connection: socket.socket, head: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while len(sent) < 1000:
            connection.sendall(b"x")
            sent.append(0)
            time.sleep(0.05)
        return False

    assert failure(trickling, timeout=0.3) == "request failed: no answer within 0.3 s"
    assert len(sent) < 1000


def test_an_answer_without_end_is_cut_off() -> None:
    assert failure(floods) == f"the answer is longer than {LONGEST} bytes"


def test_a_backend_that_hangs_up_is_told_as_that() -> None:
    assert failure(hangs_up) == "request failed: Remote end closed connection without response"


def test_garbage_instead_of_http_is_told_as_that() -> None:
    def garbage(connection: object, head: bytes) -> bool:
        connection.sendall(b"garbage\r\n\r\n")  # type: ignore[attr-defined]  # a socket
        return False

    assert "garbage" in failure(garbage)


def test_a_port_where_nobody_listens_is_told_as_that() -> None:
    with pytest.raises(BadAnswer, match="Connection refused"):
        send(asked(free_port("127.0.0.1")))


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 64 + ".invalid"])
def test_a_name_that_nobody_has_is_told_as_that(host: str) -> None:
    with pytest.raises(BadAnswer, match="^request failed: "):
        send(Request("GET", f"http://{host}/", timeout=10.0))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the library's name
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """The tests look at the answers."""


@contextmanager
def over_tls(folder: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(folder))
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path) -> None:
    with over_tls(tmp_path) as port, pytest.raises(BadAnswer, match="certificate verify failed"):
        send(asked(port, url=f"https://127.0.0.1:{port}/"))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_goes_unchecked_where_that_was_said(tmp_path: Path) -> None:
    with over_tls(tmp_path) as port:
        status, body = send(asked(port, url=f"https://127.0.0.1:{port}/", verify=False))
    assert (status, body) == (200, b"ok")
