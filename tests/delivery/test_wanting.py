"""What a Canary asks of Services that are its user's."""

from dataclasses import replace
from typing import Any

import pytest

from delivery import names
from delivery.canary import Analysis
from delivery.pair import Objects
from delivery.route import Backend
from delivery.routers.envoy import Endpoint
from delivery.schema import parse
from delivery.serving import copies
from delivery.wanting import wanting
from tests.delivery.reviews import Document
from tests.delivery.test_schema_route import resource

APEX: dict[str, Any] = {"labels": {"team": "shop"}, "annotations": {"dns/host": "a.example"}}


def service(name: str = "shop", *ports: Document, **metadata: Any) -> Document:
    spec = {"clusterIP": "10.96.0.7", "ports": list(ports) or [{"port": 80, "targetPort": "http"}]}
    return {"metadata": {"name": name, **metadata}, "spec": spec}


def deployment(*containers: Document) -> Document:
    template = {"spec": {"containers": list(containers)}}
    return {"metadata": {"name": "shop"}, "spec": {"template": template}}


def wanted(*services: Document, target: Document | None = None, **said: Any) -> list[str]:
    canary = replace(parse(resource(**said), Analysis()), service="shop")
    return list(wanting(canary, Objects(services=services, deployments=[target] if target else [])))


def test_what_a_router_of_somebody_elses_bears_is_asked_of_no_service() -> None:
    canary = replace(parse(resource(apex=APEX), Analysis()), service="shop", external=True)
    assert list(wanting(canary, Objects(services=[service()]))) == []


def test_what_the_apex_is_to_bear_is_looked_for_and_not_written() -> None:
    assert wanted(apex=APEX) == []
    assert wanted(service(**APEX), apex=APEX) == []
    bare = service(labels={"team": "cart"})
    assert wanted(bare, apex=APEX) == [
        "spec.service.apex.labels (Service shop is yours, and does not say team: shop; write it "
        "there)",
        "spec.service.apex.annotations (Service shop is yours, and does not say dns/host: "
        "a.example; write it there)",
    ]


APP = {
    "name": "shop",
    "ports": [
        {"name": "http", "containerPort": 8080},
        {"containerPort": 9090},
        {"containerPort": 53, "protocol": "UDP"},
    ],
}
SIDECAR = {"name": "envoy", "ports": [{"containerPort": 15001}]}


@pytest.mark.parametrize(
    ("ports", "lacking"),
    [
        ([{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 9090}], []),
        ([{"port": 80, "targetPort": 8080}, {"port": 9090}], []),
        ([{"port": 80, "targetPort": "http"}], [9090]),
        ([{"port": 80, "targetPort": 9090}], [8080]),
    ],
)
def test_a_port_of_the_pods_that_the_service_lacks_halts(
    ports: list[Document], lacking: list[int]
) -> None:
    target = deployment(APP, SIDECAR, {"name": "quiet"})
    found = wanted(service("shop", *ports), target=target, portDiscovery=True)
    assert found == [
        "spec.service.portDiscovery (Service shop is yours, and has no port for containerPort "
        f"{port}; add it there)"
        for port in lacking
    ]
    assert wanted(service("shop", *ports), target=target) == []
    assert wanted(service("shop", *ports), portDiscovery=True) == []


@pytest.mark.parametrize(("ports", "halts"), [([81], True), ([80], False), ([81, 80], False)])
def test_a_port_that_the_service_lacks_halts(ports: list[int], halts: bool) -> None:
    found = wanted(service("shop", *({"port": port} for port in ports)))
    text = (
        "spec.service.port (Service shop is yours, and has no port 80; add it there, or name one "
        "that it has)"
    )
    assert found == ([text] if halts else [])


@pytest.mark.parametrize(
    ("name", "apex", "services", "halts"),
    [
        ("web", "shop", ["shop"], True),
        ("web", "shop", ["shop", "web"], False),
        ("shop", "shop", [], False),
        ("web", "", [], False),
        ("", "front", ["front"], False),
    ],
    ids=["renamed", "both are there", "gone for now", "not adopted yet", "not named"],
)
def test_another_name_for_the_service_of_an_adopted_app_halts_until_it_is_there(
    name: str, apex: str, services: list[str], halts: bool
) -> None:
    canary = parse(resource(**({"name": name} if name else {})), Analysis())
    adopted = replace(canary, status=replace(canary.status, apex=apex))
    found = list(wanting(adopted, Objects(services=[service(one) for one in services])))
    text = (
        "spec.service.name (Service web is not there, and the app was adopted with shop: name that "
        "one, or write Service web yourself, then both lead to the app)"
    )
    assert found == ([text] if halts else [])


