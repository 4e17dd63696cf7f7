"""Small HTTP/1.1 upstreams on loopback that behave, or misbehave, exactly as a test says."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from delivery.routers.envoy import Endpoint
from tests.agent.running_router import free_port

Behaviour = Callable[[socket.socket, bytes], bool]
"""Given the connection and the head of a request; True when the connection may go on."""


def head_of_request(connection: socket.socket) -> bytes:
    """Up to the empty line; empty when the caller has gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return b""
        received += part
    return received


def answers(body: bytes, status: str = "200 OK") -> Behaviour:
    def behave(connection: socket.socket, _: bytes) -> bool:
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        connection.sendall(head + body)
        return True

    return behave


def trickles(body: bytes, *, pause: float) -> Behaviour:
    """An answer byte by byte."""

    def behave(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        for byte in body:
            connection.sendall(bytes([byte]))
            time.sleep(pause)
        return True

    return behave


def hangs_up(connection: socket.socket, _: bytes) -> bool:
    return False


def hangs(connection: socket.socket, _: bytes) -> bool:
    """Says nothing more until the caller gives up."""
    while connection.recv(65536):
        pass
    return False


class Held:
    """Answers nobody before `go`: who waits for the answer meanwhile has waited in vain."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or answers(b"")
        self.go = threading.Event()

    def __call__(self, connection: socket.socket, head: bytes) -> bool:
        self.go.wait(60.0)
        return self.behaviour(connection, head)


class Pod:
    """Listens on its own loopback address, each connection in a thread."""

    def __init__(
        self,
        behaviour: Behaviour,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.behaviour = behaviour
        self.tls = tls
        self.endpoint = Endpoint(address, port or free_port(address))
        self.requests = 0
        self.connections = 0
        self._open: set[socket.socket] = set()

    def __enter__(self) -> "Pod":
        self._listener = socket.create_server((self.endpoint.address, self.endpoint.port))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.die()

    @property
    def connected(self) -> int:
        """How many connections are open now."""
        return len(self._open)

    def die(self) -> None:
        """As a killed process: the port is closed and every connection with it."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for connection in tuple(self._open):
            # A close alone would wait for the thread that is reading.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._answer(
                self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            )
        self._open.discard(connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while head := head_of_request(connection):
                self.requests += 1
                if not self.behaviour(connection, head):
                    break
