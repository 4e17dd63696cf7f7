"""What the routers are told of one app: the intended split, made safe by what is ready."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.canary import Canary, Phase, Status
from delivery.hashing import template_hash
from delivery.pair import Objects
from delivery.routers.envoy import Application, Endpoint
from delivery.serving import applications, clusters, fallback, is_moving
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged, template

STATUS = Status(
    phase=Phase.PROGRESSING,
    canary_weight=30,
    observed=template_hash(template("good:2")),
    ports={"80": 20001},
    apex="web",
)
CANARY = Canary("web", "shop", "web", status=STATUS)


def half(name: str, image: str) -> Document:
    return merged(worlds.deployment(image), {"metadata": {"name": name, "uid": name}})


def replica_set(owner: str, image: str) -> Document:
    owners = [{"uid": owner, "controller": True}]
    metadata = {"uid": f"{owner}-{image}", "ownerReferences": owners}
    return {"metadata": metadata, "spec": {"template": template(image)}}


def pod(number: int, owner: str, image: str) -> Document:
    return worlds.Pod(number, f"{owner}-{image}", template(image), age=9).manifest()


PRIMARY_POD = pod(1, "web-primary", "good:1")
CANARY_POD = pod(2, "web", "good:2")
OTHER_POD = pod(3, "web", "good:3")


def namespace(*pods: Document) -> Objects:
    labels = {names.MANAGED_BY: names.OUTRIDER}
    named = merged(worlds.service(), {"metadata": {"name": "web-primary", "labels": labels}})
    return Objects(
        deployments=[half("web", "good:2"), half("web-primary", "good:1")],
        replica_sets=[
            replica_set("web", "good:2"),
            replica_set("web", "good:3"),
            replica_set("web-primary", "good:1"),
        ],
        pods=pods,
        services=[worlds.service(), merged(named, {"spec": {"clusterIP": "10.0.0.9"}})],
    )


def served(objects: Objects, **status: object) -> list[Application]:
    changed = replace(CANARY, status=replace(STATUS, **status))  # type: ignore[arg-type]  # names are checked by replace
    return list(applications(changed, objects))


def test_each_port_is_served_by_both_halves_and_the_primarys_service() -> None:
    [found] = served(namespace(PRIMARY_POD, CANARY_POD))
    assert (found.name, found.port, found.listener) == ("web", 80, 20001)
    assert found.primary == (Endpoint("10.1.0.1", 8080),)
    assert found.canary == (Endpoint("10.1.0.2", 8080),)
    assert found.fallback == Endpoint("10.0.0.9", 80)
    assert found.canary_weight == 30


@pytest.mark.parametrize(
    ("pods", "intended", "share"),
    [
        ((PRIMARY_POD, CANARY_POD), 30, 30),
        ((PRIMARY_POD,), 30, 0),
        ((PRIMARY_POD, OTHER_POD), 30, 0),
        ((CANARY_POD,), 30, 100),
        ((CANARY_POD,), 0, 0),
        ((), 30, 0),
    ],
)
def test_no_share_goes_to_a_half_without_a_ready_pod_of_the_revision(
    pods: tuple[Document, ...], intended: int, share: int
) -> None:
    [found] = served(namespace(*pods), canary_weight=intended)
    assert found.canary_weight == share


@pytest.mark.parametrize(
    "status", [{"phase": Phase.NEW}, {"apex": "gone"}, {"ports": {}}, {"ports": {"81": 20002}}]
)
def test_what_is_not_managed_yet_is_not_served(status: dict[str, object]) -> None:
    assert served(namespace(PRIMARY_POD), **status) == []


def test_what_has_no_target_is_not_served() -> None:
    objects = namespace(PRIMARY_POD)
    assert served(replace(objects, deployments=objects.deployments[1:])) == []


def test_without_a_primary_nothing_but_the_listener_is_there() -> None:
    objects = namespace()
    [found] = served(
        replace(objects, deployments=objects.deployments[:1], services=[worlds.service()])
    )
    assert (found.primary, found.fallback) == ((), None)


GIVEN_BACK = {"scale": None, "canary_weight": 0}


@pytest.mark.parametrize("phase", [Phase.TERMINATING, Phase.TERMINATED])
def test_an_app_that_was_given_back_is_served_by_its_target_and_its_own_service(
    phase: Phase,
) -> None:
    [found] = served(namespace(PRIMARY_POD, CANARY_POD, OTHER_POD), phase=phase, **GIVEN_BACK)
    assert found.closed
    assert found.primary == (Endpoint("10.1.0.2", 8080), Endpoint("10.1.0.3", 8080))
    assert found.fallback == Endpoint("10.0.0.1", 80)


def test_an_app_on_its_way_out_is_served_by_its_primary() -> None:
    [found] = served(namespace(PRIMARY_POD, CANARY_POD), phase=Phase.TERMINATING, scale=3)
    assert not found.closed
    assert found.primary == (Endpoint("10.1.0.1", 8080),)


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"clusterIP": None}, {"ports": []}])
def test_a_service_that_does_not_lead_to_the_port_is_no_fallback(spec: Document) -> None:
    assert fallback(worlds.service(), "http") == Endpoint("10.0.0.1", 80)
    assert fallback(merged(worlds.service(), {"spec": spec}), "http") is None


def test_the_routers_count_each_half_by_its_ports() -> None:
    assert clusters(CANARY, "canary") == ("web/80/canary", "web/80/mirror")


@pytest.mark.parametrize(
    ("status", "moving"),
    [
        ({"phase": Phase.PROGRESSING}, True),
        ({"phase": Phase.FAILED, "scale": 1}, True),
        ({"phase": Phase.FAILED, "scale": 0}, False),
        ({"phase": Phase.INITIALIZING}, False),
    ],
)
def test_an_app_is_moving_until_its_canary_has_gone(status: dict[str, Any], moving: bool) -> None:
    assert is_moving(Canary("web", "shop", "web", status=Status(**status))) is moving
