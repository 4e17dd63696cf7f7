"""Which Services can be routed, and the reason that is told of each other one."""

from typing import Any

import pytest

from delivery import names
from delivery.apex import origin
from delivery.servable import (
    first,
    is_ours,
    port_refusal,
    selects,
    service_refusals,
    services_of,
)
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged

UNKNOWN = "is not known to be HTTP: name it http-…, or set its appProtocol to http"
PROBABLY = "is probably TLS by its number: set its appProtocol to http if it is not"


def service(change: Document | None = None, *, name: str = "web", **port: Any) -> Document:
    found = merged(merged(worlds.service(), {"metadata": {"name": name}}), change or {})
    found["spec"]["ports"] = [{**found["spec"]["ports"][0], **port}]
    return found


def named(name: str, **labels: str) -> Document:
    ours = {"metadata": {"name": name}, "spec": {"template": {"metadata": {"labels": labels}}}}
    return merged(worlds.deployment(), ours)


def said(*services: Document, others: tuple[Document, ...] = ()) -> list[str]:
    found = worlds.deployment()
    return list(service_refusals(found, services, (found, *others)))


HEADLESS = "is headless: make it anew without clusterIP: None"


def test_an_ordinary_service_can_be_routed() -> None:
    assert said(service()) == []


@pytest.mark.parametrize(
    ("named", "chosen"),
    [(["api", "web"], "web"), (["b", "a"], "a"), (["web-canary", "x"], "x"), ([], "")],
)
def test_an_app_is_called_by_the_service_of_its_name_or_the_first(
    named: list[str], chosen: str
) -> None:
    found = first(worlds.deployment(), [service(name=name) for name in named])
    assert (found["metadata"]["name"] if found else "") == chosen


def test_one_service_is_needed() -> None:
    other = service({"spec": {"selector": {"app": "x"}}})
    assert said(other) == [
        "selected by 0 Services, one is needed: write one that selects app=web, or say "
        "spec.service.port in a Canary"
    ]


def test_of_several_services_each_must_be_one_that_can_be_routed() -> None:
    headless = {"spec": {"clusterIP": "None"}}
    assert said(service(), service(name="second")) == []
    found = said(service(name="web"), service(headless, name="b"), service(headless, name="a"))
    assert found == [f"Service {one} {HEADLESS}" for one in ("a", "b")]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"clusterIP": "None"}, f"Service web {HEADLESS}"),
        (
            {"externalTrafficPolicy": "Local"},
            "Service web has externalTrafficPolicy Local: set it to Cluster",
        ),
        (
            {"internalTrafficPolicy": "Local"},
            "Service web has internalTrafficPolicy Local: set it to Cluster",
        ),
        ({"type": "ExternalName"}, "Service web is of type ExternalName: it leads out of the"),
    ],
)
def test_a_service_of_another_kind_cannot_be_routed(spec: Document, reason: str) -> None:
    [found] = said(service({"spec": spec}))
    assert found.startswith(reason)


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "NodePort"},
        {"type": "LoadBalancer", "externalTrafficPolicy": "Cluster"},
        {"internalTrafficPolicy": "Cluster"},
        {"sessionAffinity": "ClientIP"},
        {"ipFamilies": ["IPv6"], "clusterIP": "fd00::1"},
        {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack"},
    ],
)
def test_services_of_these_kinds_are_routed(spec: Document) -> None:
    assert said(service({"spec": spec})) == []


@pytest.mark.parametrize("spec", [{"type": "ExternalName", "externalName": "x"}, {}])
def test_a_service_without_ports_is_no_obstacle_to_others(spec: Document) -> None:
    bare = service({"spec": {"selector": {"app": "x"}, **spec}}, name="bare")
    del bare["spec"]["ports"]
    assert said(service(), bare) == []
    assert origin(bare)["targetPorts"] == {}


def test_every_port_must_be_known() -> None:
    more = service()
    more["spec"]["ports"] += [{"port": 5432}, {"port": 53, "protocol": "UDP"}]
    assert said(more) == [
        f"port 5432 of Service web {UNKNOWN}",
        "port 53 of Service web is UDP: only TCP can be routed",
    ]


