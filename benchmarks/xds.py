"""How long a new weight takes to reach users, with 200 apps: `python -m benchmarks.xds [APPS]`."""

import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.xds import AdsServer
from delivery.names import LISTENERS
from delivery.routers.envoy import Application, resources
from tests.agent.identities import PRESENTED
from tests.agent.pods import Pod, answers
from tests.agent.running_router import Router, application, eventually, serving

CHANGES = 50


def timed(work: Callable[[], object]) -> float:
    """In milliseconds."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def shown(what: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    median, worst = statistics.median(ordered), ordered[-1]
    print(f"{what:58} median {median:7.1f} ms   worst {worst:7.1f} ms   of {len(ordered)}")


def answer(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/")
    body = connection.getresponse().read()
    connection.close()
    return body


def until_live(server: AdsServer, applications: list[Application], index: int) -> float:
    """From the decision (a new weight) to the first request that was routed by it."""
    old = applications[index]
    applications[index] = new = replace(old, canary_weight=100 - old.canary_weight)
    wanted = b"canary" if new.canary_weight else b"primary"

    def change() -> None:
        server.publish(resources(applications))
        while answer(new.listener) != wanted:
            pass

    return timed(change)


def lost(server: AdsServer, applications: list[Application]) -> tuple[int, int]:
    """Requests, and those that were not answered by a pod, while weights change all the time."""
    sent = failed = 0
    for number in range(CHANGES):
        index = number % len(applications)
        applications[index] = replace(applications[index], canary_weight=50)
        server.publish(resources(applications))
        for _ in range(20):
            sent += 1
            failed += answer(applications[index].listener) not in (b"primary", b"canary")
    return sent, failed


def memory(router: Router) -> float:
    """Resident, in MB."""
    assert router.process
    status = Path(f"/proc/{router.process.pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if "VmRSS" in line)
    return int(kilobytes) / 1024


def main(count: int) -> None:
    with Pod(answers(b"primary")) as primary, Pod(answers(b"canary")) as canary:
        one = application(primary=(primary.endpoint,), canary=(canary.endpoint,))
        applications = [
            replace(one, name=f"app-{number}", listener=listener)
            for number, listener in enumerate(LISTENERS[:count])
        ]
        making = [timed(lambda: resources(applications)) for _ in range(10)]
        shown(f"making the resources of {count} apps", making)
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), applications)


def measure(folder: Path, applications: list[Application]) -> None:
    started = time.perf_counter()
    with serving(folder, *applications) as (router, server):
        shown("start of Envoy to ready with all", [1000 * (time.perf_counter() - started)])
        indexes = [number * 7 % len(applications) for number in range(CHANGES)]
        live = [until_live(server, applications, index) for index in indexes]
        shown("a weight: from decision to first request on it", live)
        sent, failed = lost(server, applications)
        print(f"{failed} of {sent} requests failed while weights changed; {memory(router):.0f} MB")
        server.stop(0)
        back = AdsServer(
            f"127.0.0.1:{server.port}", credentials=PRESENTED.credentials(), on_nack=print
        )
        back.publish(snapshot := resources(applications))
        back.start()
        settled = timed(lambda: eventually(lambda: back.nodes_at(snapshot), within=20))
        shown("a new agent: from its start to the router's last ACK", [settled])
        back.stop(0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200)
