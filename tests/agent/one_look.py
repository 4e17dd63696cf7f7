"""A whole agent of one namespace, its caches filled by hand, its API server on loopback."""

import json
import time
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from agent.__main__ import build
from agent.certificates import provisional
from agent.settings import Settings
from agent.tick import Loop
from agent.tls import Presented
from cluster.api import Object
from delivery import schema
from delivery.canary import Phase, Status
from delivery.hashing import template_hash
from delivery.names import ADMITTED, AGENT, RELEASE
from delivery.names import SCALE as HELD
from tests.cluster.loopback import Asked, Server
from tests.delivery.worlds import deployment

NAMESPACE = "shop"


def leading(server: Server, folder: Path) -> tuple[Loop, CollectorRegistry]:
    """It holds the Lease, and nothing of it runs by itself."""
    said = {
        "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{server.port}"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "users": [{"name": "it", "user": {}}],
        "current-context": "it",
    }
    (folder / "kubeconfig").write_text(json.dumps(said))
    given = Settings(NAMESPACE, "agent-1", str(folder / "kubeconfig"), xds_port=0)
    registry = CollectorRegistry()
    labels = {"outrider.dev/enabled": "true"}
    namespace = {"metadata": {"name": NAMESPACE, "labels": labels}}
    server.pages[f"/api/v1/namespaces/{NAMESPACE}"] = (200, namespace)
    loop = build(given, registry, Presented(provisional(NAMESPACE)))
    loop.tied = True
    loop.leadership.leading.set()
    renew(loop)
    return loop, registry


def renew(loop: Loop) -> None:
    loop.leadership.lock.renewed = time.monotonic()


def fill(loop: Loop, kind: str, *items: Object) -> None:
    loop.cache.by_kind[kind].informer.cache._replace_all(list(items))


def pair(name: str, image: str = "app:2", **spec: Any) -> list[Object]:
    """A target that holds another revision than its primary."""
    halves = []
    for half, runs, count in ((name, image, 0), (f"{name}-primary", "app:1", 3)):
        made = deployment(runs, count)
        metadata = {"name": half, "namespace": NAMESPACE, "uid": half, "resourceVersion": "1"}
        said = {HELD: "0", ADMITTED: template_hash(made["spec"]["template"]), RELEASE: "1"}
        marks = {"annotations": said} if half == name else {}
        more = spec if half == name else {}
        halves.append(
            {
                "apiVersion": "apps/v1",
                **made,
                "metadata": {**metadata, **marks},
                "spec": {**made["spec"], **more},
            }
        )
    return halves


def agents() -> Object:
    """The agents' Service, on which the listeners' ports are claimed."""
    metadata = {"name": AGENT, "namespace": NAMESPACE, "resourceVersion": "1"}
    spec = {"selector": {"app": AGENT}, "ports": [{"port": 18000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def managed(name: str, port: int) -> Object:
    """Its Canary, at rest."""
    promoted = template_hash(deployment("app:1")["spec"]["template"])
    status = Status(
        Phase.INITIALIZED,
        observed=promoted,
        promoted=promoted,
        replicas=3,
        scale=0,
        release=0,
        apex=name,
        ports={"80": port},
    )
    made = dict(schema.generated(name, NAMESPACE, uid=name))
    metadata = {**made["metadata"], "uid": f"c-{name}", "resourceVersion": "5"}
    return {**made, "metadata": metadata, "status": schema.status_body(status, {})}


def phases(server: Server) -> dict[str, str]:
    """What was written last of each Canary."""
    return {
        one.path.split("/")[-2]: one.body["status"]["phase"]
        for one in server.asked
        if one.method == "PUT" and one.path.endswith("/status")
    }


def events(server: Server) -> list[tuple[str, str, str]]:
    """Of whom, why, and what is said."""
    said: list[Asked] = [one for one in server.asked if one.path.endswith("/events")]
    return [
        (one.body["involvedObject"]["name"], one.body["reason"], one.body["message"])
        for one in said
    ]
