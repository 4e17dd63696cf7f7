import threading
from collections.abc import Callable

import pytest

from cluster.errors import ClusterError
from webhook.loop import Loop
from webhook.metrics import Metrics


def failing(error: Exception) -> Callable[[], None]:
    def turn() -> None:
        raise error

    return turn


@pytest.mark.parametrize(
    ("error", "traced"),
    [(ClusterError("no"), False), (OSError("no"), False), (KeyError("no"), True)],
)
def test_a_failure_is_counted_and_survived(
    error: Exception, traced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics("1")
    assert not Loop("optin", 1, failing(error), metrics).succeeded()
    labels = {"loop": "optin"}
    assert metrics.registry.get_sample_value("outrider_loop_failures_total", labels) == 1
    assert bool(caplog.records[0].exc_info) is traced


def test_a_loop_turns_when_it_is_woken() -> None:
    turned = threading.Semaphore(0)
    loop = Loop("optin", 3600, turned.release, Metrics("1"))
    loop.start()
    assert turned.acquire(timeout=5)
    loop.woken.set()
    assert turned.acquire(timeout=5)
