"""Which Deployments are left alone, what is said of them, and who is adopted once it can be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from delivery.names import ENABLED
from delivery.obstacles.drivers import HELP
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.waiting import always, eventually
from tests.system.canaries import (
    PATIENT,
    SMALL,
    analysis,
    app,
    canary,
    container,
    events_of,
    managed,
    said,
)
from tests.system.conftest import fresh, removed
from tests.system.load import Load, losses

Change = Callable[[list[JSON]], object]

together = pytest.mark.xdist_group("left alone")
"""Those that share a namespace run one after another."""


@pytest.fixture(scope="module")
def place(cluster: None) -> Iterator[Namespace]:
    """One opted-in namespace for all the cases: each has an app of its own in it."""
    found = fresh("left-alone")
    found.opt_in()
    yield found
    removed(found)


def pod(manifests: list[JSON]) -> JSON:
    found: JSON = manifests[0]["spec"]["template"]["spec"]
    return found


def second_service(manifests: list[JSON]) -> None:
    service = manifests[1]
    manifests.append(
        {
            **service,
            "metadata": {**service["metadata"], "name": "second"},
            "spec": {**service["spec"], "clusterIP": "None"},
        }
    )


def second_deployment(manifests: list[JSON]) -> None:
    other = app("bystander")[0]
    labels = {**other["spec"]["selector"]["matchLabels"], "shared": "yes"}
    other["spec"]["template"]["metadata"]["labels"] = labels
    ours = manifests[0]["spec"]["template"]["metadata"]
    ours["labels"] = {**ours["labels"], "shared": "yes"}
    manifests[1]["spec"]["selector"] = {"shared": "yes"}
    manifests.append(other)


def claim(manifests: list[JSON]) -> None:
    source = {"persistentVolumeClaim": {"claimName": "none"}}
    pod(manifests)["volumes"] = [{"name": "data", **source}]


def scaler(manifests: list[JSON]) -> None:
    name = manifests[0]["metadata"]["name"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    manifests.append(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "scaler"},
            "spec": {"scaleTargetRef": target, "maxReplicas": 1},
        }
    )


def unknown_port(manifests: list[JSON]) -> None:
    manifests[1]["spec"]["ports"] = [{"name": "tcp", "port": 80, "targetPort": "http"}]


def host_port(manifests: list[JSON]) -> None:
    container(manifests, ports=[{"name": "http", "containerPort": 8080, "hostPort": 8080}])


def opted_out(manifests: list[JSON]) -> None:
    manifests[0]["metadata"]["annotations"] = {ENABLED: "false"}


@dataclass(frozen=True)
class Case:
    """What is said of an app that was spoilt; it is mended by its own files, and by a deletion."""

    reason: str
    spoil: Change
    surplus: str = ""


CASES = {
    "recreate": Case(
        "spec.strategy.type is Recreate, only RollingUpdate keeps users served",
        lambda found: found[0]["spec"].update(strategy={"type": "Recreate"}),
    ),
    "claim": Case(
        "it mounts a PersistentVolumeClaim: volume data is claim none; "
        "give each pod an ephemeral volume",
        claim,
    ),
    "host": Case(
        "it uses a hostPort: container shop has hostPort 8080; take it out, a Service needs the "
        "containerPort alone",
        host_port,
    ),
    "lonely": Case(
        "selected by 0 Services, one is needed: write one that selects "
        "app.kubernetes.io/name=lonely, or say spec.service.port in a Canary",
        lambda found: found.pop(1),
    ),
    "twice": Case(
        "Service second is headless: make it anew without clusterIP: None",
        second_service,
        "service/second",
    ),
    "shared": Case(
        "Service shared selects bystander too", second_deployment, "deployment/bystander"
    ),
    "unknown": Case(
        "port 80 of Service unknown is not known to be HTTP: name it http-…, "
        "or set its appProtocol to http",
        unknown_port,
    ),
    "scaled": Case(f"HorizontalPodAutoscaler scaler scales it: {HELP}", scaler, "hpa/scaler"),
    "unwanted": Case("its annotation outrider.dev/enabled is false", opted_out),
}


def refusals(place: Namespace, name: str) -> list[str]:
    """What the Events on a Deployment say of its being left alone."""
    return [
        one["message"]
        for one in events_of(place, "Deployment", name)
        if one["reason"] == "NotAdopted"
    ]


def left_alone(place: Namespace, name: str, reason: str) -> None:
    text = f"{name} is left alone: {reason}"
    eventually(text, lambda: text in refusals(place, name), timeout=40)


@together
@pytest.mark.parametrize("name", CASES)
def test_what_is_left_alone_is_told_why_and_adopted_when_it_is_mended(
    place: Namespace, name: str
) -> None:
    spoilt = app(name)
    CASES[name].spoil(spoilt)
    place.kubectl.apply(spoilt)
    left_alone(place, name, CASES[name].reason)
    assert place.found("Canary", name) is None
    assert place.found("Deployment", f"{name}-primary") is None
    place.kubectl.apply(app(name))
    if CASES[name].surplus:
        place.kubectl("delete", CASES[name].surplus)
    eventually(f"{name} is taken in hand", lambda: place.status(name).get("phase"), timeout=90)


@together
def test_our_own_deployments_are_never_spoken_of(place: Namespace) -> None:
    place.kubectl.apply(app("ordinary"))
    place.adopted("ordinary")
    ours = ("outrider-agent", "outrider-router", "ordinary-primary")
    assert [refusals(place, name) for name in ours] == [[], [], []]
    assert {one["metadata"]["name"] for one in place.list("Canary")}.isdisjoint(ours)


@pytest.mark.soak
def test_where_apps_are_selected_only_the_annotated_are_adopted(namespace: Namespace) -> None:
    namespace.kubectl.apply([*app("chosen"), *app("other")])
    namespace.kubectl("annotate", "deployment/chosen", f"{ENABLED}=true")
    namespace.kubectl("label", "namespace", namespace.name, f"{ENABLED}=selected")
    namespace.adopted("chosen")
    left_alone(namespace, "other", "its annotation outrider.dev/enabled is not true")
    namespace.kubectl("annotate", "deployment/other", f"{ENABLED}=true")
    eventually("the other one too", lambda: namespace.status("other").get("phase"))


def test_in_a_mesh_nothing_is_adopted(namespace: Namespace) -> None:
    namespace.kubectl("label", "namespace", namespace.name, "istio-injection=enabled")
    namespace.kubectl.apply(SMALL.manifests())
    namespace.opt_in()
    reason = "the namespace is in a mesh (istio-injection): name its provider in a Canary"
    left_alone(namespace, "shop", reason)
    assert namespace.list("Canary") == []


@pytest.mark.soak
def test_the_younger_of_two_canaries_of_one_app_is_held(namespace: Namespace) -> None:
    managed(namespace, canary("first"))
    before = namespace.status("first")
    namespace.kubectl.apply([canary("second")])
    text = "Deployment shop is managed by Canary first already: delete one of the two"
    eventually(text, lambda: said(namespace, "second") == [("Warning", text)])
    always("the first is left as it is", lambda: namespace.status("first") == before, seconds=3)
    namespace.kubectl("delete", "canary", "first")
    namespace.adopted("second")


def test_a_canary_that_cannot_be_used_is_neither_overwritten_nor_overruled(
    namespace: Namespace,
) -> None:
    broken = canary(analysis=analysis(stepWeights=[60, 20]))
    # Before the namespace is opted in, nobody refuses it.
    namespace.kubectl.apply([*SMALL.manifests(), broken])
    namespace.opt_in()
    left_alone(namespace, "shop", "the Canary shop is for it but cannot be used: mend or delete it")
    assert namespace.read("Canary", "shop")["spec"] == broken["spec"]
    namespace.kubectl("delete", "canary", "shop")
    namespace.adopted()


def test_a_canary_that_a_user_writes_takes_the_place_of_the_generated_one(
    namespace: Namespace, load: Load
) -> None:
    namespace.kubectl.apply(SMALL.manifests())
    namespace.complete()
    namespace.opt_in()
    namespace.adopted()
    clients = load(namespace, *PATIENT)
    namespace.kubectl.apply([canary("written")])
    namespace.adopted("written")
    eventually("the generated one goes", lambda: namespace.found("Canary", "shop") is None)
    assert losses(clients) == []


@pytest.mark.soak
def test_a_canary_of_the_same_name_says_what_the_generated_one_left_unsaid(
    namespace: Namespace,
) -> None:
    namespace.kubectl.apply(SMALL.manifests())
    namespace.complete()
    namespace.opt_in()
    before = namespace.adopted()
    namespace.kubectl.apply([canary()])
    steps = canary()["spec"]["analysis"]["stepWeights"]
    eventually(
        "its steps are in force",
        lambda: namespace.status().get("effective", {}).get("stepWeights") == steps,
        timeout=20,
    )
    assert namespace.status()["phaseTime"] == before["phaseTime"]