MADE = {"name": "http", "port": 80, "targetPort": 8080}


@pytest.mark.parametrize(
    ("said", "there", "halting"),
    [
        ({}, {}, []),
        ({"targetPort": 9090}, {}, ["targetPort"]),
        ({"targetPort": "http"}, {}, ["targetPort"]),
        ({"targetPort": "http"}, {"targetPort": "http"}, []),
        ({"portName": "web"}, {}, ["portName"]),
        ({"appProtocol": "grpc"}, {}, ["appProtocol"]),
        ({}, {"appProtocol": "grpc"}, ["appProtocol"]),
        ({"targetPort": 9090}, {"port": 81}, ["port"]),
    ],
)
def test_what_is_said_anew_of_a_service_that_was_made_halts(
    said: Document, there: Document, halting: list[str]
) -> None:
    fields = {"targetPort": 8080, **said}
    found = anew(fields, {**MADE, **there})
    assert [one.partition(" ")[0] for one in found] == [f"spec.service.{one}" for one in halting]
    users = wanted(service("shop", {**MADE, **there}), **fields)
    assert bool(users) == (halting == ["port"])


def anew(said: Document, there: Document) -> list[str]:
    canary = replace(parse(resource(**said), Analysis()), service="shop")
    made = replace(canary, status=replace(canary.status, apex="shop", made=True))
    return list(wanting(made, Objects(services=[service("shop", there)])))


def test_what_helps_is_said_with_what_was_made() -> None:
    assert anew({"targetPort": 9090, "appProtocol": "grpc"}, MADE) == [
        "spec.service.targetPort (Service shop, which was made, says 8080 and keeps it; change it "
        "there too, or say 8080 again)",
        "spec.service.appProtocol (Service shop, which was made, says none and keeps it; change it "
        "there too, or leave it out again)",
    ]


@pytest.mark.parametrize("promoted", ["v1", ""])
def test_a_service_of_the_users_that_has_the_name_of_a_halfs_halts(promoted: str) -> None:
    canary = parse(resource(name="api"), Analysis())
    adopted = replace(canary, status=replace(canary.status, apex="api", promoted=promoted))
    ours = {"managed-by": "x", names.MANAGED_BY: names.OUTRIDER}
    services = [service("api"), service("api-canary"), service("api-primary", labels=ours)]
    text = (
        "spec.service.name (Service api-canary is yours, and has a name that is needed for the "
        "pair; give it another one, or name another Service)"
    )
    found = list(wanting(adopted, Objects(services=services)))
    assert found == ([text] if promoted else [])


TWO = service("two", {"port": 80}, {"port": 81})
HEADLESS = {**service("bare"), "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}


@pytest.mark.parametrize(
    ("backend", "address"),
    [
        (Backend("audit"), Endpoint("10.96.0.7", 80)),
        (Backend("audit", 80), Endpoint("10.96.0.7", 80)),
        (Backend("audit", 81), None),
        (Backend("two", 81), Endpoint("10.96.0.7", 81)),
        (Backend("two"), None),
        (Backend("bare"), None),
        (Backend("gone"), None),
    ],
)
def test_a_mirror_needs_a_service_with_an_address_and_a_port(
    backend: Backend, address: Endpoint | None
) -> None:
    services = [service("audit"), TWO, HEADLESS]
    assert list(copies([backend], services)) == ([(backend.service, address)] if address else [])
    reference = {"name": backend.service, **({"port": backend.port} if backend.port else {})}
    found = wanted(*services, mirror=[{"backendRef": reference}])
    assert bool(found) == (address is None)
    assert wanted(*services, provider="kubernetes", mirror=[{"backendRef": reference}]) == []


def test_a_mirror_that_leads_nowhere_is_told() -> None:
    said = [{"backendRef": {"name": "gone", "port": 81}}, {"backendRef": {"name": "two"}}]
    assert wanted(TWO, mirror=said) == [
        "spec.service.mirror[0].backendRef (Service gone has no address here, or no port 81; "
        "create it, or name its port)",
        "spec.service.mirror[1].backendRef (Service two has no address here, or no port of its "
        "own; create it, or name its port)",
    ]
