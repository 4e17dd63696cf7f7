"""Apps close idle connections by their own clocks; no request may be on its way just then."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.agent.breakage import outcome
from tests.agent.pods import Behaviour, Pod, answers
from tests.agent.running_router import application, serving

GUNICORN = 2.0
"""Seconds: the shortest keep-alive that is in wide use."""
CALLERS = 40


def impatient(behaviour: Behaviour, patience: float) -> Behaviour:
    """Hangs up when the next request does not come in time."""

    def behave(connection: socket.socket, head: bytes) -> bool:
        connection.settimeout(patience)
        return behaviour(connection, head)

    return behave


def test_no_request_meets_the_end_of_a_connection(tmp_path: Path) -> None:
    with Pod(impatient(answers(b"ok"), GUNICORN)) as pod:
        shop = application(primary=(pod.endpoint,))

        def calls_again_at_the_worst_moment(number: int) -> list[str]:
            first = outcome(shop.listener)
            time.sleep(GUNICORN - 0.01 + number * 0.0005)
            return [first, outcome(shop.listener)]

        with serving(tmp_path, shop), ThreadPoolExecutor(CALLERS) as callers:
            seen = [*callers.map(calls_again_at_the_worst_moment, range(CALLERS))]
    assert seen == [["whole", "whole"]] * CALLERS
