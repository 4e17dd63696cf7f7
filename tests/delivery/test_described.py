"""A Canary that describes a Service nobody has written: it is made, and then as any user's."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import names, schema
from delivery.api.service import Service
from delivery.api.service_words import service_words
from delivery.canary import Canary, Phase
from delivery.decision import Create
from delivery.described import described, expected, is_its_users, unservable
from delivery.intent import effects
from delivery.rules.initializing import described_service_is_made
from delivery.step import step
from tests.delivery import scenes, worlds
from tests.delivery.histories import calmed, rested, watched
from tests.delivery.turns import Agent, look
from tests.delivery.worlds import merged

UNNAMED = {"containerPort": 9090}
GRPC = {"name": "grpc", "containerPort": 9000}
SIDECAR = {"name": "istio-proxy", "ports": [{"name": "http-envoy", "containerPort": 15090}]}


def saying(canary: Canary, **said: Any) -> Canary:
    """The Canary with such a `spec.service`."""
    service = Service.model_validate({"port": 80, "targetPort": "http", **said})
    return replace(canary, service=service.name or canary.target, words=service_words(service))


def target(*ports: dict[str, Any]) -> dict[str, Any]:
    found = worlds.deployment()
    found["metadata"] |= {"uid": "7"}
    containers = found["spec"]["template"]["spec"]["containers"]
    containers[0]["ports"] += ports
    containers.append(SIDECAR)
    return found


def made(*ports: dict[str, Any], **said: Any) -> Any:
    canary = Canary("web", "shop", "web", scenes.ANALYSIS)
    return described(saying(canary, **said), target(*ports))


def test_it_is_as_its_user_could_have_written_it() -> None:
    apex = {"labels": {"team": "shop"}, "annotations": {"note": "hello"}}
    assert made(name="front", apex=apex) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "front",
            "namespace": "shop",
            **apex,
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "7"}
            ],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": "web"},
            "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http"}],
        },
    }


@pytest.mark.parametrize(
    ("said", "ports", "expected"),
    [
        ({}, (GRPC,), [("http", 80, "http")]),
        ({"targetPort": None}, (), [("http", 80, 80)]),
        ({"portName": "grpc", "targetPort": 9000}, (), [("grpc", 80, 9000)]),
        ({"portDiscovery": True}, (GRPC,), [("http", 80, "http"), ("grpc", 9000, 9000)]),
        (
            {"portDiscovery": True, "targetPort": 8080},
            (UNNAMED,),
            [("http", 80, 8080), ("tcp-web-1", 9090, 9090)],
        ),
    ],
)
def test_its_ports_are_what_the_canary_says(
    said: dict[str, Any], ports: tuple[dict[str, Any], ...], expected: list[tuple[Any, ...]]
) -> None:
    found = made(*ports, **said)["spec"]["ports"]
    assert [(one["name"], one["port"], one["targetPort"]) for one in found] == expected


def test_its_protocol_is_said() -> None:
    (port,) = made(appProtocol="kubernetes.io/h2c")["spec"]["ports"]
    assert port["appProtocol"] == "kubernetes.io/h2c"


def test_who_says_nothing_of_a_service_gets_none() -> None:
    canary = schema.parse(schema.generated("web", "shop"), scenes.ANALYSIS)
    assert described(canary, target()) is None
    seen = replace(look(canary, Agent().world), apex=None)
    assert described_service_is_made(canary, seen) is None
    assert described_service_is_made(canary, look(canary, Agent().world)) is None
    assert effects(canary, seen) == ()


def test_one_that_is_there_is_not_made() -> None:
    canary = saying(Canary("web", "shop", "web", scenes.ANALYSIS))
    assert expected(canary, target(), [worlds.service()]) is None


@pytest.mark.parametrize(
    ("said", "ports", "expected"),
    [
        ({}, (), []),
        (
            {"name": "my.shop"},
            (),
            ["Service my.shop cannot be made, its name is no DNS label"],
        ),
        ({"name": 64 * "x"}, (), [f"Service {64 * 'x'} cannot be made, its name is no DNS label"]),
        ({"portName": "HTTP"}, (), ["port 80 of Service web cannot be named HTTP"]),
        (
            {"portDiscovery": True},
            ({"name": "http-b", "containerPort": 81}, {"name": "http-b", "containerPort": 82}),
            ["Service web would have two ports of the name http-b"],
        ),
        (
            {"portDiscovery": True},
            ({"name": "http-b", "containerPort": 80},),
            ["Service web would have two ports of the port 80"],
        ),
    ],
)
def test_what_the_api_server_would_not_take_is_told_before(
    said: dict[str, Any], ports: tuple[dict[str, Any], ...], expected: list[str]
) -> None:
    canary = saying(Canary("web", "shop", "web", scenes.ANALYSIS), **said)
    found = [one.partition(":")[0] for one in unservable(canary, target(*ports), [])]
    assert [one[: len(begin)] for one, begin in zip(found, expected, strict=True)] == expected


def test_a_service_of_another_app_is_not_taken() -> None:
    canary = saying(Canary("web", "shop", "web", scenes.ANALYSIS))
    others = merged(worlds.service(), {"spec": {"selector": {"app": "other"}}})
    (why,) = unservable(canary, target(), [others])
    assert why.startswith("Service web, which spec.service names, does not select its pods")
    owner = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "web"}
    owned = {"metadata": {"ownerReferences": [owner]}}
    assert list(unservable(canary, target(), [merged(others, owned)])) == []
    assert list(unservable(canary, target(), [worlds.service()])) == []


def test_a_deployment_that_nothing_can_select_gets_none() -> None:
    found = target()
    found["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    assert described(saying(Canary("web", "shop", "web", scenes.ANALYSIS)), found) is None


def unserved(**said: Any) -> Agent:
    """An app that nobody has written a Service for."""
    agent = Agent()
    del agent.world.services["web"]
    agent.canary = saying(agent.canary, **said)
    return agent


def created(agent: Agent) -> int:
    return sum(isinstance(one, Create) for one in agent.turn())


def test_an_app_without_a_service_is_adopted_and_released() -> None:
    agent = watched_from(unserved())
    assert agent.canary.status.phase is Phase.INITIALIZED
    agent.world.apply("good:2")
    assert calmed(watched(agent, 3)).canary.status.phase is Phase.SUCCEEDED
    assert agent.said[0] == "Service web is not there: it is made as spec.service describes it"


def watched_from(agent: Agent) -> Agent:
    """From when the Service is there: before, nobody can call the app."""
    agent.run(1)
    agent.world.lost = 0
    watched(agent, 20)
    assert agent.world.lost == 0
    return agent


def test_the_status_names_it_before_it_is_made() -> None:
    agent = unserved()
    agent.turn(crash_after=1)
    assert agent.canary.status.apex == "web"
    assert "web" not in agent.world.services
    assert created(agent) == 1
    assert created(agent) == 0


def test_one_that_its_user_writes_in_that_moment_stays() -> None:
    agent = unserved()
    agent.turn(crash_after=1)
    agent.world.put(merged(worlds.service(), {"metadata": {"labels": {"by": "jane"}}}))
    watched(agent, 20)
    assert agent.world.services["web"]["metadata"]["labels"] == {"by": "jane"}
    assert agent.canary.status.phase is Phase.INITIALIZED


def test_one_that_could_not_be_routed_is_not_made() -> None:
    agent = unserved(portName="raw", appProtocol="mysql").run(5)
    assert agent.world.services == {}
    assert agent.said == [
        "web is left alone: port 80 of Service web is not known to be HTTP: name it http-…, or "
        "set its appProtocol to http"
    ]


@pytest.mark.parametrize("seconds", [0, 6, 12, 20])
def test_one_that_is_deleted_comes_back_leading_where_it_led(seconds: int) -> None:
    """To the primary in the very write that makes it, until the routers know it again: nobody is
    sent to a canary that has no users.
    """
    agent = watched_from(unserved())
    agent.world.apply("bad:2")
    before = watched(agent, seconds).world.services.pop("web")
    agent.turn()
    assert agent.world.services["web"]["spec"]["selector"][names.ROLE] == names.PRIMARY
    after = agent.run(2).world.services["web"]
    assert after["spec"]["selector"] == before["spec"]["selector"]
    assert after["spec"]["ports"] == before["spec"]["ports"]
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert rested(calmed(agent))


OURS = {
    "manager": names.AGENT_MANAGER,
    "operation": "Update",
    "fieldsV1": {"f:metadata": {"f:ownerReferences": {".": {}}}},
}


def written_by(service: dict[str, Any], *more: Any, **entry: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"f:spec": {"f:ports": {}}}
    owner = {"manager": "kubectl", "operation": "Update", "fieldsV1": fields, **entry}
    return merged(service, {"metadata": {"managedFields": [owner, *more]}})


def test_one_that_its_user_has_written_since_is_the_users() -> None:
    """It no longer goes with the Deployment, and is not made again."""
    agent = watched_from(unserved())
    assert agent.canary.status.made
    services = agent.world.services
    services["web"] = written_by(services["web"], OURS)
    agent.run(2)
    assert not agent.canary.status.made
    assert services["web"]["metadata"]["ownerReferences"] == []
    del services["web"]
    agent.run(2)
    assert services.keys() == {"web-primary", "web-canary"}


def test_what_its_user_says_of_who_owns_it_stays() -> None:
    agent = watched_from(unserved())
    services = agent.world.services
    services["web"] = written_by(services["web"])
    agent.run(2)
    assert services["web"]["metadata"]["ownerReferences"] != []


@pytest.mark.parametrize(
    ("entry", "users"),
    [
        ({}, True),
        ({"operation": "Apply"}, True),
        ({"manager": names.AGENT_MANAGER}, False),
        ({"subresource": "status"}, False),
        ({"fieldsV1": {"f:metadata": {}}}, False),
    ],
)
def test_who_writes_into_its_spec_has_a_file_of_it(entry: dict[str, Any], users: bool) -> None:
    assert is_its_users(written_by(worlds.service(), **entry)) is users


def test_what_is_not_adopted_gets_none() -> None:
    agent = unserved()
    agent.turn(crash_after=1)
    assert agent.canary.status.made
    agent.world.scaled = True
    assert created(agent) == 0
    agent.world.scaled = False
    agent.canary = replace(agent.canary, suspend=True)
    assert created(agent) == 0
    agent.canary = replace(agent.canary, suspend=False)
    assert created(agent) == 1


def test_who_names_another_meanwhile_gets_that() -> None:
    agent = unserved()
    agent.turn(crash_after=1)
    agent.canary = saying(agent.canary, name="front")
    seen = replace(look(agent.canary, agent.world), apex=None)
    decision = step(agent.canary, seen)
    assert decision.canary.status.apex == "front"
