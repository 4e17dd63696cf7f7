"""Reads what the routers have counted: all of them at once, straight from the pods."""

import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3

from agent.tls import Presented
from delivery.dialects import router
from delivery.names import ROUTER_STATS_PORT

_AT_ONCE = 16
_PART = 65536
_MOST = 64 * 1024 * 1024
"""Of one answer, unpacked: no pod may fill the agent's memory."""
_POOL: Mapping[str, Any] = {"num_pools": 64, "maxsize": 2, "retries": False}
_PACKED = {"Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class ScrapeError:
    """Why there are no figures of one router this time."""

    reason: str


Scraped = Mapping[str, str | ScrapeError]
"""By address: the text, or why there is none."""


class Scraper:
    """Keeps its connections and threads from one look to the next.

    Routers of ours answer only who shows what is `presented`; without it, plain HTTP is spoken.
    """

    def __init__(
        self,
        port: int = ROUTER_STATS_PORT,
        path: str = router.PATH,
        *,
        presented: Presented | None = None,
    ) -> None:
        self._presented = presented
        self._port = port
        self._lock = threading.Lock()
        self._client: ssl.SSLContext | None = None
        self._path = quote(path, safe="/?&=")
        self._pool = urllib3.PoolManager(**_POOL)
        self._threads = ThreadPoolExecutor(_AT_ONCE, "scrape")

    def scrape(self, addresses: Iterable[str], *, deadline: float) -> Scraped:
        """Every address has an answer within `deadline` seconds, good or bad. May be an IPv6 one,
        or carry a port of its own.
        """
        end = time.monotonic() + deadline
        reads = {address: self._threads.submit(self._read, address, end) for address in addresses}
        wait(reads.values(), deadline)
        late = ScrapeError(f"no answer within {deadline:g} s")
        return {a: read.result() if read.done() else late for a, read in reads.items()}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    def _read(self, address: str, end: float) -> str | ScrapeError:
        scheme = "https" if self._presented else "http"
        url = f"{scheme}://{_authority(address, self._port)}{self._path}"
        try:
            return self._text(url, end)
        except (urllib3.exceptions.HTTPError, TimeoutError, UnicodeDecodeError) as error:
            return ScrapeError(f"{type(error).__name__}: {error}")

    def _connections(self) -> urllib3.PoolManager:
        """Those made with other certificates than now are given up."""
        with self._lock:
            if self._presented and self._client is not self._presented.client:
                self._client = self._presented.client
                host = self._presented.identity.router_host
                self._pool.clear()
                self._pool = urllib3.PoolManager(
                    **_POOL, ssl_context=self._client, server_hostname=host
                )
            return self._pool

    def _text(self, url: str, end: float) -> str | ScrapeError:
        left = max(end - time.monotonic(), 0.001)
        answer = self._connections().request(
            "GET", url, headers=_PACKED, timeout=left, preload_content=False
        )
        received = bytearray()
        # A time-out of a socket starts anew with each byte, so the end is watched here too.
        while part := answer.read(_PART):
            received += part
            if time.monotonic() > end or len(received) > _MOST:
                answer.close()
                raise TimeoutError(f"cut off at the deadline or at {_MOST} bytes")
        answer.release_conn()
        if answer.status != 200:
            return ScrapeError(f"status {answer.status}")
        return received.decode()


def _authority(address: str, port: int) -> str:
    if address.count(":") == 1:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
