"""Which Deployments are adopted, and the reason that each other one is told."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.eligibility import (
    Neighbours,
    leaving,
    opted_out,
    refusals,
    takeover_refusals,
)
from delivery.obstacles.drivers import HELP
from delivery.obstacles.grounds import Grounds
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged

COMPLETE = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
SCALER = {
    "metadata": {"name": "web-hpa"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
}


def running(change: Document | None = None) -> Document:
    return merged(worlds.deployment() | {"status": COMPLETE}, change or {})


def said(deployment: Document, **more: Any) -> tuple[str, ...]:
    around = {"services": (worlds.service(),), "deployments": (deployment,), "autoscalers": ()}
    return refusals(deployment, Neighbours(**{**around, **more}))


def test_what_its_services_are_is_a_reason() -> None:
    (found,) = said(running(), services=())
    assert found.startswith("selected by 0 Services, one is needed")


def test_an_ordinary_web_app_is_eligible() -> None:
    assert said(running()) == ()


CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "shop"}}


def pod(**change: Any) -> Document:
    return {"spec": {"template": {"spec": change}}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"spec": {"strategy": {"type": "Recreate"}}},
            "spec.strategy.type is Recreate, only RollingUpdate keeps users served",
        ),
        (
            {"metadata": {"ownerReferences": [{"uid": "1", "controller": True}]}},
            "it is owned by another controller",
        ),
        (
            {"spec": {"selector": {"matchExpressions": [{"key": "app"}]}}},
            "spec.selector must be matchLabels alone: it has matchExpressions (app); "
            "delete the Deployment and apply it with labels that it selects by",
        ),
        (
            {"spec": {"selector": {"matchLabels": None}}},
            "spec.selector must be matchLabels alone: it has none; "
            "delete the Deployment and apply it with labels that it selects by",
        ),
        (
            pod(hostNetwork=True),
            "it uses the host's network: take hostNetwork: true out of its pods",
        ),
        (
            pod(volumes=[{"emptyDir": {}}, CLAIM]),
            "it mounts a PersistentVolumeClaim: volume data is claim shop; "
            "give each pod an ephemeral volume",
        ),
        (
            pod(containers=[{"name": "a", "ports": [{"containerPort": 80, "hostPort": 80}]}]),
            "it uses a hostPort: container a has hostPort 80; take it out, a Service needs the "
            "containerPort alone",
        ),
        ({"spec": {"replicas": 0}}, "it is scaled to 0: set spec.replicas to 1 or more"),
        (
            {"spec": {"paused": True}},
            "it is paused: take spec.paused: true out, or run kubectl rollout resume",
        ),
        (
            {"status": {"updatedReplicas": 1}},
            "a rollout is under way: waiting for rollout to finish: "
            "1 out of 3 new replicas have been updated",
        ),
    ],
)
def test_a_deployment_that_cannot_be_doubled_is_left_alone(change: Document, reason: str) -> None:
    assert said(running(change)) == (reason,)


def test_a_strategy_that_is_not_said_is_a_rolling_update() -> None:
    assert said(running({"spec": {"strategy": None}})) == ()


def test_a_deployment_that_is_held_already_need_not_be_complete() -> None:
    held = {"metadata": {"annotations": {names.SCALE: "0"}}, "spec": {"replicas": 0}}
    assert said(running(held)) == ()


def test_an_autoscaler_is_a_reason_when_it_scales_this_one() -> None:
    other = merged(SCALER, {"spec": {"scaleTargetRef": {"name": "api"}}})
    kind = merged(SCALER, {"spec": {"scaleTargetRef": {"kind": "StatefulSet"}}})
    scales = (f"HorizontalPodAutoscaler web-hpa scales it: {HELP}",)
    assert said(running(), autoscalers=(other, kind)) == ()
    assert said(running(), autoscalers=(SCALER,)) == scales


def test_a_mesh_is_a_reason_that_names_the_way_out() -> None:
    reason = "the namespace is in a mesh (istio.io/rev): name its provider in a Canary"
    assert said(running(), mesh="istio.io/rev") == (reason,)


def test_where_its_own_router_is_named_an_app_may_be_in_a_mesh() -> None:
    meshed = {"metadata": {"labels": {"sidecar.istio.io/inject": "true"}}}
    app = running({"spec": {"template": meshed}})
    assert said(app, mesh="istio.io/rev", external=True) == ()
    assert len(said(app, mesh="istio.io/rev")) == 2


@pytest.mark.parametrize(("protocol", "reasons"), [("TCP", 0), ("UDP", 1)])
def test_only_an_opaque_app_may_speak_any_tcp(protocol: str, reasons: int) -> None:
    port = {"name": "mysql", "port": 3306, "targetPort": 3306, "protocol": protocol}
    services = (merged(worlds.service(), {"spec": {"ports": [port]}}),)
    assert len(said(running(), services=services, external=True, opaque=True)) == reasons
    assert len(said(running(), services=services, external=True)) == 1


def test_every_reason_is_told_at_once() -> None:
    change = merged(pod(hostNetwork=True), {"spec": {"replicas": 0}})
    assert len(said(running(change), mesh="linkerd.io/inject")) == 3


@pytest.mark.parametrize(
    ("said", "selected_only", "left_out"),
    [
        (None, False, False),
        ("true", False, False),
        ("false", False, True),
        (None, True, True),
        ("true", True, False),
        ("false", True, True),
    ],
)
def test_a_deployment_is_left_out_by_its_annotation(
    said: str | None, selected_only: bool, left_out: bool
) -> None:
    found = running({"metadata": {"annotations": {names.ENABLED: said}}})
    assert opted_out(found, Neighbours((), (), (), selected_only=selected_only)) is left_out


@pytest.mark.parametrize(
    ("enrolled", "selected", "said", "generated", "why"),
    [
        (True, False, None, True, ""),
        (False, False, "true", False, "the namespace is not labelled"),
        (True, False, "false", False, "its annotation outrider.dev/enabled is false"),
        (True, True, None, True, "its annotation outrider.dev/enabled is not true"),
        (True, True, None, False, ""),
        (True, True, "true", True, ""),
    ],
)
def test_an_app_leaves_when_it_is_opted_out(
    enrolled: bool, selected: bool, said: str | None, generated: bool, why: str
) -> None:
    around = Neighbours((), (), (), enrolled=enrolled, selected_only=selected)
    found = running({"metadata": {"annotations": {names.ENABLED: said}}})
    reason = leaving(found, around, generated=generated)
    assert reason.startswith(why)
    assert bool(reason) is bool(why)


def test_a_pair_of_flaggers_is_refused_while_flagger_runs_or_another_scales_it() -> None:
    idle = running({"spec": {"replicas": 0}})
    around = Neighbours(services=(), deployments=(idle,), autoscalers=())
    assert takeover_refusals(idle, around) == ()
    busy = replace(around, autoscalers=(SCALER,), grounds=Grounds(flagger="tools/flagger"))
    found = takeover_refusals(idle, busy)
    assert [one.partition(" ")[0] for one in found] == ["HorizontalPodAutoscaler", "Flagger"]


OWNED = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "web"}


@pytest.mark.parametrize(
    ("name", "metadata", "refused"),
    [
        ("web-primary", {}, True),
        ("web-primary", {"labels": {names.MANAGED_BY: "helm"}}, True),
        ("web-primary", {"ownerReferences": [{**OWNED, "apiVersion": "other.io/v1"}]}, True),
        ("web-primary", {"ownerReferences": [OWNED]}, False),
        ("web-primary", {"labels": {names.MANAGED_BY: names.OUTRIDER}}, False),
        ("web-canary", {}, False),
    ],
    ids=["anybody's", "Helm's", "another Canary's", "Flagger's", "ours", "another name"],
)
def test_an_app_of_somebody_elses_that_has_the_primarys_name_is_a_reason(
    name: str, metadata: Document, refused: bool
) -> None:
    pods = {"metadata": {"labels": {"app": "other"}}}
    other = running({"metadata": {"name": name, **metadata}, "spec": {"template": pods}})
    reason = f"the name of Deployment {name} is needed for its pair: give that app another one"
    assert said(running(), deployments=(running(), other)) == ((reason,) if refused else ())
