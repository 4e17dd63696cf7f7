"""An app that answers as the exchange says, and shows afterwards what reached it."""

import pickle
import re
import signal
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote_plus

from tests.system.exchanges import EXCHANGES, SLOW, Exchange
from tests.system.raw_http import Message, Wire, answers

_CASE = re.compile(rb"\?case=(.*) HTTP/1")
_BY_HEADER = b"x-case"
"""For requests whose target cannot carry a query."""


class Recorder:
    """Serves on `port`, and on `control` shows the requests of the case that is asked for.

    A program of its own (`python -m tests.system.recorder PORT CONTROL`) where it runs in a pod.
    """

    def __init__(self, address: str, *, port: int = 0, control: int = 0) -> None:
        self._seen: dict[str, list[Message]] = defaultdict(list)
        self._serving = socket.create_server((address, port))
        self._showing = socket.create_server((address, control))
        self.port = int(self._serving.getsockname()[1])
        self.control = int(self._showing.getsockname()[1])

    def start(self) -> None:
        for listener, work in ((self._serving, self._serve), (self._showing, self._show)):
            threading.Thread(target=_accept, args=(listener, work), daemon=True).start()

    def stop(self) -> None:
        for listener in (self._serving, self._showing):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _serve(self, connection: socket.socket) -> None:
        wire = Wire(connection)
        while head := wire.head():
            case = _case(head)
            if not self._answer(wire, head, case, {**EXCHANGES, **SLOW}[case]):
                return

    def _answer(self, wire: Wire, head: Message, case: str, exchange: Exchange) -> bool:
        said = list(exchange.answer)
        if exchange.body:
            wire.connection.sendall(bytes(said.pop(0)))  # type: ignore[arg-type]  # always bytes
        self._seen[case].append(wire.with_body(head, until_close=False))
        for part in said:
            time.sleep(part) if isinstance(part, float) else wire.connection.sendall(part)
        if exchange.spoken:
            wire.connection.sendall(wire.exactly(len(exchange.spoken))[::-1])
        return not (exchange.closes or exchange.spoken)

    def _show(self, connection: socket.socket) -> None:
        case = connection.makefile().readline().strip()
        connection.sendall(pickle.dumps(self._seen.pop(case, [])))


def _case(head: Message) -> str:
    found = _CASE.search(head.start)
    named = found[1] if found else head.value(_BY_HEADER)
    return unquote_plus((named or b"").decode())


def _accept(listener: socket.socket, work: Callable[[socket.socket], None]) -> None:
    def guarded(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            work(connection)

    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=guarded, args=(connection,), daemon=True).start()


@dataclass(frozen=True)
class Seen:
    """One exchange at both ends."""

    requests: list[Message]
    answers: list[Message]
    spoken: bytes = b""


def exchanged(case: str, at: tuple[str, int], control: tuple[str, int]) -> Seen:
    """Has the exchange with `at`, the router or the recorder; `control` is the recorder's."""
    exchange = {**EXCHANGES, **SLOW}[case]
    with socket.create_connection(at, timeout=120) as connection:
        wire = Wire(connection)
        sending = threading.Thread(target=connection.sendall, args=(exchange.request,))
        sending.start()  # While it is being sent the answer may begin: neither side may block.
        read = _read(wire, exchange)
        sending.join()
        spoken = b""
        if exchange.spoken and read[-1].status == 101:
            connection.sendall(exchange.spoken)
            spoken = wire.exactly(len(exchange.spoken))
    return Seen(_recorded(case, control), read, spoken)


def _read(wire: Wire, exchange: Exchange) -> list[Message]:
    if not exchange.body:
        return answers(wire, exchange.answers, exchange.method)
    interim = wire.head()
    wire.connection.sendall(exchange.body)
    assert interim
    return [interim, *answers(wire, exchange.answers, exchange.method)]


def _recorded(case: str, control: tuple[str, int]) -> list[Message]:
    with socket.create_connection(control, timeout=30) as connection:
        connection.sendall(f"{case}\n".encode())
        shown: list[Message] = pickle.load(connection.makefile("rb"))
    return shown


if __name__ == "__main__":
    recorder = Recorder("0.0.0.0", port=int(sys.argv[1]), control=int(sys.argv[2]))
    recorder.start()
    signal.pause()