def test_a_service_of_two_deployments_is_a_reason() -> None:
    assert said(service(), others=(named("worker"),)) == ["Service web selects worker too"]
    assert said(service(), others=(named("worker", app="worker"),)) == []


def test_the_primary_beside_it_is_no_other_deployment() -> None:
    ours = {"metadata": {"labels": {names.MANAGED_BY: names.OUTRIDER}}}
    assert said(service(), others=(merged(named("web-primary"), ours),)) == []


@pytest.mark.parametrize("name", ["web-primary", "web-canary"])
def test_a_service_with_a_name_that_we_need_is_a_reason(name: str) -> None:
    elsewhere = service({"spec": {"selector": {"app": "other"}}}, name=name)
    assert said(service(), elsewhere) == [
        f"the name of Service {name} is needed for its pair: give it another one"
    ]
    owners = [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary"}]
    assert said(service(), merged(elsewhere, {"metadata": {"ownerReferences": owners}})) == []
    ours = {"metadata": {"labels": {names.MANAGED_BY: names.OUTRIDER}}}
    assert said(service(), merged(elsewhere, ours)) == []


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ({"name": "http"}, ""),
        ({"name": "http-web"}, ""),
        ({"name": "HTTP2"}, ""),
        ({"name": "grpc-api"}, ""),
        ({"name": "web"}, ""),
        ({"name": "httpd"}, UNKNOWN),
        ({"name": "tcp-http"}, UNKNOWN),
        ({}, UNKNOWN),
        ({"name": "http", "protocol": "UDP"}, "is UDP: only TCP can be routed"),
        ({"name": "http", "protocol": "SCTP"}, "is SCTP: only TCP can be routed"),
        ({"name": "db", "appProtocol": "HTTP"}, ""),
        ({"appProtocol": "kubernetes.io/h2c"}, ""),
        ({"appProtocol": "kubernetes.io/ws"}, ""),
        ({"appProtocol": "grpc"}, ""),
        ({"name": "http", "appProtocol": "redis"}, UNKNOWN),
        ({"name": "https"}, "is TLS (https): it cannot be judged"),
        ({"name": "tls-api"}, "is TLS (tls-api): it cannot be judged"),
        ({"targetPort": "https"}, "is TLS (https): it cannot be judged"),
        ({"name": "http", "appProtocol": "https"}, "is TLS (https): it cannot be judged"),
        ({"appProtocol": "kubernetes.io/wss"}, "is TLS (kubernetes.io/wss): it cannot be judged"),
        ({"name": "web", "port": 443}, PROBABLY),
        ({"name": "http", "targetPort": 8443}, PROBABLY),
        ({"name": "https", "port": 443, "appProtocol": "http"}, ""),
    ],
)
def test_a_port_is_http_by_its_protocol_or_its_name(port: Document, why: str) -> None:
    assert port_refusal({"port": 80, **port}) == why


def test_a_port_that_is_routed_is_judged_by_what_its_user_wrote() -> None:
    kept = '{"selector": {"app": "web"}, "targetPorts": {"80": "https"}}'
    routed = service(
        {"metadata": {"name": "web", "annotations": {names.ORIGIN: kept}}}, targetPort=20001
    )
    [found] = said(routed)
    assert "TLS" in found


def test_a_routed_service_selects_what_its_user_said() -> None:
    kept = '{"selector": {"app": "web"}, "targetPorts": {"80": "http"}}'
    routed = {
        "metadata": {"annotations": {names.ORIGIN: kept}},
        "spec": {"selector": {"app": None, "app.kubernetes.io/name": "outrider-router"}},
    }
    assert selects(service(routed), worlds.deployment())


def test_a_service_without_a_selector_selects_nothing() -> None:
    assert not selects(service({"spec": {"selector": None}}), worlds.deployment())


def test_our_own_services_are_not_counted() -> None:
    ours = service({"metadata": {"labels": {names.MANAGED_BY: names.OUTRIDER}}})
    assert is_ours(ours)
    assert services_of(worlds.deployment(), (ours, service())) == [service()]
