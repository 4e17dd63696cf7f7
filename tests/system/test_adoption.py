"""Adoption under fire: with traffic, in mid-rollout, with an update in between, by the dozen."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from delivery.names import AGENT, HOLD
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.waiting import always, eventually
from tests.system.canaries import (
    GOOD,
    PATIENT,
    SMALL,
    app,
    canary,
    container,
    promotes,
)
from tests.system.load import KEPT, Load, losses
from tests.system.test_commands import version_of
from tests.system.test_release import serves_alone
from tests.system.test_wishes import applied_hash

Figure = Callable[[str], None]

MANY = 50
SELECTOR = "app.kubernetes.io/name"


def leads(place: Namespace) -> None:
    """Wait until an agent acts."""
    lease = f"{AGENT} leads"
    eventually(lease, lambda: holder(place), timeout=90)


def holder(place: Namespace) -> str:
    spec = (place.found("Lease", AGENT) or {}).get("spec", {})
    return str(spec.get("holderIdentity") or "")


@pytest.mark.usefixtures("hurried")
def test_a_rollout_is_awaited_and_an_update_while_adopting_becomes_the_first_release(
    namespace: Namespace, load: Load
) -> None:
    namespace.kubectl.apply(SMALL.manifests())
    namespace.complete()
    clients = load(namespace, *PATIENT), load(namespace, *KEPT, "--rate", "20")
    broken = container(SMALL.manifests(), image="localhost/outrider/shop:missing")
    namespace.kubectl.apply(broken)
    namespace.opt_in()
    leads(namespace)
    always("it is left alone", lambda: namespace.found("Canary", "shop") is None, seconds=3)
    namespace.kubectl.apply(SMALL.manifests())
    eventually("it is held", lambda: HOLD in annotations(namespace), timeout=90)
    said = namespace.kubectl.apply(GOOD.manifests()).errors
    assert "is being adopted, this update is its first release" in said
    promotes(namespace, applied_hash(namespace))
    assert version_of(namespace, "shop-primary") == GOOD.version
    assert "paused" not in namespace.read("Deployment", "shop")["spec"]
    assert losses(*clients) == []


def annotations(place: Namespace) -> JSON:
    found: JSON = place.read("Deployment", "shop")["metadata"].get("annotations") or {}
    return found


def flaggers(place: Namespace) -> list[JSON]:
    """The pair as Flagger leaves it: the Canary owns all of it but the Deployment of the user."""
    deployment, service = SMALL.manifests()
    uid = place.read("Canary", "shop")["metadata"]["uid"]
    owner = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "shop", "uid": uid}
    owners = {"ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}]}
    primary = app("shop-primary")[0]
    primary["metadata"] |= owners
    primary["spec"]["template"]["metadata"]["annotations"] = {"flagger-id": "1"}
    services = [
        {
            **service,
            "metadata": {"name": name, **owners},
            "spec": {**service["spec"], "selector": {SELECTOR: selected}},
        }
        for name, selected in (
            ("shop", "shop-primary"),
            ("shop-primary", "shop-primary"),
            ("shop-canary", "shop"),
        )
    ]
    deployment["spec"]["replicas"] = 0
    return [deployment, primary, *services]


def started(place: Namespace) -> set[tuple[str, int]]:
    """The pods that serve, and how often their containers were started."""
    return {
        (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
        for pod in place.list("Pod", f"{SELECTOR}=shop-primary")
    }


@pytest.mark.soak
def test_a_pair_of_flaggers_is_taken_over_without_a_pod_restarted(
    namespace: Namespace, load: Load
) -> None:
    namespace.kubectl.apply([canary(service={"port": 80})])
    namespace.kubectl.apply(flaggers(namespace))
    namespace.complete("shop-primary")
    namespace.kubectl(
        "patch",
        "canary/shop",
        "--subresource=status",
        "--type=merge",
        '--patch={"status": {"phase": "Succeeded", "lastAppliedSpec": "5d8c4b"}}',
    )
    clients = load(namespace, *PATIENT), load(namespace, *KEPT, "--rate", "20")
    pods = started(namespace)
    namespace.opt_in()
    eventually("it is ours", lambda: namespace.status().get("promotedHash"), timeout=90)
    namespace.adopted()
    always("no release", lambda: namespace.status()["phase"] == "Initialized", seconds=3)
    assert started(namespace) == pods
    namespace.kubectl.apply([replace(GOOD, replicas=1).manifests()[0]])
    promotes(namespace, applied_hash(namespace))
    namespace.kubectl("delete", "canary/shop")
    generated = "outrider.dev/generated"
    eventually("one of ours", lambda: generated in marks(namespace), timeout=30)
    namespace.adopted()
    serves_alone(namespace, GOOD.version)
    assert losses(*clients) == []


def marks(place: Namespace) -> JSON:
    found: JSON = (place.found("Canary", "shop") or {"metadata": {}})["metadata"]
    return found.get("annotations") or {}


@pytest.mark.soak
@pytest.mark.usefixtures("calm")
def test_fifty_apps_are_adopted_one_after_another(
    namespace: Namespace, load: Load, figure: Figure
) -> None:
    names = ["shop", *(f"app-{number:02}" for number in range(1, MANY))]
    for name in names:
        namespace.kubectl.apply(app(name))
    for name in names:
        namespace.complete(name, timeout=300)
    clients = load(namespace, *PATIENT), load(namespace, *KEPT, "--rate", "20")
    began = time.monotonic()
    namespace.opt_in()
    for name in names:
        namespace.adopted(name, timeout=1000)
    seconds = time.monotonic() - began
    sent = sum(len(client.answers) for client in clients)
    lost = losses(*clients)
    each = seconds / MANY
    figure(f"{MANY} apps adopted in {seconds:.0f} s, {each:.1f} s each; {len(lost)} of {sent} lost")
    assert lost == []
