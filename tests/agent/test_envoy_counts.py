"""The arithmetic of delivery/stats.py against what callers of a real Envoy saw."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from agent.envoy import Scraper
from delivery.dialects.router import parse
from delivery.routers.envoy import Application, Endpoint, cluster_name
from delivery.stats import Counters, Sample, delta
from tests.agent import breakage, http2
from tests.agent.identities import PRESENTED
from tests.agent.pods import Pod
from tests.agent.running_router import Router, application, eventually, free_port, serving

CASES = {
    **{name: (*case, breakage.outcome) for name, case in breakage.HTTP1.items()},
    **{f"{name}, HTTP/2": (*case, http2.request) for name, case in breakage.HTTP2.items()},
}


@pytest.fixture(scope="module")
def pods() -> Iterator[dict[str, Endpoint]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Pod(behaviour)).endpoint
            for name, (behaviour, _, _) in CASES.items()
        }


@pytest.fixture(scope="module")
def applications(pods: dict[str, Endpoint]) -> dict[str, Application]:
    """One for each way to fail, all traffic to the canary."""
    return {
        case: application(name=f"case-{number}", canary=(pod,), weight=100)
        for number, (case, pod) in enumerate(pods.items())
    }


@pytest.fixture(scope="module")
def router(
    applications: dict[str, Application], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Router]:
    folder = tmp_path_factory.mktemp("router")
    with serving(folder, *applications.values()) as (router, _):
        yield router


def counters(router: Router) -> Mapping[str, Counters]:
    """All that the router has counted, by the agent's own means."""
    address = f"127.0.0.1:{router.stats_port}"
    scraper = Scraper(presented=PRESENTED)
    text = scraper.scrape([address], deadline=5)[address]
    scraper.close()
    assert isinstance(text, str)
    return parse(text)


def sample(router: Router, application: Application) -> Sample:
    """What was counted of the canary."""
    cluster = cluster_name(application.name, application.port, "canary")
    return delta({}, counters(router)).get(cluster, Sample())


def called(case: str, listener: int) -> list[str]:
    """Three calls; side by side where each has a connection of its own: some end by time-out."""
    with ThreadPoolExecutor(1 if "HTTP/2" in case else 3) as callers:
        return list(callers.map(CASES[case][2], [listener] * 3))


@pytest.mark.parametrize("case", CASES)
def test_what_is_counted_is_what_callers_saw(
    case: str, applications: dict[str, Application], router: Router
) -> None:
    shop = applications[case]
    seen = CASES[case][1]
    assert called(case, shop.listener) == [seen] * 3
    eventually(lambda: sample(router, shop).requests == 3)
    assert sample(router, shop).failures == (0 if seen == "whole" else 3)


DEAD = Endpoint("127.0.0.9", free_port("127.0.0.9"))


@pytest.mark.parametrize(
    ("fallback", "call", "seen"),
    [
        ("nobody", breakage.outcome, "error"),
        ("dead", breakage.outcome, "error"),
        ("answers", breakage.outcome, "whole"),
        ("answers, HTTP/2", http2.request, "whole"),
    ],
)
def test_a_request_that_was_rescued_counts_against_the_version_that_failed_it(
    tmp_path: Path, pods: dict[str, Endpoint], fallback: str, call: Callable[[int], str], seen: str
) -> None:
    rescuer = {"dead": DEAD, **pods}.get(fallback)
    shop = replace(application(canary=(DEAD,), weight=100), fallback=rescuer)
    with serving(tmp_path, shop) as (router, _):
        assert [call(shop.listener) for _ in range(3)] == [seen] * 3
        eventually(lambda: sample(router, shop).requests == 3)
        assert sample(router, shop).failures == 3


def test_a_stream_that_was_refused_is_rescued_and_counts(
    tmp_path: Path, pods: dict[str, Endpoint]
) -> None:
    with Pod(http2.speaks_http2(breakage.refuses_stream)) as pod:
        shop = application(canary=(pod.endpoint,), weight=100, fallback=pods["answers, HTTP/2"])
        with serving(tmp_path, shop) as (router, _):
            assert [http2.request(shop.listener) for _ in range(3)] == ["whole"] * 3
            eventually(lambda: sample(router, shop).requests == 3)
            assert sample(router, shop).failures == 3


def test_the_errors_of_each_pod_of_a_canary_are_known(tmp_path: Path) -> None:
    failing = breakage.HTTP1["answers 500"][0]
    with Pod(failing) as bad, Pod(breakage.HTTP1["answers"][0]) as good, Pod(failing) as old:
        shop = application(
            primary=(old.endpoint,), canary=(bad.endpoint, good.endpoint), weight=100
        )
        with serving(tmp_path, shop) as (router, _):
            assert sorted(breakage.outcome(shop.listener) for _ in range(4)) == [
                *("error", "error", "whole", "whole")
            ]
            found = counters(router)[cluster_name(shop.name, shop.port, "canary")]
            wanted = {bad.endpoint: 2, good.endpoint: 0}
            assert dict(found.errors_at) == {
                f"{at.address}_{at.port}": n for at, n in wanted.items()
            }
            primary = cluster_name(shop.name, shop.port, "primary")
            assert not counters(router).get(primary, Counters()).errors_at
