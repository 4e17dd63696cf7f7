"""Windows over what routers count: fresh where they must be, whole where they can be."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from agent.envoy import Scraper
from agent.traffic import SETTLE_SECONDS, Windows
from delivery.canary import Metric
from delivery.observation import Traffic
from tests.agent.pods import Behaviour, Pod, answers, hangs_up
from tests.agent.running_router import eventually

CANARY, PRIMARY = "shop/80/canary", "shop/80/primary"
RATE = Metric("request-success-rate", minimum=99.0)
SLOW = Metric("request-duration", maximum=500.0)


def counters(cluster: str, requests: int, *, bad: int = 0, active: int = 0, slow: int = 0) -> str:
    """One cluster in Envoy's words; `slow` of the requests took between 500 and 1000 ms."""
    name = f'envoy_cluster_name="{cluster}"'
    edges = {"250": requests - slow, "500": requests - slow, "1000": requests, "+Inf": requests}
    return "\n".join(
        (
            f"envoy_cluster_upstream_rq_completed{{{name}}} {requests}",
            f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="5",{name}}} {bad}',
            f"envoy_cluster_upstream_rq_active{{{name}}} {active}",
            *(
                f'envoy_cluster_upstream_rq_time_bucket{{{name},le="{edge}"}} {count}'
                for edge, count in edges.items()
            ),
            "",
        )
    )


class Routers:
    """Routers on loopback, what they say, and windows over it."""

    def __init__(self, *pods: Pod) -> None:
        self.pods = pods
        self.failed: list[str] = []
        self.windows = Windows(Scraper(), failed=self.failed.append)
        self.addresses = [f"{pod.endpoint.address}:{pod.endpoint.port}" for pod in pods]
        self.windows.aim(self.addresses)

    def say(self, *texts: str) -> None:
        """Each router in turn says one of these when it is asked; then all are asked."""
        for pod, text in zip(self.pods, texts, strict=True):
            pod.behaviour = answers(text.encode())
        self.windows.take()

    def seen(self, *clusters: str, limits: Metric = RATE) -> Traffic:
        return self.windows.traffic(clusters or (CANARY,), 0.0, limits=limits)


@pytest.fixture
def routers() -> Iterator[Routers]:
    with ExitStack() as stack:
        yield Routers(*(stack.enter_context(Pod(hangs_up)) for _ in range(2)))


def test_what_was_counted_before_the_first_look_is_not_ours(routers: Routers) -> None:
    routers.say(counters(CANARY, 1000, bad=900), "")
    assert routers.seen().requests == 0
    routers.say(counters(CANARY, 1010, bad=901), "")
    assert (routers.seen().requests, routers.seen().bad) == (10, 1)


def test_all_routers_and_all_ports_are_added_up(routers: Routers) -> None:
    other = "shop/81/canary"
    routers.say("", "")
    routers.say(counters(CANARY, 5) + counters(other, 2), counters(CANARY, 7, bad=3))
    assert (routers.seen(CANARY, other).requests, routers.seen(CANARY).bad) == (14, 3)
    assert routers.seen(PRIMARY).requests == 0


def test_a_router_that_started_anew_counts_from_zero(routers: Routers) -> None:
    routers.say(counters(CANARY, 100), "")
    routers.say(counters(CANARY, 4), "")
    assert routers.seen().requests == 4


def test_a_router_that_was_away_is_caught_up_with(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), "")
    routers.pods[0].behaviour = hangs_up
    routers.windows.take()
    assert routers.failed == [routers.addresses[0]]
    assert not routers.windows.looks[-1].complete
    routers.say(counters(CANARY, 30), "")
    assert routers.seen().requests == 20


def test_a_router_that_talks_nonsense_is_left_out(routers: Routers) -> None:
    routers.say(counters(CANARY, 0), counters(CANARY, 0))
    routers.say("envoy_cluster_upstream_rq_completed{garbage", counters(CANARY, 6))
    assert routers.seen().requests == 6
    assert routers.failed == [routers.addresses[0]]


def test_a_router_that_left_and_came_back_is_new(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), "")
    routers.windows.aim(routers.addresses[1:])
    routers.windows.take()
    routers.windows.aim(routers.addresses)
    routers.say(counters(CANARY, 50), "")
    assert routers.seen().requests == 0


def test_a_pause_makes_all_routers_new(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), "")
    routers.windows.scrape_while(False)
    routers.say(counters(CANARY, 500, bad=500), "")
    assert routers.seen().requests == 0


def pausing(routers: Routers, text: str) -> Behaviour:
    """A router that is still speaking when the release ends."""

    def behave(connection: socket.socket, head: bytes) -> bool:
        routers.windows.scrape_while(False)
        return answers(text.encode())(connection, head)

    return behave


def test_a_pause_that_begins_during_a_look_makes_them_new_as_well(routers: Routers) -> None:
    routers.say(counters(CANARY, 10), "")
    routers.pods[0].behaviour = pausing(routers, counters(CANARY, 20))
    routers.windows.take()
    routers.say(counters(CANARY, 500, bad=500), "")
    assert routers.seen().requests == 0


def test_a_window_begins_where_it_is_told(routers: Routers) -> None:
    routers.say("", "")
    routers.say(counters(CANARY, 5, bad=5), "")
    start = routers.windows.looks[-1].time
    routers.say(counters(CANARY, 8, bad=5), "")
    seen = routers.windows.traffic([CANARY], start, limits=RATE)
    assert (seen.requests, seen.bad) == (3, 0)
    assert 0 < seen.seconds < 5


def just_revised(routers: Routers) -> float:
    """A revision that the routers know since the moment after they were read."""
    routers.say("", "")
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


def test_nothing_looked_at_is_no_traffic(routers: Routers) -> None:
    assert routers.seen() == Traffic()


def test_times_are_told_for_the_limit_that_was_asked(routers: Routers) -> None:
    routers.say(counters(CANARY, 0), "")
    routers.say(counters(CANARY, 100, slow=20), "")
    assert routers.seen(limits=SLOW).slow == {500.0: 20}
    assert 500 < (routers.seen().p99 or 0) <= 1000
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
        routers.say("", "")
    assert is_quiet(routers)
    routers.pods[1].behaviour = hangs_up
    routers.windows.take()
    assert not is_quiet(routers)


def test_looks_from_before_the_weight_had_settled_say_nothing(routers: Routers) -> None:
    for _ in range(3):
        routers.say("", "")
    assert not routers.windows.quiet([CANARY], time.time(), since=time.time())


def test_where_there_is_no_router_nobody_has_requests(routers: Routers) -> None:
    routers.windows.aim([])
    assert is_quiet(routers)


def test_the_thread_looks_while_something_moves_and_rests_when_nothing_does(
    routers: Routers,
) -> None:
    for pod in routers.pods:
        pod.behaviour = answers(b"")
    routers.windows.start()
    routers.windows.scrape_while(True)
    eventually(lambda: len(routers.windows.looks) == 1)
    routers.windows.scrape_while(False)
    assert not routers.windows.wanted.is_set()
