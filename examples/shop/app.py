"""The shop: a small HTTP service that starts fast, fails only as told, and drains properly.

Settings come from the environment: VERSION names the release, ERROR_RATE (0 to 1) is the share of
answers that are a 500, DELAY_MS is waited before each answer, COLD_REQUESTS is how many first
answers take two seconds. `PUT /settings?error_rate=0.5` changes one pod while it runs. GRPC_PORT,
when set, opens gRPC (h2c) beside HTTP: a server stream, and calls that fail as often, with INTERNAL
in an HTTP 200. Every answer carries X-Shop-Version, and every failure that the shop makes itself
carries X-Shop-Failure, so that failures made by anything else can be told apart.
"""

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

HEAD_LIMIT = 64 * 1024
COLD_SECONDS = 2.0
OWN = ("/healthz", "/settings")
"""Paths that no user calls."""


@dataclass
class Shop:
    """What this instance was told to be, and what it has open."""

    version: str = os.environ.get("VERSION", "v1")
    error_rate: float = float(os.environ.get("ERROR_RATE", "0"))
    delay: float = float(os.environ.get("DELAY_MS", "0")) / 1000
    cold: int = int(os.environ.get("COLD_REQUESTS", "0"))
    port: int = int(os.environ.get("PORT", "8080"))
    grpc_port: int = int(os.environ.get("GRPC_PORT", "0"))
    drain_seconds: float = float(os.environ.get("DRAIN_SECONDS", "20"))
    idle_seconds: float = float(os.environ.get("DRAIN_IDLE_SECONDS", "15"))
    pod: str = field(default_factory=socket.gethostname)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0

    async def pause(self, path: str) -> None:
        """What a user has to wait."""
        if path in OWN:
            return
        self.cold, cold = max(0, self.cold - 1), self.cold > 0
        await asyncio.sleep(COLD_SECONDS if cold else self.delay)

    def answer(self, path: str, query: str) -> tuple[HTTPStatus, dict[str, str]]:
        """The status of one request, with what an intended failure adds to its headers."""
        if path == "/settings":
            self.error_rate = float(dict(parse_qsl(query)).get("error_rate", self.error_rate))
            return HTTPStatus.OK, {}
        if path == "/healthz":
            leaving = self.draining.is_set()
            return HTTPStatus.SERVICE_UNAVAILABLE if leaving else HTTPStatus.OK, {}
        if random.random() < self.error_rate:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"X-Shop-Failure": "intended"}
        return HTTPStatus.OK, {}


