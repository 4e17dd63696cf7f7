"""Caches of whole kinds, kept current by the official informer, as plain mappings."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import urllib3
from kubernetes.client.exceptions import ApiException
from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer

from cluster.api import Api, Object, with_kind
from cluster.errors import ClusterError
from cluster.kinds import kind_of

WATCH_SECONDS = 290
"""How long the server keeps one watch open; then the informer resumes it."""
SILENCE_SECONDS = 100.0
"""A watch without a byte for so long is taken for dead: a connection can hang without a reset. A
server says something in each that is quiet, a bookmark, at least every 75 s."""
PAUSE_SECONDS = 0.5
"""Between two openings of a watch, whatever ended the first: the informer itself does not wait."""

# The informer logs a traceback for each lost connection; ours says it in one line.
logging.getLogger("kubernetes.informer").setLevel(logging.CRITICAL)
log = logging.getLogger(__name__)


def key(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


def version(item: Mapping[str, Any]) -> int:
    """0 for what was never stored."""
    return int(item["metadata"].get("resourceVersion") or 0)


@dataclass
class Watched:
    """One kind in one namespace (or in all), listed once and then watched."""

    api: Api
    kind: str
    namespace: str | None = None
    changed: Callable[[str, Object], None] = lambda kind, item: None
    query: Mapping[str, str] = field(default_factory=dict)
    seconds: int = WATCH_SECONDS
    silence: float = SILENCE_SECONDS
    pause: float = PAUSE_SECONDS
    synced: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self.opened = -self.pause
        self.away = False
        self.informer = SharedInformer(self.fetch, key_func=key)
        for event in (ADDED, MODIFIED, DELETED):
            self.informer.add_event_handler(event, self.notify)

    def start(self) -> None:
        self.informer.start()

    def stop(self) -> None:
        """Ends without waiting: the thread is a daemon and may sit in a read."""
        self.stopping.set()
        self.informer._stop_event.set()

    def items(self) -> Sequence[Object]:
        found: Sequence[Object] = self.informer.cache.list()
        return found

    def notify(self, item: Object) -> None:
        self.changed(self.kind, item)

    def fetch(self, **options: Any) -> Any:
        """What the informer calls: a list, or with `watch` a stream of events.

        The informer reads the next line: without it, it would never move its resourceVersion on.

        :rtype: object
        """
        try:
            answer = self.stream(options) if options.get("watch") else self.whole()
        except (ClusterError, ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            if not self.away:
                log.warning("watch of %s: %s", self.kind, error)
            self.away = True
            raise
        if self.away:
            log.info("watch of %s: back", self.kind)
        self.away = False
        return answer

    def whole(self) -> Any:
        kind = kind_of(self.kind)
        answer = self.api.call("GET", kind.path(self.namespace), query=self.query)
        metadata = SimpleNamespace(resource_version=answer["metadata"]["resourceVersion"])
        return SimpleNamespace(items=list(with_kind(kind, answer["items"])), metadata=metadata)

    def reread(self) -> None:
        """What has not changed is taken as the server shows it now: a watch tells of changes alone.

        A server of a newer version may show fields that the one before did not know.
        """
        cache = self.informer.cache
        for item in self.whole().items:
            with cache._rlock:  # An event must not come between.
                held = cache.get(item)
                if held is not None and version(held) == version(item):
                    cache._put(item)

    def stream(self, options: Mapping[str, Any]) -> Any:
        # The informer asks for a watch only after the cache has the list.
        self.synced.set()
        self.stopping.wait(max(0.0, self.opened + self.pause - time.monotonic()))
        self.opened = time.monotonic()
        query = {
            **self.query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self.seconds),
            "resourceVersion": str(options.get("resource_version") or "0"),
        }
        request = self.api.connection.param_serialize(
            "GET",
            kind_of(self.kind).path(self.namespace),
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        timeout = (5.0, self.silence)
        response = self.api.connection.call_api(*request, _request_timeout=timeout)
        if response.status != 200:
            response.response.close()
            raise ApiException(status=response.status, reason=response.reason)
        return response.response


class Cache:
    """Several kinds together; `wait` returns when each has been listed once."""

    def __init__(self, watched: Sequence[Watched]) -> None:
        self.by_kind = {one.kind: one for one in watched}

    def start(self) -> None:
        for one in self.by_kind.values():
            one.start()

    def wait(self, timeout: float) -> bool:
        return all(one.synced.wait(timeout) for one in self.by_kind.values())

    def stop(self) -> None:
        for one in self.by_kind.values():
            one.stop()

    def items(self, kind: str) -> Sequence[Object]:
        return self.by_kind[kind].items()

    def reread(self, *kinds: str) -> None:
        for kind in kinds:
            self.by_kind[kind].reread()
