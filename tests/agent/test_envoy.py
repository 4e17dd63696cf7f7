"""Scraping routers: all at once, within a deadline, and no more than they show."""

import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import urllib3

from agent.envoy import ScrapeError, Scraper
from agent.tls import Identity
from delivery.dialects.prometheus import parse as parse_prometheus
from delivery.dialects.router import PATH, parse
from delivery.routers.envoy import Endpoint
from tests.agent.identities import OURS, PRESENTED, router_context
from tests.agent.pods import Behaviour, Pod, answers, hangs, hangs_up, trickles
from tests.agent.running_router import application, free_port, serving
from tests.agent.test_xds import body


def address(endpoint: Endpoint) -> str:
    return f"{endpoint.address}:{endpoint.port}"


def router(behaviour: Behaviour, held: Identity = OURS) -> Pod:
    return Pod(behaviour, tls=router_context(held))


def test_a_router_that_hangs_does_not_hold_up_the_others() -> None:
    with Pod(hangs) as silent, router(answers(b"figures")) as well, Pod(hangs_up) as rude:
        nobody = f"127.0.0.1:{free_port()}"
        asked = [address(silent.endpoint), address(well.endpoint), address(rude.endpoint), nobody]
        scraper = Scraper(presented=PRESENTED)
        # A handshake between threads of one process may take long; the connection is kept.
        scraper.scrape([address(well.endpoint)], deadline=10)
        hung, figures, cut, refused = scraper.scrape(asked, deadline=2).values()
        assert figures == "figures"
        assert all(isinstance(one, ScrapeError) for one in (hung, cut, refused))


def test_an_answer_that_trickles_in_is_cut_off_at_the_deadline() -> None:
    with router(trickles(b"late" * 10, pause=0.05)) as slow:
        found = Scraper(presented=PRESENTED).scrape([address(slow.endpoint)], deadline=0.2)
        assert isinstance(found[address(slow.endpoint)], ScrapeError)


def test_connections_are_kept() -> None:
    with router(answers(b"figures")) as pod:
        scraper = Scraper(pod.endpoint.port, presented=PRESENTED)
        for _ in range(5):
            assert scraper.scrape([pod.endpoint.address], deadline=10) == {"127.0.0.1": "figures"}
        assert (pod.requests, pod.connections) == (5, 1)
        scraper.close()


def test_a_refusal_is_no_figures() -> None:
    with router(answers(b"", "404 Not Found")) as pod:
        found = Scraper(pod.endpoint.port, presented=PRESENTED).scrape(["127.0.0.1"], deadline=10)
        assert found == {"127.0.0.1": ScrapeError("status 404")}


def test_what_a_scrape_brings_is_small_and_all_there(tmp_path: Path) -> None:
    with Pod(answers(b"ok")) as pod:
        shop = application(name="shop.v2", primary=(pod.endpoint,))
        with serving(tmp_path, shop) as (router, _):
            body(shop)
            text = Scraper(router.stats_port, presented=PRESENTED).scrape(
                ["127.0.0.1"], deadline=5
            )["127.0.0.1"]
            assert isinstance(text, str)
            assert len(text) < 20_000
            assert parse(text)["shop~v2/80/primary"].completed == 1


def test_a_router_packs_what_it_says_and_says_the_same_in_both_ways(tmp_path: Path) -> None:
    with Pod(answers(b"ok")) as pod:
        shop = application(primary=(pod.endpoint,))
        with serving(tmp_path, shop) as (router, _):
            body(shop)
            with urllib3.PoolManager(
                ssl_context=PRESENTED.client, server_hostname=OURS.router_host
            ) as agent:
                told = agent.request(
                    "GET",
                    f"https://127.0.0.1:{router.stats_port}{quote(PATH, safe='/?&=')}",
                    headers={"Accept-Encoding": "gzip"},
                )
            assert told.headers["content-encoding"] == "gzip"
            plain = parse_prometheus(router.stats())["shop/80/primary"]
            found = parse(told.data.decode())["shop/80/primary"]
            assert replace(found, buckets=()) == replace(plain, buckets=())


def test_an_answer_without_end_is_cut_off() -> None:
    with Pod(floods, tls=router_context()) as pod:
        found = Scraper(pod.endpoint.port, presented=PRESENTED).scrape(["127.0.0.1"], deadline=5)
        assert isinstance(found["127.0.0.1"], ScrapeError)


def floods(connection: socket.socket, _: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(bytes(1 << 20))


TO_AGENTS = {
    ("GET", "/stats?usedonly"): 200,
    ("GET", "/stats/prometheus?usedonly"): 200,
    ("GET", "/ready"): 404,
    ("POST", "/stats"): 404,
    ("GET", "/stats/recentlookups"): 404,
    ("POST", "/quitquitquit"): 404,
    ("GET", "/stats/prometheus/../../config_dump"): 404,
    ("GET", "/config_dump"): 404,
    ("GET", "/"): 404,
}

IN_THE_OPEN = {
    ("GET", "/ready"): 200,
    ("GET", "/stats/prometheus?usedonly"): 404,
    ("GET", "/stats?usedonly"): 404,
    ("POST", "/ready"): 404,
    ("POST", "/quitquitquit"): 404,
}


OPENED = IN_THE_OPEN | {("GET", "/stats/prometheus?usedonly"): 200}


@pytest.mark.parametrize(("opened", "in_the_open"), [(False, IN_THE_OPEN), (True, OPENED)])
def test_others_may_read_these_paths_and_nothing_else(
    tmp_path: Path, opened: bool, in_the_open: Mapping[tuple[str, str], int]
) -> None:
    with serving(tmp_path, open_statistics=opened) as (router, _):
        for shown, port in ((TO_AGENTS, 0), (in_the_open, router.open_port)):
            found = {(m, path): router.ask(path, m, port=port)[0] for m, path in shown}
            assert found == shown