@dataclass(frozen=True)
class Request:
    """The head of one HTTP/1.1 request."""

    raw: bytes
    method: str
    path: str
    headers: dict[str, str]

    @property
    def closes(self) -> bool:
        return "close" in self.headers.get("connection", "").lower()

    @property
    def upgrades(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"


async def serve_connection(
    shop: Shop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection until either end has enough."""
    shop.open += 1
    try:
        await serve_requests(shop, reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # the client went away, or does not speak HTTP: nothing is owed to it
    finally:
        shop.open -= 1
        writer.close()


async def serve_requests(
    shop: Shop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while request := await next_request(shop, reader):
        if request.upgrades:
            await serve_websocket(shop, request, reader, writer)
            return
        await discard_body(request, reader, writer)
        await shop.pause(request.path.partition("?")[0])
        last = request.closes or shop.draining.is_set()
        writer.write(answered(shop, request, last=last))
        await writer.drain()
        if last:
            return


async def next_request(shop: Shop, reader: asyncio.StreamReader) -> Request | None:
    """The next head, or nothing when the connection ended or was idle for long while draining."""
    reading = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
    draining = asyncio.ensure_future(shop.draining.wait())
    try:
        await asyncio.wait({reading, draining}, return_when=asyncio.FIRST_COMPLETED)
        raw = await asyncio.wait_for(reading, None if reading.done() else shop.idle_seconds)
    except (TimeoutError, asyncio.IncompleteReadError):
        return None
    finally:
        reading.cancel()
        draining.cancel()
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, path, *_ = first.split(" ")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return Request(raw, method, path, {name.lower(): value.strip() for name, value in pairs})


async def discard_body(
    request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Read what the client sends after its head; the shop has no use for it."""
    if request.headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if request.headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    left = int(request.headers.get("content-length", "0"))
    while left > 0:
        left -= len(await reader.readexactly(min(left, HEAD_LIMIT)))


def answered(shop: Shop, request: Request, *, last: bool) -> bytes:
    """The whole answer to one request, as it goes on the wire."""
    path, _, query = request.path.partition("?")
    status, extra = shop.answer(path, query)
    body = json.dumps({"version": shop.version, "pod": shop.pod}).encode() + b"\n"
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Shop-Version": shop.version,
        "X-Shop-Pod": shop.pod,
        "Connection": "close" if last else "keep-alive",
        **extra,
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if request.method == "HEAD" else head + body


async def serve_websocket(
    shop: Shop, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send a tick each second and echo what the client says, until it leaves."""
    protocol = ServerProtocol()
    protocol.receive_data(request.raw)
    for handshake in protocol.events_received():
        protocol.send_response(protocol.accept(handshake))  # type: ignore[arg-type]
    ticking = asyncio.ensure_future(tick_websocket(shop, protocol, writer))
    try:
        flush(protocol, writer)
        while not writer.is_closing() and (data := await reader.read(HEAD_LIMIT)):
            protocol.receive_data(data)
            echo(protocol)
            flush(protocol, writer)
    finally:
        ticking.cancel()


def echo(protocol: ServerProtocol) -> None:
    for frame in protocol.events_received():
        if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
            protocol.send_text(bytes(frame.data))


def flush(protocol: ServerProtocol, writer: asyncio.StreamWriter) -> None:
    for data in protocol.data_to_send():
        if data:
            writer.write(data)
        else:  # an empty piece is the protocol's end of stream
            writer.close()


async def tick_websocket(
    shop: Shop, protocol: ServerProtocol, writer: asyncio.StreamWriter
) -> None:
    async for tick in ticks(shop):
        protocol.send_text(tick)
        flush(protocol, writer)


async def ticks(shop: Shop) -> AsyncIterator[bytes]:
    """One line a second, for the streams that stay open through a release."""
    number = 0
    while True:
        yield json.dumps({"tick": number, "version": shop.version, "pod": shop.pod}).encode()
        number += 1
        await asyncio.sleep(1)


async def serve_grpc(shop: Shop) -> Any:
    """Serve /shop.Shop/Ticks, a server stream, and /shop.Shop/Order; plain bytes both, so that no
    generated code is needed.
    """
    import grpc  # heavy, and most shops have no use for it

    async def stream(_request: bytes, _context: Any) -> AsyncIterator[bytes]:
        async for tick in ticks(shop):
            yield tick

    async def order(_request: bytes, context: Any) -> bytes:
        if random.random() < shop.error_rate:
            await context.abort(grpc.StatusCode.INTERNAL, "intended")
        return shop.version.encode()

    server = grpc.aio.server()
    handlers = {
        "Ticks": grpc.unary_stream_rpc_method_handler(stream),
        "Order": grpc.unary_unary_rpc_method_handler(order),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Shop", handlers),))
    server.add_insecure_port(f"0.0.0.0:{shop.grpc_port}")
    await server.start()
    return server


async def drained(shop: Shop) -> None:
    """Wait until the last connection has ended, for as long as the grace period allows.

    Twice nothing open: one that was accepted just before the first look may not be counted yet.
    """
    deadline = asyncio.get_running_loop().time() + shop.drain_seconds
    quiet = 0
    while quiet < 2 and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.1)
        quiet = 0 if shop.open else quiet + 1


async def main() -> None:
    shop = Shop()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, shop.draining.set)
    server = await asyncio.start_server(
        lambda reader, writer: serve_connection(shop, reader, writer),
        port=shop.port,
        limit=HEAD_LIMIT,
        backlog=1024,
    )
    streams = await serve_grpc(shop) if shop.grpc_port else None
    print(f"shop {shop.version} answers on {shop.port}", file=sys.stderr, flush=True)
    await shop.draining.wait()
    server.close()  # who comes now is refused, and not left in the queue of a process that ends
    if streams:
        await asyncio.gather(streams.stop(shop.drain_seconds), drained(shop))
    await drained(shop)
    print(f"shop {shop.version} drained, {shop.open} connections left", file=sys.stderr, flush=True)
    os._exit(0)  # connections that outlived the grace period are not waited for


if __name__ == "__main__":
    asyncio.run(main())
