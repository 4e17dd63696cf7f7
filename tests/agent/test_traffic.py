"""Windows over what routers count: fresh where they must be, whole where they can be."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from agent import traffic as module
from agent.clock import Clock
from agent.traffic import SETTLE_SECONDS
from delivery.canary import Metric
from delivery.observation import Traffic
from tests.agent.pods import Behaviour, Pod, answers, hangs_up
from tests.agent.running_router import eventually
from tests.agent.talking_routers import (
    CANARY,
    NOTHING,
    PRIMARY,
    RATE,
    SLOW,
    Routers,
    counters,
    together,
)


@pytest.fixture
def routers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Routers]:
    """All of them answer or hang up at once: who is late is a thread of a busy machine."""
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 30.0)
    with ExitStack() as stack:
        yield Routers(*(stack.enter_context(Pod(hangs_up)) for _ in range(2)))


def test_what_was_counted_before_the_first_look_is_not_ours(routers: Routers) -> None:
    routers.say(counters(CANARY, 1000, bad=900), NOTHING)
    assert routers.seen().requests == 0
    routers.say(counters(CANARY, 1010, bad=901), NOTHING)
    assert (routers.seen().requests, routers.seen().bad) == (10, 1)


def test_all_routers_and_all_ports_are_added_up(routers: Routers) -> None:
    other = "shop/81/canary"
    routers.say(NOTHING, NOTHING)
    routers.say(together(counters(CANARY, 5), counters(other, 2)), counters(CANARY, 7, bad=3))
    assert (routers.seen(CANARY, other).requests, routers.seen(CANARY).bad) == (14, 3)
    assert routers.seen(PRIMARY).requests == 0


def test_a_router_that_started_anew_counts_from_zero(routers: Routers) -> None:
    routers.say(counters(CANARY, 100), NOTHING)
    routers.say(counters(CANARY, 4), NOTHING)
    assert routers.seen().requests == 4


def test_a_router_that_was_away_is_caught_up_with(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), NOTHING)
    routers.pods[0].behaviour = hangs_up
    routers.windows.take()
    assert routers.failed == [routers.addresses[0]]
    assert not routers.windows.looks[-1].complete
    routers.say(counters(CANARY, 30), NOTHING)
    assert routers.seen().requests == 20


def test_a_router_that_talks_nonsense_is_left_out(routers: Routers) -> None:
    routers.say(counters(CANARY, 0), counters(CANARY, 0))
    routers.say("<html>garbage", counters(CANARY, 6))
    assert routers.seen().requests == 6
    assert routers.failed == [routers.addresses[0]]


def test_a_router_that_left_and_came_back_is_new(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), NOTHING)
    routers.windows.aim(routers.addresses[1:])
    routers.windows.take()
    routers.windows.aim(routers.addresses)
    routers.say(counters(CANARY, 50), NOTHING)
    assert routers.seen().requests == 0


def test_a_pause_makes_all_routers_new(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), NOTHING)
    routers.windows.scrape_while(False)
    routers.say(counters(CANARY, 500, bad=500), NOTHING)
    assert routers.seen().requests == 0


def test_what_was_looked_at_before_a_pause_is_forgotten(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), NOTHING)
    routers.say(counters(CANARY, 20), NOTHING)
    assert routers.seen().requests == 10
    routers.windows.scrape_while(False)
    assert routers.seen().requests == 0


def pausing(routers: Routers, text: str) -> Behaviour:
    """A router that is still speaking when the release ends."""

    def behave(connection: socket.socket, head: bytes) -> bool:
        routers.windows.scrape_while(False)
        return answers(text.encode())(connection, head)

    return behave


def test_a_pause_that_begins_during_a_look_makes_them_new_as_well(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), NOTHING)
    routers.pods[0].behaviour = pausing(routers, counters(CANARY, 20))
    routers.windows.take()
    routers.say(counters(CANARY, 500, bad=500), NOTHING)
    assert routers.seen().requests == 0


def test_a_limit_between_two_edges_is_told_with_the_next_one(routers: Routers) -> None:
    routers.say(counters(CANARY, 0), NOTHING)
    routers.say(counters(CANARY, 100, slow=20), NOTHING)
    seen = routers.seen(limits=Metric("request-duration", maximum=735.0))
    assert (seen.slow, seen.edges) == ({735.0: 0}, {735.0: 740.0})


def test_what_did_not_change_is_not_kept(routers: Routers) -> None:
    routers.say(counters(CANARY, 5), NOTHING)
    routers.say(counters(CANARY, 5), NOTHING)
    assert routers.windows.looks[-1].samples == {}


def test_a_window_begins_where_it_is_told(routers: Routers) -> None:
    routers.say(NOTHING, NOTHING)
    routers.say(counters(CANARY, 5, bad=5), NOTHING)
    start = routers.windows.looks[-1].time
    routers.say(counters(CANARY, 8, bad=5), NOTHING)
    seen = routers.windows.traffic([CANARY], start, limits=RATE)
    assert (seen.requests, seen.bad) == (3, 0)
    assert 0 < seen.seconds < 5


def just_revised(routers: Routers) -> float:
    """A revision that the routers know since the moment after they were read."""
    routers.say(NOTHING, NOTHING)
    known = time.time()
    eventually(lambda: time.time() > known)
    return known - SETTLE_SECONDS


def test_what_was_looked_at_before_the_routers_knew_a_revision_is_not_the_revisions(
    routers: Routers,
) -> None:
    revised = just_revised(routers)
    routers.say(counters(CANARY, 10, bad=10), counters(CANARY, 5))
    routers.say(counters(CANARY, 13, bad=10), counters(CANARY, 9))
    seen = routers.windows.traffic([CANARY], 0.0, limits=RATE, revised=revised)
    assert (seen.requests, seen.bad) == (7, 0)
    assert (routers.seen().requests, routers.seen().bad) == (22, 10)


def test_a_router_that_was_left_out_brings_nothing_from_before_the_revision(
    routers: Routers,
) -> None:
    revised = just_revised(routers)
    routers.pods[1].behaviour = hangs_up
    routers.windows.take()
    routers.say(counters(CANARY, 3), counters(CANARY, 9, bad=9))
    seen = routers.windows.traffic([CANARY], 0.0, limits=RATE, revised=revised)
    assert (seen.requests, seen.bad) == (0, 0)


def test_each_quantile_of_durations_is_told_to_who_asks_for_it(routers: Routers) -> None:
    routers.say(counters(CANARY, 0), NOTHING)
    routers.say(counters(CANARY, 100, slow=20), NOTHING)
    seen = {
        name: routers.seen(limits=Metric(f"request-duration-{name}")).duration
        for name in ("p50", "p90")
    }
    assert 240 < (seen["p50"] or 0) <= 250
    assert 730 < (seen["p90"] or 0) <= 740


def test_a_clock_that_is_turned_back_or_forward_tears_no_window(routers: Routers) -> None:
    wall = [1e9]
    clock = routers.windows.clock = Clock(wall=lambda: wall[0])
    start = clock.now()
    for requests, jump in ((0, 0.0), (5, -3600.0), (9, 7200.0)):
        wall[0] += jump
        routers.say(counters(CANARY, requests), NOTHING)
    seen = routers.windows.traffic([CANARY], start, limits=RATE)
    assert seen.requests == 9
    assert 0 < seen.seconds < 5


def test_a_window_that_is_stopped_looks_no_more(routers: Routers) -> None:
    routers.windows.start()
    routers.windows.stop()
    looks = len(routers.windows.looks)
    eventually(lambda: not [one for one in threading.enumerate() if one.name == "scrape"])
    assert len(routers.windows.looks) <= looks + 1


def test_nothing_looked_at_is_no_traffic(routers: Routers) -> None:
    assert routers.seen() == Traffic()


def test_times_are_told_for_the_limit_that_was_asked(routers: Routers) -> None:
    routers.say(counters(CANARY, 0), NOTHING)
    routers.say(counters(CANARY, 100, slow=20), NOTHING)
    assert routers.seen(limits=SLOW).slow == {500.0: 20}
    assert routers.seen(limits=SLOW).edges == {500.0: 500.0}
    assert 730 < (routers.seen(limits=SLOW).duration or 0) <= 740
    assert routers.seen(limits=RATE).duration is None
    assert routers.seen(limits=RATE).slow == {}


def is_quiet(routers: Routers) -> bool:
    """Seen from a moment at which the weight has long fallen."""
    since = time.time() - SETTLE_SECONDS - 60
    return routers.windows.quiet([CANARY], time.time(), since=since)


def test_quiet_is_two_looks_without_a_request_open_or_new(routers: Routers) -> None:
    said = [is_quiet(routers)]
    for text in (counters(CANARY, 3, active=1), counters(CANARY, 4), counters(CANARY, 4)):
        routers.say(text, text)
        said.append(is_quiet(routers))
    routers.say(text, text)
    assert [*said, is_quiet(routers)] == [False, False, False, False, True]


def test_a_stream_that_stays_open_is_not_quiet(routers: Routers) -> None:
    for _ in range(3):
        routers.say(counters(CANARY, 3, active=1), counters(CANARY, 3))
    assert not is_quiet(routers)


def test_a_router_that_does_not_answer_may_have_requests(routers: Routers) -> None:
    for _ in range(3):
        routers.say(NOTHING, NOTHING)
    assert is_quiet(routers)
    routers.pods[1].behaviour = hangs_up
    routers.windows.take()
    assert not is_quiet(routers)


def test_looks_from_before_the_weight_had_settled_say_nothing(routers: Routers) -> None:
    for _ in range(3):
        routers.say(NOTHING, NOTHING)
    assert not routers.windows.quiet([CANARY], time.time(), since=time.time())


def test_where_there_is_no_router_nobody_has_requests(routers: Routers) -> None:
    routers.windows.aim([])
    assert is_quiet(routers)


def test_the_thread_looks_while_something_moves_and_rests_when_nothing_does(
    routers: Routers,
) -> None:
    for pod in routers.pods:
        pod.behaviour = answers(NOTHING.encode())
    routers.windows.start()
    routers.windows.scrape_while(True)
    eventually(lambda: len(routers.windows.looks) == 1)
    routers.windows.scrape_while(False)
    assert not routers.windows.wanted.is_set()
