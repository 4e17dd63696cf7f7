"""Whether gateways have taken a route in: told by the conditions of each parent."""

from collections.abc import Mapping
from typing import Any

import pytest

from delivery.routers.gateway_api import GatewayApi
from tests.delivery import gateway_cases as cases

PUBLIC = {"name": "public"}
Said = Mapping[str, Any]


def unready(parents: list[Said], said: list[Said], generation: int = 3) -> str:
    route = {
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "test", "generation": generation},
        "spec": {"parentRefs": parents},
        "status": {"parents": said},
    }
    canary = cases.canary({"port": 80, "gatewayRefs": parents})
    return GatewayApi().unready(canary, cases.as_found(route))


def status(reference: Said, accepted: str = "True", observed: int = 3) -> Said:
    condition = {"type": "Accepted", "status": accepted, "observedGeneration": observed}
    other = {"type": "ResolvedRefs", "status": "True", "observedGeneration": observed}
    return {"parentRef": reference, "conditions": [other, condition]}


@pytest.mark.parametrize(
    "reference",
    [
        {"name": "public"},
        {"name": "public", "group": "gateway.networking.k8s.io", "kind": "Gateway"},
        {"name": "public", "namespace": "test"},
        {"name": "public", "sectionName": ""},
    ],
)
def test_a_parent_is_known_however_it_is_written(reference: Said) -> None:
    assert unready([PUBLIC], [status(reference)]) == ""
    assert unready([reference], [status(PUBLIC)]) == ""


@pytest.mark.parametrize(
    "reference",
    [
        {"name": "other"},
        {"name": "public", "group": "", "kind": "Service"},
        {"name": "public", "namespace": "else"},
        {"name": "public", "sectionName": "https"},
        {"name": "public", "port": 80},
        {},
    ],
)
def test_another_parent_says_nothing_of_this_one(reference: Said) -> None:
    assert "parent public is not ready" in unready([PUBLIC], [status(reference)])


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ([], "status: Unknown, observed generation: 0"),
        ([{"parentRef": PUBLIC}], "status: Unknown, observed generation: 0"),
        ([status(PUBLIC, "False")], "status: False, observed generation: 3"),
        ([status(PUBLIC, "Unknown", 2)], "status: Unknown, observed generation: 2"),
        ([status(PUBLIC, observed=2)], "status: True, observed generation: 2"),
        ([status(PUBLIC, "False", 1), status(PUBLIC, observed=2)], "True, observed generation: 2"),
    ],
)
def test_it_says_what_is_missing_in_flaggers_words(said: list[Said], text: str) -> None:
    found = unready([PUBLIC], said)
    assert found.startswith("HTTPRoute shop.test parent public is not ready (")
    assert found.endswith(f"{text}, current generation: 3)")


def test_every_parent_must_have_accepted() -> None:
    second = {"name": "internal"}
    assert "parent internal is not ready" in unready([PUBLIC, second], [status(PUBLIC)])
    assert unready([PUBLIC, second], [status(second), status(PUBLIC)]) == ""


def test_of_several_controllers_one_must_have_accepted() -> None:
    assert unready([PUBLIC], [status(PUBLIC, "False"), status(PUBLIC)]) == ""


def test_a_condition_without_generation_is_of_none() -> None:
    said = {"parentRef": PUBLIC, "conditions": [{"type": "Accepted", "status": "True"}]}
    assert "observed generation: 0" in unready([PUBLIC], [said])
