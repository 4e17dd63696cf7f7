"""A pair that Flagger made: compared as it was written, taken over as it is, given back whole."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import apex, names, takeover
from delivery.canary import Phase
from delivery.decision import Claim
from delivery.hashing import template_hash
from delivery.schema import parse
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.scenes import IDLE, canary, half, seen
from tests.delivery.turns import Agent
from tests.delivery.worlds import World, merged

OWNER = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "web", "uid": "c"}
OTHER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}


def spread(value: str) -> Document:
    term = {"labelSelector": {"matchExpressions": [expression(value)]}, "topologyKey": "zone"}
    selector = {"matchLabels": {"app": value, "tier": "web"}}
    return {
        "topologySpreadConstraints": [{"maxSkew": 1, "labelSelector": selector}],
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}},
    }


def expression(value: str) -> Document:
    return {"key": "app", "operator": "In", "values": [value, "other"]}


def reading(copy: str = "") -> Document:
    """A pod that reads ConfigMaps and Secrets in each way that Flagger tracks."""
    sources = [{"secret": {"name": f"keys{copy}"}}, {"downwardAPI": {}}]
    references = [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": f"conf{copy}", "key": "a"}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": f"keys{copy}", "key": "b"}}},
        {"name": "C", "value": "not-primary"},
    ]
    whole = [
        {"configMapRef": {"name": f"conf{copy}"}},
        {"secretRef": {"name": f"keys{copy}", "optional": True}},
        {"configMapRef": {"name": "shared-primary"}},
    ]
    return {
        "volumes": [
            {"name": "one", "configMap": {"name": f"conf{copy}"}},
            {"name": "two", "secret": {"secretName": f"keys{copy}"}},
            {"name": "three", "projected": {"sources": sources}},
        ],
        "initContainers": [{"name": "init", "image": "init:1", "envFrom": whole}],
        "containers": [{"name": "web", "image": "good:1", "env": references}],
        "imagePullSecrets": [{"name": "pull-primary"}],
    }


def template(value: str, **spec: Any) -> Document:
    return {"metadata": {"labels": {"app": value, "tier": "web"}}, "spec": spec}


def pair_of(targets: Document, primarys: Document) -> tuple[Document, Document]:
    """Target and primary as Deployments."""
    selector = {"matchLabels": {"app": "web-primary"}}
    return (
        {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": targets}},
        {
            "kind": "Deployment",
            "metadata": {"name": "web-primary"},
            "spec": {"selector": selector, "template": primarys},
        },
    )


@pytest.mark.parametrize(
    ("targets", "primarys"),
    [
        (template("web"), template("web-primary")),
        (template("web", **spread("web")), template("web-primary", **spread("web-primary"))),
        (template("web", **reading()), template("web-primary", **reading("-primary"))),
    ],
)
def test_what_flagger_made_of_a_template_is_the_same_revision(
    targets: Document, primarys: Document
) -> None:
    target, primary = pair_of(targets, primarys)
    assert takeover.as_written(primarys, primary, target) == targets
    marked = merged(primarys, {"metadata": {"annotations": {"flagger-id": "1"}}})
    found = template_hash(takeover.as_written(marked, primary, target))
    assert found == template_hash(targets)


def test_what_else_differs_is_another_revision() -> None:
    targets, primarys = template("web", **reading()), template("web-primary", **reading())
    primarys["spec"]["containers"][0]["image"] = "good:0"
    target, primary = pair_of(targets, primarys)
    assert template_hash(takeover.as_written(primarys, primary, target)) != template_hash(targets)


def test_a_new_revision_is_spread_by_the_labels_that_the_primarys_pods_have() -> None:
    targets = template("web", **spread("web"))
    target, primary = pair_of(targets, {})
    found = takeover.as_primary(targets, primary, target)
    assert found == template("web-primary", **spread("web-primary"))


def test_a_primary_of_ours_is_left_as_it_is() -> None:
    target, primary = pair_of(template("web"), template("web"))
    # A target that is held bears a role of its own, which makes the pair none of Flagger's.
    target["spec"]["template"]["metadata"]["labels"][names.ROLE] = names.CANARY
    primary["spec"]["selector"] = {"matchLabels": {"app": "web", names.ROLE: names.PRIMARY}}
    term = {"labelSelector": {"matchLabels": {names.ROLE: names.CANARY}}}
    odd = template("web", volumes=[{"configMap": {"name": "conf-primary"}}], affinity=term)
    assert takeover.as_written(odd, primary, target) == odd
    assert takeover.as_primary(odd, primary, target) == odd


def owned(found: Document, *owners: Document) -> Document:
    return merged(found, {"metadata": {"ownerReferences": [*owners], "resourceVersion": "7"}})


def test_what_belongs_to_the_canary_becomes_ours_and_the_users_service_nobodys() -> None:
    services = {
        name: owned(merged(worlds.service(), {"metadata": {"name": name}}), OWNER)
        for name in ("app-primary", "app-canary")
    }
    primary = replace(half("v1"), manifest=owned(dict(half("v1").manifest), OWNER, OTHER))
    look = seen(primary=primary, apex=owned(worlds.service(), OWNER), services=services)
    kept = canary(IDLE, finalizers=("theirs", takeover.FINALIZER), resource_version="9")
    marks = {names.APP: "app"}
    assert list(takeover.claims(kept, look, marks)) == [
        Claim("Canary", "web", {"finalizers": ["theirs"]}, "9"),
        Claim(
            "Deployment",
            "app-v1",
            {"ownerReferences": [OTHER], "labels": {**marks, names.ROLE: "primary"}},
            "7",
        ),
        Claim("Service", "web", {"ownerReferences": []}, "7"),
        *(
            Claim(
                "Service",
                f"app-{role}",
                {"ownerReferences": [], "labels": {**marks, names.ROLE: role}},
                "7",
            )
            for role in ("primary", "canary")
        ),
    ]
    assert list(takeover.claims(canary(IDLE), replace(look, primary=None, apex=None), marks)) == []
    assert list(takeover.claims(canary(IDLE), seen(), marks)) == []


def test_the_finalizers_of_a_canary_are_known() -> None:
    metadata = {"name": "web", "finalizers": [takeover.FINALIZER]}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"targetRef": reference, "skipAnalysis": True}
    written = {"metadata": metadata, "spec": spec}
    assert parse(written, canary(IDLE).analysis).finalizers == (takeover.FINALIZER,)


def flaggers_world() -> World:
    """A pair at rest, as Flagger leaves it when it is scaled to 0."""
    world = World()
    world.put(worlds.deployment(replicas=0))
    primary = merged(
        worlds.deployment(),
        {
            "metadata": {"name": "web-primary", "ownerReferences": [OWNER]},
            "spec": {
                "selector": {"matchLabels": {"app": "web-primary"}},
                "template": {
                    "metadata": {
                        "labels": {"app": "web-primary"},
                        "annotations": {"flagger-id": "1"},
                    }
                },
            },
        },
    )
    world.put(primary)
    for name, selected in (("web", "-primary"), ("web-primary", "-primary"), ("web-canary", "")):
        selector = {"app": f"web{selected}"}
        change = {
            "metadata": {"name": name, "ownerReferences": [OWNER]},
            "spec": {"selector": selector},
        }
        world.put(merged(worlds.service(), change))
    for _ in range(4):
        world.pass_second()
    return world


def test_flaggers_pair_is_taken_over_without_a_pod_restarted_and_then_released_and_left() -> None:
    agent = Agent(flaggers_world())
    pods = [pod.number for pod in agent.world.pods]
    lost = agent.world.lost
    agent.run(30)
    assert agent.canary.status.phase is Phase.INITIALIZED
    assert [pod.number for pod in agent.world.pods] == pods
    assert agent.world.services["web-canary"]["spec"]["selector"]["app"] == "web"
    everything = (*agent.world.deployments.values(), *agent.world.services.values())
    assert not any(one["metadata"].get("ownerReferences") for one in everything)
    agent.world.apply("good:2", replicas=4)
    agent.run(70)
    primary = agent.world.deployments["web-primary"]
    assert (agent.canary.status.phase, primary["spec"]["replicas"]) == (Phase.SUCCEEDED, 4)
    assert primary["spec"]["template"]["metadata"]["labels"]["app"] == "web-primary"
    agent.world.enrolled = False
    agent.run(70)
    assert list(agent.world.deployments) == ["web"]
    assert agent.world.services["web"]["spec"]["selector"] == {"app": "web"}
    assert agent.world.lost == lost


@pytest.mark.parametrize("seconds", range(12))
def test_who_leaves_in_the_middle_of_it_loses_nothing(seconds: int) -> None:
    agent = Agent(flaggers_world()).run(seconds)
    lost = agent.world.lost
    agent.world.enrolled = False
    agent.run(80)
    target, service = agent.world.deployments["web"], agent.world.services["web"]
    untouched = (0, "web-primary", Phase.NEW)
    given_back = (3, "web", Phase.TERMINATED)
    found = (target["spec"]["replicas"], service["spec"]["selector"]["app"])
    assert (*found, agent.canary.status.phase) == (given_back if seconds else untouched)
    assert agent.world.lost == lost


def test_a_wish_alone_restarts_no_pod_of_flaggers_primary() -> None:
    agent = Agent(flaggers_world()).run(30)
    pods = {pod.number for pod in agent.world.pods}
    agent.world.scale(5)
    agent.run(10)
    assert pods < {pod.number for pod in agent.world.pods}
    assert len(agent.world.pods) == 5


def test_without_both_halves_the_service_is_its_users_own() -> None:
    for look in (seen(primary=None), replace(seen(), target=None)):
        assert apex.home(worlds.service(), look) == apex.origin(worlds.service())
