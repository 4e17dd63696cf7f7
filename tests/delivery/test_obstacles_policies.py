"""What the namespace's NetworkPolicies would keep the routers from."""

from typing import Any

import pytest

from delivery.obstacles.grounds import Grounds
from delivery.obstacles.policies import STATS as STATS_PORT
from delivery.obstacles.policies import XDS, of_policies
from delivery.optin import namespace_parts
from delivery.programs import Programs
from tests.delivery import worlds
from tests.delivery.reviews import Document

APP = {"matchLabels": {"app": "web"}}
ROUTER = {"matchLabels": {"app.kubernetes.io/name": "outrider-router"}}
AGENT = {"matchLabels": {"app.kubernetes.io/name": "outrider-agent"}}
GATEWAY = {"podSelector": {"matchLabels": {"app": "gateway"}}}
OURS = {"podSelector": ROUTER}
LISTENERS = {"port": 20000, "endPort": 29999}
STATS = {"port": 19090}

CALLED = (
    "NetworkPolicy one refuses the routers on port 8080:"
    " admit pods labelled app.kubernetes.io/name=outrider-router there"
)
CALLS = (
    "NetworkPolicy one keeps the routers from the app:"
    " let pods labelled app.kubernetes.io/name=outrider-router reach port 8080 of the app's pods"
)
CLIENTS = (
    "NetworkPolicy one refuses clients of the routers: admit whoever may call the app to"
    " ports 20000 to 29999 of pods labelled app.kubernetes.io/name=outrider-router"
)
AGENTS = (
    "NetworkPolicy one keeps the routers from their agents: let pods labelled"
    " app.kubernetes.io/name=outrider-router reach port 18000 of pods labelled"
    " app.kubernetes.io/name=outrider-agent"
)
LOOKS = (
    "NetworkPolicy one keeps the agents from the routers: let pods labelled"
    " app.kubernetes.io/name=outrider-agent reach port 19090 and ports 20000 to 29999 of pods"
    " labelled app.kubernetes.io/name=outrider-router"
)
RESOLVES = (
    "NetworkPolicy one keeps the routers from DNS:"
    " let pods labelled app.kubernetes.io/name=outrider-router reach port 53"
)


def policy(selector: Document, name: str = "one", **spec: Any) -> Document:
    return {"metadata": {"name": name}, "spec": {"podSelector": selector, **spec}}


def said(*policies: Document, routers: tuple[str, ...] = ("10.0.0.7",)) -> list[str]:
    grounds = Grounds({"team": "a"}, policies=policies, routers=routers)
    return list(of_policies(worlds.template("good:1"), [worlds.service()], grounds))


def egress(*rules: Document) -> Document:
    return policy(ROUTER, policyTypes=["Egress"], egress=list(rules))


@pytest.mark.parametrize(
    ("one", "reasons"),
    [
        (policy({"matchLabels": {"app": "other"}}), []),
        (policy(APP), [CALLED]),
        (policy(APP, ingress=[{}]), []),
        (policy(APP, ingress=[{"from": [GATEWAY]}]), [CALLED]),
        (policy(APP, ingress=[{"from": [GATEWAY, OURS]}]), []),
        (policy(APP, ingress=[{"from": [OURS], "ports": [{"port": "http"}]}]), []),
        (policy(APP, ingress=[{"from": [OURS], "ports": [{"port": 9}]}]), [CALLED]),
        (policy(APP, ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]), []),
        (policy(APP, policyTypes=["Egress"]), []),
        (policy({}), [CALLED, AGENTS, LOOKS]),
        (policy({}, ingress=[{"from": [{"podSelector": {}}]}]), []),
        (policy(ROUTER), [CLIENTS, LOOKS]),
        (policy(ROUTER, ingress=[{}]), []),
        (policy(ROUTER, ingress=[{"ports": [LISTENERS]}]), [LOOKS]),
        (policy(ROUTER, ingress=[{"ports": [LISTENERS, STATS]}]), []),
        (
            policy(ROUTER, ingress=[{"from": [GATEWAY]}, {"from": [{"podSelector": AGENT}]}]),
            [CLIENTS],
        ),
        (policy(AGENT), [AGENTS]),
        (policy(AGENT, ingress=[{"from": [OURS], "ports": [{"port": 18000}]}]), []),
        (egress(), [CALLS, AGENTS, RESOLVES]),
        (egress({}), []),
        (
            egress({"to": [{"podSelector": {}}]}),
            [],
        ),
        (
            egress({"to": [{"podSelector": {}}], "ports": [{"protocol": "TCP"}]}),
            [RESOLVES],
        ),
    ],
)
def test_each_way_that_is_closed_is_named_with_what_opens_it(
    one: Document, reasons: list[str]
) -> None:
    assert said(one) == reasons


def test_without_a_policy_everything_is_open() -> None:
    assert said() == []


def test_one_policy_that_admits_is_enough_and_all_that_refuse_are_named() -> None:
    closed = policy(APP, "b")
    assert said(closed, policy(APP, "a"))[0].startswith("NetworkPolicy a, b refuses the routers")
    assert said(closed, policy(APP, "a", ingress=[{"from": [OURS]}])) == []


def test_whoever_may_call_the_app_must_be_able_to_call_the_routers() -> None:
    app = policy(APP, "app", ingress=[{"from": [GATEWAY, OURS]}])
    agents = {"from": [{"podSelector": AGENT}]}
    closed = policy(ROUTER, ingress=[agents])
    assert said(app, closed) == [CLIENTS]
    assert said(app, policy(ROUTER, ingress=[agents, {"from": [GATEWAY]}])) == []
    anybody = policy(APP, "app", ingress=[{}])
    assert said(anybody, policy(ROUTER, ingress=[agents, {"from": [GATEWAY]}])) == [CLIENTS]


def test_a_range_of_addresses_is_not_judged_before_a_router_has_one() -> None:
    ranged = policy(APP, ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}])
    assert said(ranged, routers=()) == [f"not known yet, no router runs yet: {CALLED}"]
    assert said(policy(APP), routers=()) == [CALLED]


def test_a_port_that_no_pod_has_is_nobodys_way() -> None:
    service = worlds.service()
    service["spec"]["ports"][0]["targetPort"] = "unknown"
    grounds = Grounds(policies=[policy(APP)])
    assert list(of_policies(worlds.template("good:1"), [service], grounds)) == []


def test_a_policy_may_name_our_ports_as_our_pods_do() -> None:
    named = {
        (port["name"], port["containerPort"])
        for one in namespace_parts("shop", Programs("a", "b"))
        if one["kind"] == "Deployment"
        for box in one["spec"]["template"]["spec"]["containers"]
        for port in box["ports"]
    }
    assert {(one.name, one.first) for one in (XDS, STATS_PORT)} <= named
