"""NetworkPolicies as Kubernetes reads them."""

from typing import Any

import pytest

from delivery.network_policy import (
    EGRESS,
    INGRESS,
    Place,
    Port,
    admits,
    covers,
    isolating,
    peers,
    rules,
    types,
)
from tests.delivery.reviews import Document

APP = {"app": "web"}
PLACE = Place({"team": "a"}, ("10.0.0.7", "10.0.0.8"))


def policy(**spec: Any) -> Document:
    return {"metadata": {"name": "one"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({}, ["Ingress"]),
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"policyTypes": ["Egress"]}, ["Egress"]),
    ],
)
def test_a_policy_without_types_is_of_those_that_it_has_rules_for(
    spec: Document, found: list[str]
) -> None:
    assert sorted(types(policy(**spec))) == sorted(found)


@pytest.mark.parametrize(
    ("selector", "is_under"),
    [({}, True), (None, True), ({"matchLabels": APP}, True), ({"matchLabels": {"a": "b"}}, False)],
)
def test_a_pod_is_under_the_policies_that_select_it(selector: Any, is_under: bool) -> None:
    one = policy(podSelector=selector)
    assert isolating([one], INGRESS, APP) == ([one] if is_under else [])
    assert isolating([one], EGRESS, APP) == []


@pytest.mark.parametrize(
    ("said", "covered"),
    [
        ({}, True),
        ({"port": 8080}, True),
        ({"port": 8081}, False),
        ({"port": "http"}, True),
        ({"port": "admin"}, False),
        ({"port": 8000, "endPort": 8100}, True),
        ({"port": 8090, "endPort": 8100}, False),
        ({"protocol": "UDP", "port": 8080}, False),
    ],
)
def test_a_rule_is_of_ports_by_number_name_or_range(said: Document, covered: bool) -> None:
    assert covers(said, Port(8080, name="http")) is covered


@pytest.mark.parametrize(("end", "covered"), [(29999, True), (25000, False)])
def test_a_range_is_covered_as_a_whole(end: int, covered: bool) -> None:
    assert covers({"port": 20000, "endPort": end}, Port(20000, 29999)) is covered


def test_rules_without_ports_are_of_all_of_them() -> None:
    every: Document = {"from": []}
    other = {"ports": [{"port": 1}]}
    assert list(rules([policy(ingress=[every, other])], INGRESS, Port(80))) == [every]
    assert list(rules([policy(ingress=None)], INGRESS, Port(80))) == []


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        ({"podSelector": {}}, True),
        ({"podSelector": {"matchLabels": APP}}, True),
        ({"podSelector": {"matchLabels": {"app": "x"}}}, False),
        ({"namespaceSelector": {}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "a"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}, "podSelector": {}}, False),
        ({"ipBlock": {"cidr": "10.0.0.0/24"}}, True),
        ({"ipBlock": {"cidr": "10.0.0.7/32"}}, False),
        ({"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.8/32"]}}, False),
        ({"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.9/32"]}}, True),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, True),
    ],
)
@pytest.mark.parametrize("direction", [INGRESS, EGRESS])
def test_a_pod_of_the_namespace_is_admitted_by_its_labels_or_address(
    peer: Document, found: bool, direction: str
) -> None:
    key = {INGRESS: "from", EGRESS: "to"}[direction]
    assert (
        admits(
            {key: [{"podSelector": {"matchLabels": {"no": "one"}}}, peer]}, direction, APP, PLACE
        )
        is found
    )


def test_an_address_that_is_not_known_is_in_no_range() -> None:
    rule = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    assert not admits(rule, INGRESS, APP, Place())


@pytest.mark.parametrize(
    ("said", "everybody"),
    [
        ([], True),
        ([{"ipBlock": {"cidr": "::/0"}}], True),
        ([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}], False),
        ([{"namespaceSelector": {}}], False),
    ],
)
def test_who_names_nobody_or_every_address_means_everybody(said: Any, everybody: bool) -> None:
    assert (peers({"from": said}, INGRESS) == ()) is everybody
