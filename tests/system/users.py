"""Users with a browser each: what they are sent they send back, and they remember who answered."""

import http.client
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from itertools import groupby
from urllib.parse import urlsplit

from demo.namespace import Namespace
from demo.waiting import eventually


@dataclass(frozen=True)
class Page:
    """One answer as its user saw it; `at` is when it came, in seconds since the epoch."""

    at: float
    status: int
    version: str
    cookies: tuple[str, ...] = ()


@dataclass
class User:
    """Asks again and again, on a new connection each time, as whoever its headers say."""

    host: str
    headers: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ("/",)
    pause: float = 0.1
    pages: list[Page] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stopped.wait(self.pause):
            self.pages.append(self.asked(self.paths[len(self.pages) % len(self.paths)]))

    def asked(self, path: str) -> Page:
        connection = http.client.HTTPConnection(self.host, 80, timeout=10)
        said = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(
                "GET", path, headers={**self.headers, **({"cookie": said} if said else {})}
            )
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return Page(time.time(), 0, repr(error))
        finally:
            connection.close()
        told = tuple(answer.headers.get_all("set-cookie") or ())
        self.remember(told)
        return Page(time.time(), answer.status, answer.headers.get("x-shop-version", ""), told)

    def remember(self, told: Iterable[str]) -> None:
        for line in told:
            for name, one in SimpleCookie(line).items():
                self.cookies[name] = one.value
                if one["max-age"] and int(one["max-age"]) <= 0:
                    del self.cookies[name]

    @property
    def versions(self) -> list[str]:
        """Whom it met one after another, each as often as it changed."""
        return [version for version, _ in groupby(page.version for page in self.pages)]

    def first(self, version: str) -> float:
        """When it first met this version."""
        return next((page.at for page in self.pages if page.version == version), float("inf"))


@contextmanager
def using(
    place: Namespace, count: int, headers: Mapping[str, str] | None = None, *paths: str
) -> Iterator[list[User]]:
    """So many users alike, for as long as the block runs; each has had an answer before."""
    host = urlsplit(place.address()).hostname or ""
    users = [User(host, headers or {}, paths or ("/",)) for _ in range(count)]
    threads = [threading.Thread(target=user.run, daemon=True) for user in users]
    for thread in threads:
        thread.start()
    try:
        eventually("first answers", lambda: all(user.pages for user in users), timeout=40)
        yield users
    finally:
        for user in users:
            user.stopped.set()
        for thread in threads:
            thread.join(timeout=15)


def failures(users: Iterable[User], *, of: str = "") -> list[Page]:
    """Answers that were none, or errors of another version than this one."""
    return [
        page for user in users for page in user.pages if page.status != 200 and page.version != of
    ]
