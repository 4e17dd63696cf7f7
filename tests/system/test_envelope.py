"""Clusters that ask something of pods: quotas and limits, images by digest, host network."""

import uuid
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from delivery import names
from demo.install import WEBHOOK
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace
from demo.release import Release
from demo.waiting import eventually
from lab.layout import REGISTRY
from tests.system.admissions import hold, prepare, update
from tests.system.canaries import GOOD, PATIENT, SMALL
from tests.system.installation import installed
from tests.system.load import Load, losses
from tests.system.node import Node

RANGE = {"default": {"cpu": "300m", "memory": "128Mi"}, "max": {"cpu": "2", "memory": "1Gi"}}
QUOTA = {f"{kind}.{what}": "16" for kind in ("requests", "limits") for what in ("cpu",)}
QUOTA |= {f"{kind}.memory": "8Gi" for kind in ("requests", "limits")}

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def confined() -> list[JSON]:
    """A namespace whose pods must all say what they need."""
    bounds = {"limits": [{"type": "Container", **RANGE}]}
    return [
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "x"}, "spec": bounds},
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "x"},
            "spec": {"hard": QUOTA},
        },
    ]


def resources(place: Namespace, name: str) -> JSON:
    (container,) = place.read("Deployment", name)["spec"]["template"]["spec"]["containers"]
    found: JSON = container["resources"]
    return found


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_where_pods_must_say_what_they_need_a_release_goes_as_ever(
    namespace: Namespace, load: Load
) -> None:
    namespace.kubectl.apply(confined())
    namespace.kubectl.apply(SMALL.manifests())
    namespace.complete()
    namespace.opt_in()
    namespace.adopted()
    clients = load(namespace, *PATIENT)
    release = Release(namespace)
    namespace.kubectl.apply(GOOD.manifests())
    assert release.finished().outcome == "promoted"
    assert resources(namespace, "shop-primary") == resources(namespace, "shop")
    assert losses(clients) == []


@pytest.mark.soak
def test_a_webhook_on_its_nodes_address_is_asked(plain_namespace: Namespace) -> None:
    with installed(f"webhook-{uuid.uuid4().hex[:6]}", overlay="host-network") as second:
        prepare(plain_namespace)
        second.opt_in(plain_namespace)
        eventually("its rights", lambda: plain_namespace.found("RoleBinding", names.AGENT))
        hold(plain_namespace)
        eventually("admission acts", lambda: update(plain_namespace, 0, 3))
        (pod,) = second.pods()
        assert pod["status"]["podIP"] == pod["status"]["hostIP"]


@pytest.fixture
def priority() -> Iterator[str]:
    name = f"ours-{uuid.uuid4().hex[:6]}"
    Kubectl()("create", "priorityclass", name, "--value=1000")
    yield name
    Kubectl()("delete", "priorityclass", name)


def by_digest(repository: str, tag: str) -> str:
    """The image's name by its content, as the registry says it."""
    url = f"http://{REGISTRY}/v2/{repository}/manifests/{tag}"
    accepted = {"Accept": ", ".join(MANIFESTS)}
    with urlopen(Request(url, headers=accepted, method="HEAD"), timeout=10) as answer:
        return f"{REGISTRY}/{repository}@{answer.headers['Docker-Content-Digest']}"


@pytest.mark.soak
def test_images_are_pulled_by_digest_under_the_named_class(
    node: Node, plain_namespace: Namespace, priority: str
) -> None:
    node.lab("push", "digest", seconds=900)
    agent, webhook = (by_digest(f"outrider/{name}", "digest") for name in ("agent", "webhook"))
    flags = (f"--agent-image={agent}", "--pull-secrets=pull", f"--priority-class={priority}")
    with installed(f"webhook-{uuid.uuid4().hex[:6]}", *flags) as second:
        second.place.kubectl("set", "image", f"deployment/{WEBHOOK}", f"webhook={webhook}")
        second.place.complete(WEBHOOK, timeout=120)
        second.opt_in(plain_namespace)
        for name in (names.AGENT, names.ROUTER):
            eventually(name, lambda: plain_namespace.found("Deployment", name))  # noqa: B023
            plain_namespace.complete(name, timeout=120)
    pods = plain_namespace.list("Pod", f"app.kubernetes.io/name={names.AGENT}")
    for pod in (one["spec"] for one in pods):
        assert [one["image"] for one in pod["containers"]] == [agent]
        assert (pod["priorityClassName"], pod["priority"]) == (priority, 1000)
        assert pod["imagePullSecrets"] == [{"name": "pull"}]
