import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cluster.api import Object
from cluster.errors import ClusterError
from cluster.watch import Cache, Watched
from tests.agent.running_router import eventually
from tests.cluster.loopback import Server, serving

PAUSE = 0.05
Heard = list[tuple[str, str]]


@contextmanager
def watching(server: Server, heard: Heard | None = None, **given: float) -> Iterator[Watched]:
    """ConfigMaps of the namespace shop, listed and under watch."""
    changed = noting([] if heard is None else heard)
    given = {"pause": PAUSE, **given}
    watched = Watched(server.api(), "ConfigMap", "shop", changed=changed, **given)  # type: ignore[arg-type]  # numbers by name
    watched.start()
    try:
        assert watched.synced.wait(5)
        yield watched
    finally:
        watched.stop()
        server.hang_up()


def noting(heard: Heard) -> Callable[[str, Object], None]:
    return lambda kind, item: heard.append((kind, item["metadata"]["name"]))


def names(watched: Watched) -> set[str]:
    return {item["metadata"]["name"] for item in watched.items()}


def has(watched: Watched, *wanted: str) -> None:
    eventually(lambda: names(watched) == set(wanted))


def test_what_was_there_and_what_comes_is_known_and_told() -> None:
    heard: Heard = []
    with serving() as server:
        server.put("old")
        with watching(server, heard) as watched:
            assert names(watched) == {"old"}
            eventually(lambda: server.watches)
            server.put("new")
            server.put("old", "DELETED")
            has(watched, "new")
    assert heard == [("ConfigMap", "old"), ("ConfigMap", "new"), ("ConfigMap", "old")]


def test_a_kind_counts_as_listed_only_when_the_cache_is_filled() -> None:
    filled: list[tuple[bool, int]] = []
    with serving() as server:
        server.put("old")
        watched = Watched(server.api(), "ConfigMap", "shop")
        watched.changed = lambda *_: filled.append((watched.synced.is_set(), len(watched.items())))
        cache = Cache([watched])
        cache.start()
        assert cache.wait(5)
        cache.stop()
        assert len(cache.items("ConfigMap")) == 1
        server.hang_up()
    assert filled == [(False, 1)]


def test_listing_that_never_succeeds_is_waited_for_no_longer_than_said() -> None:
    with serving() as server:
        server.status = 403
        cache = Cache([Watched(server.api(), "ConfigMap", "shop")])
        cache.start()
        assert not cache.wait(0.1)
        cache.stop()


def test_after_a_cut_the_watch_goes_on_from_the_last_event() -> None:
    with serving() as server, watching(server) as watched:
        eventually(lambda: server.watches)
        server.put("new")
        has(watched, "new")
        server.hang_up()
        eventually(lambda: len(server.opened()) == 2)
        assert server.opened() == ["10", "11"]
        assert sum("watch" not in one.query for one in server.asked) == 1


def test_a_bookmark_moves_a_quiet_watch_on() -> None:
    with serving() as server, watching(server) as watched:
        eventually(lambda: server.watches)
        server.tell("BOOKMARK", {"kind": "ConfigMap", "metadata": {"resourceVersion": "99"}})
        server.hang_up()
        eventually(lambda: len(server.opened()) == 2)
        assert server.opened()[1] == "99"
        assert names(watched) == set()


def test_a_version_that_is_too_old_is_followed_by_a_new_list() -> None:
    with serving() as server:
        server.put("old")
        with watching(server) as watched:
            eventually(lambda: server.watches)
            server.gone = True
            del server.items["old"]
            server.hang_up()
            has(watched)
            server.gone = False
            eventually(lambda: server.watches)


@pytest.mark.parametrize("trouble", ["refuses", "cuts"])
def test_a_server_in_trouble_is_asked_at_a_pace(trouble: str) -> None:
    with serving() as server, watching(server) as watched:
        eventually(lambda: server.watches)
        server.status, server.cut = (503, False) if trouble == "refuses" else (200, True)
        server.hang_up()
        began, before = time.monotonic(), len(server.opened())
        eventually(lambda: len(server.opened()) - before >= 3)
        asked = len(server.opened()) - before
        assert time.monotonic() - began > (asked - 1) * PAUSE
        server.status, server.cut = 200, False
        eventually(lambda: server.watches)
        server.put("new")
        has(watched, "new")


def test_a_watch_that_hangs_without_a_byte_is_opened_again() -> None:
    with serving() as server, watching(server, silence=0.1):
        eventually(lambda: len(server.opened()) >= 3)


def test_an_outage_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cluster.watch")
    with serving() as server, watching(server):
        eventually(lambda: server.watches)
        server.status = 503
        server.hang_up()
        eventually(lambda: len(server.opened()) >= 3)
        server.status = 200
        eventually(lambda: server.watches)
        eventually(lambda: len(caplog.messages) == 2)
    assert [message.partition(":")[0] for message in caplog.messages] == ["watch of ConfigMap"] * 2


def data(watched: Watched) -> dict[str, object]:
    return {item["metadata"]["name"]: item["data"] for item in watched.items()}


def test_what_has_not_changed_is_read_as_a_newer_server_shows_it() -> None:
    with serving() as server:
        for name in ("same", "changed", "gone"):
            server.put(name)
        with watching(server) as watched:
            server.items["same"]["data"] = server.items["changed"]["data"] = {"added": "yes"}
            server.items["changed"]["metadata"] = {"name": "changed", "resourceVersion": "99"}
            server.items["new"] = {**server.items.pop("gone"), "metadata": {"name": "new"}}
            server.items["new"]["metadata"]["resourceVersion"] = "98"
            watched.reread()
            # Of the others the watch will tell.
            assert data(watched) == {"same": {"added": "yes"}, "changed": {}, "gone": {}}


def test_a_read_that_fails_takes_nothing_away() -> None:
    with serving() as server:
        server.put("old")
        with watching(server) as watched:
            server.status = 503
            with pytest.raises(ClusterError):
                Cache([watched]).reread("ConfigMap")
            assert names(watched) == {"old"}
            server.hang_up()
            eventually(lambda: watched.away)
            assert names(watched) == {"old"}
