"""What a look at a namespace costs each second, as its apps grow: `python -m benchmarks.look`."""

import sys
import time
from typing import Any

from delivery import pair
from delivery.pair import Objects

Document = dict[str, Any]
SIZES = (10, 50, 200)
REVISIONS, PODS = 4, 3
VARIABLES = 20
ROUNDS = 5


def template(app: str, revision: int) -> Document:
    """As large as those of ordinary apps: a container with some twenty variables."""
    variables = [{"name": f"SETTING_{number}", "value": "x" * 24} for number in range(VARIABLES)]
    container = {"name": app, "image": f"registry/{app}:{revision}", "env": variables}
    labels = {"app": app.removesuffix("-primary")}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container]}}


def owned(name: str, owner: str, **fields: Any) -> Document:
    owners = [{"uid": owner, "controller": True}]
    return {"metadata": {"name": name, "uid": name, "ownerReferences": owners}, **fields}


def halves(number: int) -> tuple[str, str]:
    return f"app-{number}", f"app-{number}-primary"


def namespace(apps: int) -> Objects:
    """So many pairs, each half with its history and its pods."""
    deployments, sets, running = [], [], []
    for name in (half for number in range(apps) for half in halves(number)):
        current = template(name, REVISIONS - 1)
        selector = {"matchLabels": current["metadata"]["labels"]}
        spec: Document = {"replicas": PODS, "selector": selector, "template": current}
        deployments.append({"metadata": {"name": name, "uid": name}, "spec": spec, "status": {}})
        for revision in range(REVISIONS):
            spec = {"template": template(name, revision)}
            sets.append(owned(f"{name}-{revision}", name, spec=spec, status={}))
        for pod in range(PODS):
            status = {"podIP": "198.51.100.1"}
            last = f"{name}-{REVISIONS - 1}"
            running.append(owned(f"{name}-pod-{pod}", last, spec={}, status=status))
    return Objects(deployments, sets, running)


def look(found: Objects, apps: int) -> None:
    """What agent/observe.py asks of the pairs, once for each."""
    by_name = {one["metadata"]["name"]: one for one in found.deployments}
    for number in range(apps):
        target, primary = (by_name[name] for name in halves(number))
        pair.workload(found, target, threshold=100)
        pair.workload(found, primary, threshold=100, target=target)
        pair.revisions(found, target, primary)
        pair.named_by_admission(found, target)
        pair.serving(found, target)
        pair.pods_of(found, primary)


def cost(apps: int) -> float:
    """CPU milliseconds of one look: each one sees its objects for the first time."""
    looks = [namespace(apps) for _ in range(ROUNDS)]
    started = time.process_time()
    for found in looks:
        look(found, apps)
    return 1000 * (time.process_time() - started) / ROUNDS


def main() -> int:
    first = 0.0
    for apps in SIZES:
        each = cost(apps)
        first = first or each / apps
        print(
            f"{apps:4} apps, {2 * apps * PODS:5} pods: {each:7.1f} ms of CPU a look, "
            f"{each / apps:5.2f} ms an app ({each / apps / first:.1f} of the first line)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
