"""gRPC without generated code: bytes in, bytes out, and everything that travels beside them."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import grpc

SERVICE = "shop.Orders"
Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True)
class Call:
    """One call as the client saw it; `heard` is the metadata that reached the server."""

    messages: tuple[bytes, ...]
    heard: Metadata
    initial: Metadata
    trailing: Metadata
    code: str
    details: str


class Orders(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc ships no type information
    """Echoes a stream message by message, with metadata before and after, and fails on demand."""

    def __init__(self) -> None:
        self.heard: Metadata = ()

    def service(self, details: Any) -> Any:
        self.heard = tuple((key, value) for key, value in details.invocation_metadata)
        return grpc.stream_stream_rpc_method_handler(self._echo)

    def _echo(self, received: Iterator[bytes], context: Any) -> Iterator[bytes]:
        context.send_initial_metadata((("x-first", "1"), ("x-bytes-bin", b"\x00\xff")))
        context.set_trailing_metadata((("x-last", "2"), ("x-sum-bin", b"\x01")))
        for message in received:
            if message == b"fail":
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked: 100 %")
            yield message[::-1]


def serve(orders: Orders) -> tuple[Any, int]:
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[orders])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def call(port: int, messages: tuple[bytes, ...], orders: Orders) -> Call:
    """A stream in which each message is sent only once the one before was answered."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        sent: SimpleQueue[bytes | None] = SimpleQueue()
        method = channel.stream_stream(f"/{SERVICE}/Echo")
        stream = method(iter(sent.get, None), metadata=(("x-mine", "a"),), timeout=20)
        read: list[bytes] = []
        with suppress(grpc.RpcError):
            for message in messages:
                sent.put(message)
                read.append(next(stream))
        sent.put(None)
        initial = tuple(stream.initial_metadata())  # waits until the server has heard of the call
        return Call(
            tuple(read),
            orders.heard,
            initial,
            tuple(stream.trailing_metadata()),
            stream.code().name,
            stream.details(),
        )
