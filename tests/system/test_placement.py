"""The canary's pods on other nodes than the primary's: as far as one node can tell."""

from typing import Any

import pytest

from delivery.mapping import mapping
from delivery.names import CANARY, PRIMARY, ROLE
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.waiting import eventually
from tests.system.canaries import GOOD, SMALL, analysis, canary, changed, managed, reaches
from tests.system.canaries import promotes as is_promoted

TAINT = {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}
SELECTOR = {"kubernetes.io/os": "linux"}
PLACED = {"nodeSelector": SELECTOR, "tolerations": [TAINT]}
GUIDES = {"canaryAnalysis": {"templateVariables": PLACED}}
OWN = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
PAUSE = "outrider.dev/pause"


def owned(version: Any) -> list[JSON]:
    """The shop with a toleration of its user's own."""
    manifests: list[JSON] = version.manifests()
    manifests[0]["spec"]["template"]["spec"]["tolerations"] = [OWN]
    return manifests


def pods(place: Namespace, role: str) -> list[JSON]:
    return [one["spec"] for one in place.list("Pod", f"{ROLE}={role},app.kubernetes.io/name=shop")]


def is_placed(pod: JSON) -> bool:
    """By all of it, and not by a part."""
    chosen = SELECTOR.items() <= pod.get("nodeSelector", {}).items()
    assert chosen is (TAINT in pod["tolerations"]), pod
    return chosen


def pod_of(place: Namespace) -> JSON:
    found: JSON = place.read("Deployment", "shop")["spec"]["template"]["spec"]
    return found


def owners(place: Namespace) -> list[str]:
    """Of the tolerations, to which the agent has added: a moment after an apply it is nobody."""
    entries = place.read("Deployment", "shop")["metadata"]["managedFields"]
    holder = ("fieldsV1", "f:spec", "f:template", "f:spec")
    return [one["manager"] for one in entries if "f:tolerations" in mapping(one, *holder)]


def unchanged(place: Namespace, *options: str) -> None:
    """A status that changes between kubectl's two looks is a difference to it as well."""
    eventually("no difference", lambda: place.kubectl.differences(owned(GOOD), *options) == "")


@pytest.mark.settled
def test_the_canarys_pods_run_on_other_nodes_and_the_primarys_never(namespace: Namespace) -> None:
    steps = analysis(metrics=[], **GUIDES)
    place = managed(namespace, canary(analysis=steps), SMALL)
    place.kubectl("annotate", "canary", "shop", f"{PAUSE}=true")
    place.kubectl.apply(owned(GOOD))
    place.complete()
    reaches(place, "Progressing")
    eventually("a canary runs", lambda: pods(place, CANARY))
    assert [is_placed(one) for one in pods(place, CANARY)] == [True]
    assert not any(is_placed(one) for one in pods(place, PRIMARY))
    assert OWN in pods(place, CANARY)[0]["tolerations"]
    unchanged(place)
    eventually("nobody owns what is held", lambda: owners(place) == [])
    place.kubectl.apply(owned(GOOD), "--server-side")
    unchanged(place, "--server-side")

    place.kubectl("annotate", "canary", "shop", f"{PAUSE}-")
    revision = place.status()["observedHash"]
    is_promoted(place, revision)
    reaches(place, "Succeeded")
    assert not any(is_placed(one) for one in pods(place, PRIMARY))
    assert any(OWN in one["tolerations"] for one in pods(place, PRIMARY))
    place.kubectl.apply(owned(GOOD))
    assert place.status()["observedHash"] == revision
    changed(place, {"analysis": {"canaryAnalysis": None}})
    eventually("it is taken off", lambda: "nodeSelector" not in pod_of(place))
    assert pod_of(place)["tolerations"] == [OWN]
    assert place.status()["observedHash"] == revision
