"""gRPC calls go by grpc-status, each bad one once, against what callers of a real Envoy saw."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.routers.envoy import Application, Endpoint
from tests.agent import breakage, grpc_app, http2
from tests.agent.pods import Pod
from tests.agent.running_router import Router, application, eventually, free_port, serving
from tests.agent.test_envoy_counts import sample

CALLERS = (
    *("OK", "CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED"),
    *("RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNAUTHENTICATED"),
)
SERVERS = (
    *("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    *("Later_UNAVAILABLE", "Later_INTERNAL"),
)
BROKEN = {
    "resets before": http2.speaks_http2(breakage.resets_stream),
    "closes before": http2.speaks_http2(breakage.closes_before),
    "resets midway": grpc_app.breaks_off(with_connection=False),
    "closes midway": grpc_app.breaks_off(with_connection=True),
    "answers 500": http2.speaks_http2(breakage.fails_stream),
}
"""To what a call that asks for OK finds; from midway on its caller has seen the answer begin."""
DEAD = Endpoint("127.0.0.9", free_port("127.0.0.9"))


@pytest.fixture(scope="module")
def applications() -> Iterator[dict[str, Application]]:
    """One for each status and for each way to break off, all traffic to the canary."""
    with ExitStack() as stack:
        app = stack.enter_context(grpc_app.running())
        pods = {name: stack.enter_context(Pod(way)).endpoint for name, way in BROKEN.items()}
        pods |= dict.fromkeys((*CALLERS, *SERVERS), app) | {"refuses": DEAD, "rescued": DEAD}
        made = {
            name: application(name=f"app-{number}", canary=(pod,), weight=100)
            for number, (name, pod) in enumerate(pods.items())
        }
        yield made | {"rescued": replace(made["rescued"], fallback=app)}


@pytest.fixture(scope="module")
def router(
    applications: dict[str, Application], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Router]:
    folder = tmp_path_factory.mktemp("router")
    with serving(folder, *applications.values()) as (router, _):
        yield router


@pytest.mark.parametrize(
    ("case", "bad"),
    [
        *((status, 0) for status in CALLERS),
        *((case, 3) for case in (*SERVERS, *BROKEN, "refuses", "rescued")),
    ],
)
def test_a_call_is_bad_once_by_its_status_or_by_how_it_broke_off(
    case: str, bad: int, applications: dict[str, Application], router: Router
) -> None:
    shop = applications[case]
    asked = case if case in (*CALLERS, *SERVERS) else "OK"
    seen = {grpc_app.call(shop.listener, asked) for _ in range(3)}
    assert len(seen) == 1
    assert case not in (*CALLERS, *SERVERS) or seen == {case.removeprefix(grpc_app.LATER)}
    eventually(lambda: sample(router, shop).requests == 3)
    eventually(lambda: sample(router, shop).failures >= bad)
    assert sample(router, shop).failures == bad


def test_statuses_and_breakages_of_one_app_add_up(tmp_path: Path) -> None:
    """Nothing is hidden by what Envoy itself answers, nor counted with it once more."""
    with grpc_app.running() as app, Pod(BROKEN["closes before"]) as rude:
        shop = application(canary=(app, rude.endpoint), weight=100)
        with serving(tmp_path, shop) as (router, _):
            seen = [grpc_app.call(shop.listener, "UNAVAILABLE") for _ in range(8)]
            assert seen == ["UNAVAILABLE"] * 8
            assert 0 < rude.requests < 8
            eventually(lambda: sample(router, shop).requests == 8)
            assert sample(router, shop).failures == 8
