"""Tells the routers what to serve: Envoy's aggregated discovery (ADS), state of the world."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent import futures
from enum import Enum, auto
from typing import Any

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse

from agent.subscription import Subscriptions
from delivery.routers.envoy import Snapshot

logger = logging.getLogger(__name__)

OnNack = Callable[[str, str, str], None]
"""Called with the node, the type URL and Envoy's own words; from a stream's thread.

It must not raise: that would end the stream, the router would come back and refuse again.
"""

_ROUTERS = 128
"""Streams that can be open at once, each in a thread of its own."""
_OPTIONS = (
    ("grpc.so_reuseport", 0),
    # Envoy pings every 5 s, also while nothing changes; by default gRPC hangs up on that.
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 10000),
    ("grpc.keepalive_timeout_ms", 5000),
)


class _Signal(Enum):
    PUBLISHED = auto()
    CLOSED = auto()


class CannotListen(OSError):
    """The address for ADS is taken or not ours."""


class AdsServer(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]  # untyped
    """Serves the last published snapshot to every router, and knows who accepted what.

    Nothing is answered before the first `publish`: a router keeps what it has until an agent knows.
    """

    def __init__(
        self, address: str, *, credentials: grpc.ServerCredentials, on_nack: OnNack
    ) -> None:
        self._on_nack = on_nack
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._streams: dict[_Stream, None] = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(_ROUTERS, "ads"), options=_OPTIONS)
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, self._server)
        try:
            self.port: int = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise CannotListen(address) from error

    def start(self) -> None:
        self._server.start()

    def stop(self, grace: float) -> None:
        """Ends the streams; routers keep serving and come back to whoever answers."""
        for stream in self._open_streams():
            stream.signal(_Signal.CLOSED)
        self._server.stop(grace).wait()

    def publish(self, snapshot: Snapshot) -> None:
        """Wakes every stream; what it has not sent yet goes out."""
        with self._lock:
            self._snapshot = snapshot
        for stream in self._open_streams():
            stream.signal(_Signal.PUBLISHED)

    def nodes(self) -> Mapping[str, Mapping[str, str]]:
        """Which version each connected router accepted last: node -> type URL -> version."""
        return {stream.node: stream.versions() for stream in self._open_streams() if stream.node}

    def nodes_at(self, snapshot: Snapshot) -> frozenset[str]:
        """The connected routers that have accepted all of this snapshot."""
        return frozenset(stream.node for stream in self._open_streams() if stream.has(snapshot))

    def StreamAggregatedResources(  # noqa: N802  # gRPC's name
        self, request_iterator: Iterator[DiscoveryRequest], context: Any
    ) -> Iterator[DiscoveryResponse]:
        stream = _Stream(self._on_nack)
        context.add_callback(lambda: stream.signal(_Signal.CLOSED))
        threading.Thread(target=stream.read, args=(request_iterator,), daemon=True).start()
        with self._lock:
            self._streams[stream] = None
        try:
            while stream.wait():
                yield from stream.answers(self._snapshot)
        finally:
            with self._lock:
                del self._streams[stream]

    def _open_streams(self) -> "list[_Stream]":
        with self._lock:
            return list(self._streams)


class _Stream:
    """One router's stream: what came in, and what it has been told."""

    def __init__(self, on_nack: OnNack) -> None:
        self.node = ""
        self._on_nack = on_nack
        self._inbox: queue.SimpleQueue[DiscoveryRequest | _Signal] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._subscriptions = Subscriptions()

    def signal(self, signal: _Signal) -> None:
        self._inbox.put(signal)

    def read(self, requests: Iterable[DiscoveryRequest]) -> None:
        """Runs in a thread of its own: gRPC's iterator blocks."""
        try:
            for request in requests:
                self._inbox.put(request)
        except grpc.RpcError:
            logger.debug("router %s hung up", self.node)
        finally:
            self.signal(_Signal.CLOSED)

    def wait(self) -> bool:
        """Takes in what has come, at least one message; False when the stream is over."""
        received = self._inbox.get()
        while received is not _Signal.CLOSED:
            if isinstance(received, DiscoveryRequest):
                self._take(received)
            if self._inbox.empty():
                return True
            received = self._inbox.get()
        return False

    def answers(self, snapshot: Snapshot | None) -> list[DiscoveryResponse]:
        if snapshot is None:
            return []
        with self._lock:
            return self._subscriptions.answers(snapshot)

    def versions(self) -> Mapping[str, str]:
        with self._lock:
            return self._subscriptions.versions()

    def has(self, snapshot: Snapshot) -> bool:
        with self._lock:
            return self._subscriptions.has(snapshot)

    def _take(self, request: DiscoveryRequest) -> None:
        self.node = request.node.id or self.node
        with self._lock:
            refusal = self._subscriptions.take(request)
        if refusal:
            logger.error("router %s refused %s: %s", self.node, request.type_url, refusal)
            self._on_nack(self.node, request.type_url, refusal)
