"""What admission costs: the mutate path alone, and applies with and without it, side by side."""

import argparse
import json
import os
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cluster.api import Api, connect
from delivery import names
from webhook.app import create_app
from webhook.metrics import Metrics

WARM_UP = 20


def main() -> None:
    parser = argparse.ArgumentParser("benchmarks.admission", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="applies of each kind")
    count = parser.parse_args().count
    print(Times("mutate path alone", alone(count)))
    if not os.environ.get("KUBECONFIG"):
        print("no KUBECONFIG: the API server is left out (python -m lab exec …)")
        return
    without, through = side_by_side(Api(connect(os.environ["KUBECONFIG"])), count)
    print(without)
    print(through)
    print(
        f"ratio with/without: p50 {through.at(0.5) / without.at(0.5):.2f}, "
        f"p99 {through.at(0.99) / without.at(0.99):.2f}"
    )


@dataclass(frozen=True)
class Times:
    what: str
    seconds: Sequence[float]

    def at(self, share: float) -> float:
        """The time within which that share of calls ended."""
        ordered = sorted(self.seconds[WARM_UP:] or self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __str__(self) -> str:
        return f"{self.what}: p50 {self.at(0.5) * 1e3:.2f} ms, p99 {self.at(0.99) * 1e3:.2f} ms"


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def alone(count: int) -> list[float]:
    """Requests through the Flask app, without a socket: a new image of a held Deployment."""
    client, body = create_app(Metrics("benchmark")).test_client(), review()
    return [seconds(lambda: client.post("/mutate", data=body)) for _ in range(count)]


def deployment(namespace: str, image: str) -> dict[str, Any]:
    """Of an ordinary size."""
    variables = [{"name": f"SETTING_{number}", "value": "x" * 40} for number in range(30)]
    container = {"name": "web", "image": image, "env": variables}
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template},
    }


def review() -> bytes:
    held = {names.SCALE: "0", names.REPLICAS: "3"}
    old, new = (deployment("shop", image) for image in ("web:1", "web:2"))
    for one in (old, new):
        one["metadata"] |= {"annotations": held, "resourceVersion": "7"}
    request = {
        "uid": "1",
        "kind": {"kind": "Deployment"},
        "operation": "UPDATE",
        "namespace": "shop",
        "name": "web",
        "userInfo": {"username": "jane"},
        "object": new,
        "oldObject": old,
    }
    return json.dumps({"request": request}).encode()


def side_by_side(api: Api, count: int) -> tuple[Times, Times]:
    """Server-side dry runs of ever new images, in turn: of a Deployment that is held at no pod, as
    a managed one is, so that each is a release; and of one that nobody manages.

    A dry run is admitted exactly as the real call, and leaves the controllers out of the measure.
    """
    word = uuid.uuid4().hex[:6]
    plain, labelled = f"benchmark-plain-{word}", f"benchmark-{word}"
    try:
        made(api, plain, {})
        made(api, labelled, {names.ENABLED: "selected"})
        hold(api, labelled)
        taken: dict[str, list[float]] = {plain: [], labelled: []}
        for number in range(count):
            for namespace in (plain, labelled):
                manifest = deployment(namespace, f"web:{number}")
                taken[namespace].append(seconds(partial(dry, api, manifest)))
    finally:
        for namespace in (plain, labelled):
            api.delete("Namespace", namespace)
    return Times("apply without", taken[plain]), Times("apply with", taken[labelled])


def dry(api: Api, manifest: dict[str, Any]) -> None:
    api.apply(manifest, manager="benchmark", dry=True)


def hold(api: Api, namespace: str) -> None:
    """As the namespace's agent does it; raises where admission does not act on what follows."""
    connection = connect(os.environ["KUBECONFIG"])
    user = f"system:serviceaccount:{namespace}:{names.AGENT}"
    for key, value in (("User", user), ("Group", "system:masters")):
        connection.set_default_header(f"Impersonate-{key}", value)  # type: ignore[no-untyped-call]  # the client's own has no types
    found = deployment(namespace, "web:first")
    held = {"metadata": {"annotations": {names.SCALE: "0"}}}
    Api(connection).merge(found, held, manager=names.AGENT_MANAGER)
    answer = api.apply(deployment(namespace, "web:next"), manager="benchmark", dry=True)
    if answer["spec"]["replicas"] != 0 or names.RELEASE not in answer["metadata"]["annotations"]:
        raise RuntimeError(f"admission did not act on Deployment web in {namespace}")


def made(api: Api, namespace: str, labels: dict[str, str]) -> None:
    """A namespace that runs no pod, with the Deployment in it."""
    metadata = {"name": namespace, "labels": labels}
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, manager="benchmark")
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "still", "namespace": namespace},
        "spec": {"hard": {"pods": "0"}},
    }
    api.apply(quota, manager="benchmark")
    api.apply(deployment(namespace, "web:first"), manager="benchmark")


if __name__ == "__main__":
    main()
