"""Apps close idle connections by their own clocks; no request may be on its way just then."""

from pathlib import Path

from tests.agent.breakage import outcome
from tests.agent.pods import Pod, answers
from tests.agent.running_router import application, eventually, serving

GUNICORN = 2.0
"""Seconds: the shortest keep-alive that is in wide use."""


def test_the_router_closes_an_idle_connection_before_the_app_would(tmp_path: Path) -> None:
    with Pod(answers(b"ok")) as pod:
        shop = application(primary=(pod.endpoint,))
        with serving(tmp_path, shop):
            assert [outcome(shop.listener) for _ in range(20)] == ["whole"] * 20
            assert pod.connections == 1, "kept alive in between"
            assert pod.connected == 1
            eventually(lambda: pod.connected == 0, within=0.75 * GUNICORN)
