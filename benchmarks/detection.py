"""How soon bad releases are off users, on a real cluster, and whether good ones stay.

`python -m lab exec .venv/bin/python -m benchmarks.detection [--only WORDS] [--runs N]`: 50 requests
a second, a generated Canary as it comes (10 % at first), a primary that fails one request of two
hundred. Each case prints the seconds from its first bad answer to the canary's weight 0, and writes
.lab/detection.json. Nothing is asserted here but that releases end.
"""

import argparse
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from statistics import median

from demo import namespace as namespaces
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace, opened
from demo.release import Release, first_bad
from demo.shop import PROJECT, Shop
from demo.story import say, table
from demo.traffic import Traffic, by_version, on_the_node
from demo.waiting import NeverHappened, eventually

RESULT = PROJECT / ".lab" / "detection.json"
RATE = "50"
USUAL = Shop("v1", error_rate=0.005)
OUTAGE_SECONDS = 15

Change = Callable[[Namespace, Release], float]
"""What is done to a release that has begun; says when it became what its case is about."""


def nothing(_place: Namespace, release: Release) -> float:
    """A case that is what its manifest says."""
    return release.began


@dataclass(frozen=True)
class Case:
    """A release: what is applied, and what is done to it when it has begun."""

    name: str
    shop: Shop
    change: Change = nothing
    edit: Callable[[list[JSON]], None] = lambda manifests: None
    good: bool = False


@dataclass(frozen=True)
class Result:
    """The field names are those of the JSON file; seconds are None where nothing was bad."""

    case: str
    outcome: str
    seconds_to_weight_zero: float | None
    user_failures: int
    reason: str


def refusing(manifests: list[JSON]) -> None:
    """It listens elsewhere than its Service believes, and nobody asks whether it is ready."""
    (container,) = manifests[0]["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": "PORT", "value": "8099"})
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        container.pop(probe, None)


def halved(manifests: list[JSON]) -> None:
    """One step to half of the traffic: of five pods it takes three."""
    manifests[0]["metadata"].setdefault("annotations", {})["outrider.dev/step-weights"] = "50"


def one_pod_fails(place: Namespace, release: Release) -> float:
    release.weighs(50)
    eventually("three pods", lambda: len(pods(place, "canary")) >= 3)
    tell(pods(place, "canary")[:1], 0.5)
    return time.time()


def fails_at_forty(place: Namespace, release: Release) -> float:
    release.weighs(40)
    tell(pods(place, "canary"), 0.5)
    return time.time()


def both_fail(place: Namespace, release: Release) -> float:
    """A backend of both is away for a while."""
    release.weighs(20)
    tell([*pods(place, "canary"), *pods(place, "primary")], 0.6)
    # How long the outage lasts is the case itself: no condition could be awaited.
    time.sleep(OUTAGE_SECONDS)
    tell([*pods(place, "canary"), *pods(place, "primary")], USUAL.error_rate)
    return release.began


def pods(place: Namespace, role: str) -> list[str]:
    """Addresses of the ready pods of one half."""
    found = place.list("Pod", f"outrider.dev/role={role}")
    return [
        one["status"]["podIP"]
        for one in found
        if any(c["type"] == "Ready" and c["status"] == "True" for c in one["status"]["conditions"])
    ]


def tell(addresses: list[str], error_rate: float) -> None:
    for address in addresses:
        url = f"http://{address}:8080/settings?error_rate={error_rate:g}"
        with urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10):
            pass


GOOD = Shop("v2", error_rate=0.005)
CASES = (
    Case("100 % errors", Shop("v2", error_rate=1.0)),
    Case("50 % errors", Shop("v2", error_rate=0.5)),
    Case("5 % errors", Shop("v2", error_rate=0.05)),
    Case("800 ms slower", Shop("v2", error_rate=0.005, delay_ms=800)),
    Case("refuses connections", GOOD, edit=refusing),
    Case("one bad pod of three", replace(GOOD, replicas=5), one_pod_fails, edit=halved),
    Case("turns bad at weight 40", GOOD, fails_at_forty),
    Case("cold start", replace(GOOD, cold_requests=4), good=True),
    Case("shared outage", GOOD, both_fail, good=True),
    Case("healthy", GOOD, good=True),
)


@contextmanager
def shop_with_users() -> Iterator[tuple[Namespace, Traffic]]:
    place = namespaces.create(f"detection-{time.time_ns() % 10**8}")
    traffic = None
    try:
        opened(place, USUAL.manifests())
        traffic = on_the_node(place.address(), "--rate", RATE)
        eventually("a first answer", lambda: traffic.answers, timeout=40)
        yield place, traffic
    finally:
        if traffic:
            traffic.stop()
        Kubectl()("delete", "namespace", place.name, "--wait=false")


def run(case: Case) -> Result:
    with shop_with_users() as (place, traffic):
        release = Release(place, timeout=600)
        manifests = case.shop.manifests()
        case.edit(manifests)
        place.kubectl.apply(manifests)
        release.started()
        changed = case.change(place, release)
        release.finished()
        traffic.caught_up(time.time())
        answers = traffic.between(release.began, release.ended)
        since = [one for one in answers if one.at >= changed]
        began = first_bad(since, case.shop.version) or first_bad(since, "")
        zero = release.weight_zero_after(began) if began else None
        rolled_back = release.outcome == "rolled back"
        return Result(
            case.name,
            release.outcome,
            round(zero - began, 1) if began and zero and rolled_back else None,
            sum(by_version(answers, failures=True).values()),
            reason(place) if rolled_back else release.status.get("message", ""),
        )


def reason(place: Namespace) -> str:
    """What was said of the rollback."""
    told = (event["message"] for event in place.list("Event"))
    return next((text for text in told if text.startswith("Rolling back")), "")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--only", default="", help="cases whose names hold these words")
    parser.add_argument("--runs", type=int, default=1, help="how often each case is run")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    results: list[Result] = []
    for case in (one for one in CASES if chosen.only in one.name):
        for _ in range(chosen.runs):
            say(f"{case.name}: one release, at {RATE} requests/s")
            try:
                results.append(run(case))
            except NeverHappened as failure:
                results.append(Result(case.name, "not ended", None, 0, str(failure)))
            say(f"  {results[-1].outcome}: {results[-1].reason}")
            RESULT.write_text(json.dumps([asdict(one) for one in results], indent=2) + "\n")
    head = ("case", "outcome", "bad → weight 0", "failures", "reason")
    rows = [(r.case, r.outcome, seconds(r), r.user_failures, r.reason[:90]) for r in results]
    print(f"\n{table([head, *rows])}")
    measured = [r.seconds_to_weight_zero for r in results if r.seconds_to_weight_zero]
    if chosen.runs > 1 and measured:
        print(f"\nmedian of {len(measured)}: {median(measured):.1f} s")


def seconds(result: Result) -> str | None:
    found = result.seconds_to_weight_zero
    return None if found is None else f"{found:.1f} s"


if __name__ == "__main__":
    main()
