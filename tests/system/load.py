"""Clients for the tests: requests at a fixed rate, and streams that stay open."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import grpc
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from demo.namespace import Namespace
from demo.shop import GRPC_PORT
from demo.traffic import Answer, Traffic, foreign, on_the_node
from demo.waiting import eventually

KEPT = ("--keep-alive", "10")
FRESH = ("--keep-alive", "0")


@dataclass
class Load:
    """Starts clients on the node; what a test left running is ended after it."""

    running: list[Traffic] = field(default_factory=list)

    def __call__(self, place: Namespace, *options: str, url: str = "") -> Traffic:
        """Requests to the shop's Service, or another, the first of which have been answered."""
        traffic = on_the_node(url or place.address(), *options)
        self.running.append(traffic)
        eventually("a first answer", lambda: traffic.answers, timeout=40)
        return traffic

    def end(self) -> None:
        for traffic in self.running:
            if traffic.process.poll() is None:
                traffic.stop()


def losses(*clients: Traffic) -> list[Answer]:
    """Stop these clients; the failures among their answers that the app did not make."""
    return [answer for client in clients for answer in foreign(client.stop())]


@dataclass
class Stream:
    """A stream of ticks, read in a thread until it is closed or breaks."""

    source: Iterator[bytes | str]
    cancel: Callable[[], object]
    ticks: list[int] = field(default_factory=list)
    broken: str = ""
    closing: bool = False

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        try:
            self.ticks.extend(json.loads(line)["tick"] for line in self.source)
            self.broken = "" if self.closing else "the other end closed it"
        except (grpc.RpcError, ConnectionClosed, OSError) as error:
            self.broken = "" if self.closing else repr(error)

    def goes_on(self) -> None:
        """Wait for another tick."""
        seen = len(self.ticks)
        eventually("another tick", lambda: len(self.ticks) > seen or self.broken, timeout=5)

    def close(self) -> None:
        self.closing = True
        self.cancel()
        self.reader.join(timeout=10)

    @property
    def whole(self) -> bool:
        """Nothing was missed, and nobody closed it but us."""
        return not self.broken and self.ticks == list(range(len(self.ticks)))


def websocket(place: Namespace) -> Stream:
    url = place.address().replace("http://", "ws://") + "ws"
    connection: ClientConnection = connect(url, open_timeout=10, proxy=None).__enter__()
    return Stream(iter(connection), connection.close)


def grpc_channel(place: Namespace) -> grpc.Channel:
    target = place.address(port=GRPC_PORT).removeprefix("http://").removesuffix("/")
    return grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)])


@dataclass
class Orders:
    """gRPC calls one after another until they are stopped, and how many ended with which status."""

    channel: grpc.Channel
    pause: float = 0.02
    ended: Counter[str] = field(default_factory=Counter)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.caller = threading.Thread(target=self.call, daemon=True)
        self.caller.start()
        eventually("a first answer", lambda: self.ended["OK"], timeout=40)

    def call(self) -> None:
        order = self.channel.unary_unary("/shop.Shop/Order")
        while not self.stopped.wait(self.pause):
            try:
                order(b"", timeout=5, wait_for_ready=True)
                self.ended["OK"] += 1
            except grpc.RpcError as error:
                self.ended[error.code().name] += 1

    def stop(self) -> Counter[str]:
        self.stopped.set()
        self.caller.join(timeout=10)
        self.channel.close()
        return self.ended


def grpc_stream(place: Namespace) -> Stream:
    channel = grpc_channel(place)
    call = channel.unary_stream("/shop.Shop/Ticks")(b"", wait_for_ready=True)
    return Stream(call, lambda: (call.cancel(), channel.close()))
