"""What Outrider costs while nothing is released: many namespaces of one idle app each."""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from demo import namespace as namespaces
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace
from demo.shop import Shop

CLIENTS = "service-accounts"
"""The API server's own name for requests of ServiceAccounts outside of kube-system."""
MANY = 100
CONTAINERS = {"agent": "agents", "envoy": "routers"}


def main() -> None:
    parser = argparse.ArgumentParser("benchmarks.scale", description=__doc__)
    parser.add_argument("--namespaces", type=int, default=20, help="5 pods each; a node holds 110")
    parser.add_argument("--seconds", type=int, default=120, help="how long each look takes")
    chosen = parser.parse_args()
    if not os.environ.get("KUBECONFIG"):
        parser.error("no KUBECONFIG: run it by python -m lab exec …")
    before = Requests.during(chosen.seconds)
    print(f"without a namespace: {before}", flush=True)
    places = [namespaces.create(f"scale-{number}") for number in range(chosen.namespaces)]
    try:
        fill(places)
        after = Requests.during(chosen.seconds)
        report(len(places), before, after)
        for name, what in CONTAINERS.items():
            print(memory(what, sorted(working_sets(name))))
    finally:
        for place in places:
            Kubectl()("delete", "namespace", place.name, "--wait=false")


def fill(places: Sequence[Namespace]) -> None:
    began = time.monotonic()
    for place in places:
        place.kubectl.apply(Shop(replicas=1).manifests())
        place.opt_in()
    for place in places:
        place.adopted(timeout=1200)
    print(f"{len(places)} namespaces adopted in {time.monotonic() - began:.0f} s", flush=True)


@dataclass(frozen=True)
class Requests:
    """Requests a minute: of ServiceAccounts altogether, and of all clients by what was asked."""

    ours: float
    kinds: Mapping[str, float]

    @staticmethod
    def during(seconds: int) -> "Requests":
        first, began = counters(), time.monotonic()
        time.sleep(seconds)
        rest, minutes = counters(), (time.monotonic() - began) / 60
        kinds = {kind: (rest[kind] - first.get(kind, 0.0)) / minutes for kind in rest}
        return Requests(kinds.pop(CLIENTS, 0.0), kinds)

    def __str__(self) -> str:
        return f"{self.ours:.0f} API requests a minute of ServiceAccounts"


def counters() -> Mapping[str, float]:
    found: dict[str, float] = defaultdict(float)
    for name, labels, value in samples():
        if name == "apiserver_flowcontrol_dispatched_requests_total":
            found[CLIENTS] += value if labels["flow_schema"] == CLIENTS else 0
        elif name == "apiserver_request_total":
            found[f"{labels['verb']} {labels['resource']}"] += value
    return dict(found)


def samples() -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(Kubectl()("get", "--raw", "/metrics")):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def report(count: int, before: Requests, after: Requests) -> None:
    each = (after.ours - before.ours) / count
    print(f"with {count}: {after}: {each:.1f} for each namespace")
    grown = {
        kind: (value - before.kinds.get(kind, 0.0)) / count for kind, value in after.kinds.items()
    }
    for kind, value in sorted(grown.items(), key=lambda one: -one[1])[:8]:
        print(f"  {kind}: {value:.1f} a minute for each namespace")
    print(f"extrapolated, not measured: {before.ours + MANY * each:.0f} a minute with {MANY}")


def working_sets(container: str) -> Iterator[float]:
    """MiB of each container of this name in the benchmark's namespaces, from its cgroup."""
    for node in Kubectl().json("get", "nodes")["items"]:
        path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
        for pod in raw(path)["pods"]:
            if pod["podRef"]["namespace"].startswith("scale-"):
                for one in pod["containers"]:
                    if one["name"] == container:
                        yield one["memory"]["workingSetBytes"] / 2**20


def raw(path: str) -> JSON:
    found: JSON = json.loads(Kubectl()("get", "--raw", path))
    return found


def memory(what: str, found: Sequence[float]) -> str:
    middle, most = found[len(found) // 2], found[-1]
    every = MANY * 2 * sum(found) / len(found)
    return (
        f"{what}: {len(found)} with {middle:.0f} MiB each (median; the largest {most:.0f}); "
        f"extrapolated, not measured: {every:.0f} MiB in {MANY} namespaces"
    )


if __name__ == "__main__":
    main()
