"""Ports that a user adds to a routed Service, or numbers anew: each leads to its own target."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import pytest

from delivery import apex, names
from delivery.origins import is_spoilt
from delivery.wiring import wiring
from tests.delivery import departures, worlds
from tests.delivery.reviews import Document
from tests.delivery.turns import Agent
from tests.delivery.worlds import merged, populated

HTTP = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
ADMIN = {"name": "http-admin", "port": 81, "targetPort": 9090, "protocol": "TCP"}
MOVED = {**HTTP, "port": 8080, "targetPort": 9090}
NAMED = {**HTTP, "port": 8080}


def adopted() -> Agent:
    return Agent(populated()).run(15)


def service(agent: Agent) -> Document:
    return agent.world.services["web"]


def edited(agent: Agent, ports: Sequence[Mapping[str, Any]]) -> Agent:
    """As `kubectl edit` sends it: what else stands there stays."""
    agent.world.put(merged(deepcopy(service(agent)), {"spec": {"ports": list(ports)}}))
    return agent


def replaced(agent: Agent, ports: Sequence[Mapping[str, Any]]) -> Agent:
    """As an apply sends it: with the user's own selector."""
    dropped = {key: None for key in service(agent)["spec"]["selector"]}
    wanted = {"selector": {**dropped, "app": "web"}, "ports": list(ports)}
    agent.world.put(merged(deepcopy(service(agent)), {"spec": wanted}))
    return agent


def left(agent: Agent) -> Document:
    departures.unlabel(agent)
    for _ in range(90):
        if apex.is_unmarked(service(agent.run(1))):
            break
    return service(agent)


def targets(ports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {str(port["port"]): port["targetPort"] for port in ports}


def ways(agent: Agent) -> dict[int, set[int]]:
    """Which ports of the primary's pods the routers know for each port of the Service."""
    return {one.port: {each.port for each in one.primary} for one in agent.world.served}


def leads_right(agent: Agent, ports: Sequence[Mapping[str, Any]]) -> None:
    """To the routers, by them to the pods, past them by the primary's Service; and back home."""
    numbers = {"http": 8080}
    wanted = {port["port"]: {numbers.get(to := port["targetPort"], to)} for port in ports}
    found, own = service(agent), agent.world.services["web-primary"]
    said = wiring(found["metadata"]["annotations"][names.ORIGIN])
    assert apex.leads_to_routers(found)
    assert {one["targetPort"] for one in found["spec"]["ports"]} <= {*names.LISTENERS}
    assert targets(apex.own_ports(found)) == targets(ports)
    assert targets(own["spec"]["ports"]) == targets(ports)
    assert ways(agent) == wanted
    assert said
    assert targets(ports).items() <= said.ports.items()


CHANGES = [[HTTP, ADMIN], [ADMIN, HTTP], [MOVED], [NAMED], [ADMIN], [NAMED, {**ADMIN, "port": 80}]]


@pytest.mark.parametrize("send", [edited, replaced])
@pytest.mark.parametrize("admission", [True, False])
@pytest.mark.parametrize("ports", CHANGES)
def test_a_port_that_comes_later_leads_to_its_own_target_and_is_as_it_was_afterwards(
    ports: list[Document], admission: bool, send: Any
) -> None:
    agent = adopted()
    agent.world.admission = admission
    send(agent, ports).run(3)
    leads_right(agent, ports)
    agent.world.admission = True
    home = left(agent)
    assert (home["spec"]["ports"], apex.is_unmarked(home)) == (ports, True)


@pytest.mark.parametrize("admission", [True, False])
def test_one_that_is_numbered_anew_by_hand_takes_its_own_target_home_at_once(
    admission: bool,
) -> None:
    """The routers' port stands at its new number, and nobody routes it any more."""
    agent = Agent(populated())
    agent.world.put(merged(worlds.service(), {"metadata": {"name": "api"}}))
    found = agent.run(15).world.services["api"]
    agent.world.admission = admission
    (port,) = found["spec"]["ports"]
    unknown = {**port, "name": "tcp", "port": 8080}
    agent.world.put(merged(found, {"spec": {"ports": [unknown]}}))
    home = agent.run(4).world.services["api"]
    assert home["spec"]["ports"] == [{**unknown, "targetPort": "http"}]
    assert apex.is_unmarked(home)


def test_a_target_that_is_changed_while_admission_is_down_counts() -> None:
    agent = adopted()
    agent.world.admission = False
    leads_right(
        replaced(agent, [{**HTTP, "targetPort": 9090}]).run(3), [{**HTTP, "targetPort": 9090}]
    )


def spoilt(agent: Agent) -> Agent:
    """As earlier versions left a port that was added: nobody kept where it leads."""
    edited(agent, [HTTP, ADMIN]).run(3)
    found = service(agent)
    origin = json.dumps({"selector": {"app": "web"}, "targetPorts": {"80": "http"}})
    found["metadata"]["annotations"][names.ORIGIN] = origin
    own = agent.world.services["web-primary"]["spec"]["ports"]
    own[1]["targetPort"] = found["spec"]["ports"][1]["targetPort"]
    return agent


def test_what_nobody_kept_leads_to_its_own_number_until_the_file_is_applied_again() -> None:
    agent = spoilt(adopted())
    assert is_spoilt(service(agent))
    leads_right(agent.run(3), [HTTP, {**ADMIN, "targetPort": 81}])
    leads_right(replaced(agent, [HTTP, ADMIN]).run(3), [HTTP, ADMIN])
