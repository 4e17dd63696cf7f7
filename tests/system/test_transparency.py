"""Requests and answers through the router and around it: equal but for what HTTP demands."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.routers.envoy import Endpoint
from demo.namespace import opened
from tests.agent.running_router import application, serving
from tests.system import recording_app
from tests.system.conftest import fresh
from tests.system.exchanges import EXCHANGES, SLOW
from tests.system.grpc_calls import Orders, call, serve
from tests.system.raw_http import differences
from tests.system.recorder import Recorder, exchanged

Ends = tuple[tuple[str, int], tuple[str, int], tuple[str, int]]
"""Where the router is, where the recorder is, and where the recorder shows what it saw."""

OLD = "HTTP/1.0 is spoken with the caller only: a proxy answers for its own version (RFC 9110, 6.2)"
HOP = "connection headers are for one hop (RFC 9110, 7.6.1)"
UNAVOIDABLE: dict[str, tuple[list[str], list[str], str]] = {
    "duplicates": ([], ["- Vary: A", "- Vary: B", "+ Vary: A,B"], "the same (RFC 9110, 5.3)"),
    "empty value": (
        ["- X-Empty:", "+ X-Empty: "],
        ["- X-Empty:", "+ X-Empty: "],
        "blanks before a value do not count (RFC 9110, 5.5)",
    ),
    "connection headers": (
        ["- Connection: keep-alive, X-Hop", "- X-Hop: 1"],
        ["- Connection: keep-alive", "- Keep-Alive: timeout=5"],
        HOP,
    ),
    "no date": ([], ["+ Date: NOW"], "a forwarder adds a missing Date (RFC 9110, 6.6.1)"),
    "absolute form": (
        ["http://shop.example/a?case=absolute+form -> /a?case=absolute+form"],
        [],
        "the absolute form is for proxies; the app is the origin (RFC 9112, 3.2)",
    ),
    "methods": (["+ Content-Length: 0"], [], "no body, said explicitly (RFC 9110, 8.6)"),
    "until close": (
        [],
        ["+ Transfer-Encoding: chunked"],
        "framing is each hop's own (RFC 9112, 6)",
    ),
    "trailers both ways": (
        ["order", "trailer - X-Sum: 11", "trailer + x-sum: 11"],
        ["order", "trailer - X-Sum: 11", "trailer + x-sum: 11"],
        "framing is each hop's own, so its header moves; Envoy keeps case in headers only",
    ),
    "upgrade refused": ([], ["+ Connection: close"], HOP),
    "upgrade offered": ([], ["- Connection: Upgrade", "- Upgrade: h2,h2c"], HOP),
    "upgrade to h2c": (
        ["- Connection: Upgrade, HTTP2-Settings", "- Upgrade: h2c"],
        [],
        "an offer for one hop, and obsolete (RFC 9113, 3.1)",
    ),
    "upgrade to tls": (["- Connection: Upgrade", "- Upgrade: TLS/1.2"], [], HOP),
    "http/1.0": (["HTTP/1.0 -> HTTP/1.1"], ["+ Connection: close"], OLD),
    "http/1.0 kept alive": (
        ["HTTP/1.0 -> HTTP/1.1", "- Connection: keep-alive"],
        ["HTTP/1.1 -> HTTP/1.0", "order"],
        OLD,
    ),
    "http/1.0 without host": (
        ["HTTP/1.0 -> HTTP/1.1", "+ Host: localhost"],
        ["HTTP/1.1 -> HTTP/1.0", "+ Connection: close"],
        OLD,
    ),
}
REFUSED = {
    "options": (404, "Envoy serves paths only; OPTIONS * asks about the server as a whole"),
    "upgrade to the unknown": (403, "Envoy refuses upgrades that it was not told of"),
}
PASSED_ON = [case for case in EXCHANGES if case not in REFUSED]

# One process, one adopted app for all of them.
pytestmark = pytest.mark.xdist_group("transparency")


@pytest.fixture(scope="module")
def ends(cluster: None) -> Iterator[Ends]:
    """The recorder as an adopted app: its Service, its pod, and the pod's other port."""
    place = fresh("transparency")
    opened(place, recording_app.manifests(), name=recording_app.NAME)
    pod = recording_app.serving_pod(place)
    apex = place.read("Service", recording_app.NAME)["spec"]["clusterIP"]
    yield (apex, 80), (pod, recording_app.PORT), (pod, recording_app.CONTROL)
    place.kubectl("delete", "namespace", place.name, "--wait=false")


@pytest.fixture(scope="module")
def near_ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    """A router alone, without a cluster: where a difference is looked into."""
    recorder = Recorder("127.0.0.1")
    recorder.start()
    shop = application(primary=(Endpoint("127.0.0.1", recorder.port),))
    with serving(tmp_path_factory.mktemp("router"), shop):
        here = "127.0.0.1"
        yield (here, shop.listener), (here, recorder.port), (here, recorder.control)
    recorder.stop()


def compared(case: str, ends: Ends) -> tuple[list[str], list[str]]:
    """What the router changed in the request, and in the answer."""
    router, app, control = ends
    around, through = exchanged(case, app, control), exchanged(case, router, control)
    assert around.requests
    assert through.spoken == around.spoken
    return differences(around.requests, through.requests), [
        re.sub(r": \w+, \d\d \w+ \d{4} [\d:]{8} GMT", ": NOW", change)
        for change in differences(around.answers, through.answers)
    ]


@pytest.mark.parametrize("case", PASSED_ON)
def test_the_router_changes_nothing_that_it_need_not(case: str, ends: Ends) -> None:
    asked, answered, _ = UNAVOIDABLE.get(case, ([], [], ""))
    assert compared(case, ends) == (asked, answered)


@pytest.mark.parametrize("case", PASSED_ON)
def test_a_router_alone_changes_no_more(case: str, near_ends: Ends) -> None:
    asked, answered, _ = UNAVOIDABLE.get(case, ([], [], ""))
    assert compared(case, near_ends) == (asked, answered)


@pytest.mark.soak
@pytest.mark.minutes
@pytest.mark.parametrize("case", SLOW)
def test_the_router_has_no_patience_to_lose(case: str, ends: Ends) -> None:
    router, _, control = ends
    through = exchanged(case, router, control)
    assert [answer.body for answer in through.answers] == [b"ok"]


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_router_cannot_pass_on_it_refuses(case: str, ends: Ends) -> None:
    router, _, control = ends
    status, _ = REFUSED[case]
    assert [answer.status for answer in exchanged(case, router, control).answers] == [status]


def test_no_difference_is_excused_that_is_not_tried() -> None:
    assert UNAVOIDABLE.keys() <= set(PASSED_ON)


@pytest.mark.parametrize(
    "messages", [(), (b"one",), (b"one", b"two", b"x" * 100_000), (b"one", b"fail")]
)
def test_grpc_goes_through_message_by_message_with_all_metadata(
    tmp_path: Path, messages: tuple[bytes, ...]
) -> None:
    server, port = serve(orders := Orders())
    shop = application(primary=(Endpoint("127.0.0.1", port),))
    with serving(tmp_path, shop):
        around, through = (call(at, messages, orders) for at in (port, shop.listener))
    server.stop(0)
    # A missing Date is added, as in HTTP/1.1.
    dateless = tuple(pair for pair in through.initial if pair[0] != "date")
    assert replace(through, initial=dateless) == around
    assert around.code == ("FAILED_PRECONDITION" if b"fail" in messages else "OK")
