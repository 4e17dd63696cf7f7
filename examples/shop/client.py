"""A load client that keeps its rate, never retries, and tells the app's failures from all others.

It waits for a first answer; then it prints one line of JSON a second, with every request that ended
in it, and a summary at the end:

    python client.py http://shop/ --rate 50 --seconds 60 --keep-alive 10

A request is `ok`, `intended` (a failure that the shop made itself and marked), or `foreign`: a lost
connection, no answer in time, or an error that somebody between client and shop made.
"""

import argparse
import asyncio
import json
import signal
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """One request as its sender saw it; `at` is when it was sent, in seconds since the epoch."""

    at: float
    ms: float
    status: int
    version: str
    kind: str
    error: str = ""


@dataclass
class Client:
    """Sends requests through a pool of connections, or a fresh one for each (`keep_alive` 0)."""

    host: str
    port: int
    path: str
    keep_alive: int
    patience: float
    idle: deque[Connection] = field(default_factory=deque)
    connections: int = 0
    ended: list[Answer] = field(default_factory=list)

    async def request(self) -> None:
        """Send one request and note how it went."""
        at, began = time.time(), time.monotonic()
        status, error = 0, ""
        headers: dict[str, str] = {}
        try:
            async with asyncio.timeout(self.patience):
                status, headers = await self.exchange()
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        kind = "intended" if "x-shop-failure" in headers else "ok" if status == 200 else "foreign"
        ms = round((time.monotonic() - began) * 1000, 1)
        version = headers.get("x-shop-version", "")
        self.ended.append(Answer(round(at, 3), ms, status, version, kind, error))

    async def exchange(self) -> tuple[int, dict[str, str]]:
        reader, writer = await self.connection()
        kept = False
        try:
            writer.write(self.head())
            status, headers = await response(reader)
            kept = bool(self.keep_alive) and headers.get("connection", "").lower() != "close"
            return status, headers
        finally:
            if kept:
                self.idle.append((reader, writer))
            else:
                self.forget(writer)

    def head(self) -> bytes:
        wish = "keep-alive" if self.keep_alive else "close"
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"User-Agent: outrider-shop-client\r\nConnection: {wish}\r\n\r\n"
        ).encode()

    async def connection(self) -> Connection:
        """The connection that rested longest, or a new one while the pool is not full."""
        while self.idle and self.connections >= self.keep_alive:
            reader, writer = self.idle.popleft()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            self.forget(writer)
        self.connections += 1
        try:
            return await asyncio.open_connection(self.host, self.port)
        except BaseException:
            self.connections -= 1
            raise

    def forget(self, writer: asyncio.StreamWriter) -> None:
        self.connections -= 1
        writer.close()


async def response(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers of one whole answer; its body is read and dropped."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    else:
        await reader.readexactly(int(headers.get("content-length", "0")))
    return int(first.split(" ")[1]), headers


async def first_answer(client: Client, *, patience: float = 30) -> None:
    """A new Service is there for the API a moment before it is there for its clients."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        await client.request()
        if client.ended.pop().kind != "foreign":
            return
        await asyncio.sleep(0.2)


async def send(client: Client, rate: float, stop: asyncio.Event) -> None:
    """Start a request every 1/rate seconds whatever became of those before, until told to stop."""
    began, number, running = time.monotonic(), 0, set[asyncio.Task[None]]()
    while not stop.is_set():
        task = asyncio.create_task(client.request())
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
        await asyncio.sleep(began + number / rate - time.monotonic())
    if running:
        await asyncio.wait(running)


async def tell(client: Client, totals: Counter[tuple[str, str]]) -> None:
    while True:
        await asyncio.sleep(1)
        report(client, totals)


def report(client: Client, totals: Counter[tuple[str, str]]) -> None:
    """Print what ended since the last line."""
    ended, client.ended = client.ended, []
    totals.update((answer.version, answer.kind) for answer in ended)
    line = {"now": round(time.time(), 3), "requests": [asdict(answer) for answer in ended]}
    print(json.dumps(line), flush=True)


def summary(totals: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Counts by version, then by kind; requests nobody answered have no version."""
    return {
        version: {kind: count for (name, kind), count in totals.items() if name == version}
        for version in sorted({version for version, _ in totals})
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=50, help="requests a second")
    parser.add_argument("--seconds", type=float, help="how long; without it until SIGTERM")
    parser.add_argument("--keep-alive", type=int, default=10, help="connections kept; 0 for none")
    parser.add_argument("--patience", type=float, default=10, help="seconds to wait for an answer")
    return parser.parse_args()


async def main(options: argparse.Namespace) -> None:
    url = urlsplit(options.url)
    client = Client(
        url.hostname or "", url.port or 80, url.path or "/", options.keep_alive, options.patience
    )
    stop, totals = asyncio.Event(), Counter[tuple[str, str]]()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.seconds:
        loop.call_later(options.seconds, stop.set)
    await first_answer(client)
    telling = asyncio.create_task(tell(client, totals))
    await send(client, options.rate, stop)
    telling.cancel()
    report(client, totals)
    print(json.dumps({"summary": summary(totals)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(arguments()))
