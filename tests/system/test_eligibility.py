"""What a namespace holds beside an app decides whether it is adopted, and whether it stays so."""

from collections.abc import Iterator
from typing import Any

import pytest

from delivery import names
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace, opened
from demo.waiting import always, eventually
from tests.system.canaries import GOOD, PATIENT, SMALL, app, canary, events_of, reaches
from tests.system.load import Load, losses
from tests.system.test_release import serves_alone

FOREIGN = {
    "rollouts.argoproj.io": ("v1alpha1", "Rollout"),
    "rollouts.rollouts.kruise.io": ("v1beta1", "Rollout"),
    "scaledobjects.keda.sh": ("v1alpha1", "ScaledObject"),
}
"""Names of CRDs that are not ours, with the version and kind that they serve."""


def definition(name: str) -> JSON:
    version, kind = FOREIGN[name]
    plural, _, group = name.partition(".")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [{**served, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture
def foreign(cluster: None) -> Iterator[None]:
    """Other projects' kinds are installed in mid-test: it asks for them when it is time."""
    yield
    Kubectl()("delete", "crd", *FOREIGN, "--ignore-not-found", timeout=60)


def install() -> None:
    kubectl = Kubectl()
    kubectl.apply([definition(name) for name in FOREIGN])
    every = [f"crd/{name}" for name in FOREIGN]
    kubectl("wait", "--for=condition=established", *every, "--timeout=30s", timeout=40)


def driver(name: str, app: str, **spec: Any) -> JSON:
    version, kind = FOREIGN[name]
    api = f"{name.partition('.')[2]}/{version}"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": f"of-{app}"}, "spec": spec}


def reference(name: str) -> JSON:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


def policy(name: str, app: str, **spec: Any) -> JSON:
    selector = {"matchLabels": {"app.kubernetes.io/name": app}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": selector, **spec},
    }


def none_of(name: str, **template: Any) -> list[JSON]:
    """An app without a pod: what stands against it is said all the same."""
    manifests = app(name)
    manifests[0]["spec"]["replicas"] = 0
    manifests[0]["spec"]["template"]["metadata"].update(template)
    return manifests


def refusals(place: Namespace, name: str, kind: str = "Deployment") -> str:
    """All that was said of its being left alone."""
    found = [one for one in events_of(place, kind, name) if one["reason"] == "NotAdopted"]
    return "\n".join(one["message"] for one in found)


def refused(place: Namespace, name: str, text: str, *, kind: str = "Deployment") -> None:
    eventually(f"{name}: {text}", lambda: text in refusals(place, name, kind), timeout=60)


def test_what_others_drive_is_left_to_them_also_when_they_come_later(
    namespace: Namespace, foreign: None
) -> None:
    admits = {"ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "gateway"}}}]}]}
    meshed = none_of("meshed", annotations={"linkerd.io/inject": "enabled"})
    namespace.kubectl.apply([*meshed, *none_of("closed"), policy("closed", "closed", **admits)])
    namespace.kubectl.apply([*none_of("twice"), none_of("twice-primary")[0]])
    namespace.opt_in()
    refused(namespace, "meshed", "its pods are in a mesh (linkerd.io/inject)")
    text = "NetworkPolicy closed refuses the routers on port 8080: admit pods labelled"
    refused(namespace, "closed", f"{text} app.kubernetes.io/name=outrider-router there")
    refused(namespace, "twice", "the name of Deployment twice-primary is needed for its pair")
    install()
    argo, kruise, keda = FOREIGN
    namespace.kubectl.apply(
        [
            *none_of("event"),
            *none_of("batch"),
            driver(argo, "shop", workloadRef=reference("shop")),
            driver(kruise, "batch", workloadRef=reference("batch")),
            driver(keda, "event", scaleTargetRef={"name": "event"}),
        ]
    )
    # It is ready to be adopted: that is when other projects' kinds are looked at anew.
    namespace.kubectl.apply(SMALL.manifests())
    refused(namespace, "shop", "Rollout of Argo of-shop drives it")
    refused(namespace, "batch", "Rollout of OpenKruise of-batch drives it")
    refused(namespace, "event", "ScaledObject of-event scales it")
    assert namespace.list("Canary") == []


def test_a_quota_without_room_for_the_clone_is_told_in_numbers_until_it_grows(
    namespace: Namespace,
) -> None:
    namespace.kubectl("create", "quota", "small", "--hard=pods=5,services=9")
    namespace.kubectl.apply(SMALL.manifests())
    namespace.opt_in()
    text = "ResourceQuota small has no room for its clone: pods 1 more, 0 of 5 left"
    refused(namespace, "shop", text)
    patch = '{"spec":{"hard":{"pods":"9"}}}'
    namespace.kubectl("patch", "quota", "small", "--type=merge", "-p", patch)
    namespace.adopted()


@pytest.mark.soak
def test_an_app_whose_clone_never_runs_is_given_back_and_the_next_one_is_taken(
    namespace: Namespace, load: Load
) -> None:
    defaults = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": names.DEFAULTS}}
    namespace.kubectl.apply([{**defaults, "data": {"progressDeadlineSeconds": "5"}}])
    single = app("shop")
    labels = {"matchLabels": {"app.kubernetes.io/name": "shop"}}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": labels}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    single[0]["spec"]["template"]["spec"]["affinity"] = apart
    namespace.kubectl.apply([*single, *app("zone")])
    for name in ("shop", "zone"):
        namespace.complete(name)
    before = namespace.read("Deployment", "shop")["spec"]
    clients = load(namespace, *PATIENT)
    namespace.opt_in()
    namespace.adopted("zone")
    refused(namespace, "shop", "its clone did not become ready in time, tried again in 10 min")
    assert namespace.found("Deployment", "shop-primary") is None
    assert namespace.read("Deployment", "shop")["spec"] == before
    assert losses(clients) == []


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_an_app_that_gets_an_autoscaler_in_mid_release_leaves_when_that_has_ended(
    namespace: Namespace, load: Load
) -> None:
    opened(namespace, SMALL.manifests())
    clients = load(namespace, *PATIENT)
    namespace.kubectl.apply(GOOD.manifests())
    reaches(namespace, "Progressing")
    namespace.kubectl("autoscale", "deployment/shop", "--max=3", "--cpu=80%")
    text = "shop is given back when its release has ended: HorizontalPodAutoscaler shop scales it"
    refused(namespace, "shop", text)
    refused(namespace, "shop", "shop is given back: HorizontalPodAutoscaler shop scales it")
    eventually("its Canary is gone", lambda: not namespace.list("Canary"), timeout=120)
    serves_alone(namespace, "v2")
    refused(namespace, "shop", "shop is left alone: HorizontalPodAutoscaler shop scales it")
    namespace.kubectl("delete", "hpa", "shop")
    namespace.adopted()
    serves_alone(namespace, "v2")
    assert losses(clients) == []


def flagger(place: Namespace, watched: str) -> JSON:
    """Something of Flagger's name that watches one namespace; it need not run."""
    labels = {"app.kubernetes.io/name": "flagger"}
    hardened = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    box = {"name": "flagger", "image": "none/flagger:1", "args": [f"-namespace={watched}"]}
    pod = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{**box, "imagePullPolicy": "Never", "securityContext": hardened}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "flagger", "namespace": place.name, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@pytest.mark.soak
def test_where_flagger_runs_nothing_is_done_until_it_is_scaled_to_none(
    namespace: Namespace, plain_namespace: Namespace
) -> None:
    plain_namespace.kubectl.apply([flagger(plain_namespace, namespace.name)])
    namespace.kubectl.apply([*SMALL.manifests(), *app("other"), canary("theirs", target="other")])
    status = '{"status":{"phase":"Initialized","lastAppliedSpec":"abc"}}'
    words = ("canary", "theirs", "--subresource=status", "--type=merge", "-p", status)
    namespace.kubectl("patch", *words)
    before = namespace.read("Canary", "theirs")
    namespace.opt_in()
    where = f"Flagger (Deployment flagger of namespace {plain_namespace.name})"
    text = f"{where} watches this namespace: scale it to 0 first"
    refused(namespace, namespace.name, f"is not taken in hand: {text}", kind="Namespace")
    refused(namespace, "shop", f"shop is left alone: {text}")
    always("it is Flagger's", lambda: namespace.read("Canary", "theirs") == before, seconds=3)
    plain_namespace.kubectl("scale", "deployment/flagger", "--replicas=0")
    namespace.adopted()
    namespace.adopted("theirs")
