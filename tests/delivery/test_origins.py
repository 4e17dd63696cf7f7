"""What the spoilt ORIGIN of a routed Service must have said."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from delivery import apex, names
from delivery.decision import Annotate
from delivery.origins import is_spoilt, legible, repairs
from delivery.pair import Objects
from delivery.pods import Object
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.spoiling import annotated
from tests.delivery.worlds import merged

LISTENER = 20001
CANARY: Document = {
    "spec": {"targetRef": {"name": "web"}, "service": {"name": "front"}},
    "status": {"apexService": "front", "routerPorts": {"80": LISTENER, "admin/90": 20002}},
}
OTHER: Document = {"spec": {"targetRef": {"name": "api"}}, "status": {"apexService": "api"}}


def routed(name: str, selector: Mapping[str, str], *ports: Document) -> Document:
    """As it is while its app is managed, with a word that nobody can read."""
    found = {"kind": "Service", "metadata": {"name": name, "resourceVersion": "1"}}
    spec = {"selector": dict(selector), "ports": [*ports]}
    return annotated({**found, "spec": spec}, {names.ORIGIN: "{"})


def to_routers(name: str, *ports: Document) -> Document:
    return routed(name, apex.ROUTER_SELECTOR, *ports)


def port(number: int, target: int | str) -> Document:
    return {"port": number, "targetPort": target}


def primarys(name: str, *ports: Document) -> Document:
    selector = {"app": "web", names.ROLE: names.PRIMARY}
    metadata = {"name": f"{name}-primary", "labels": {names.MANAGED_BY: names.OUTRIDER}}
    return {"metadata": metadata, "spec": {"selector": selector, "ports": [*ports]}}


def said(found: Objects, name: str) -> Any:
    (service,) = (one for one in found.services if one["metadata"]["name"] == name)
    return apex.origin(service)


def namespace(*services: Object) -> Objects:
    return Objects(deployments=[worlds.deployment()], services=services)


def test_a_service_of_the_routers_has_the_targets_of_its_primarys() -> None:
    found = namespace(
        to_routers("front", port(80, LISTENER), port(81, "own"), port(82, 20003)),
        primarys("front", port(80, "http"), port(81, "own")),
    )
    mended = legible(found, [OTHER, CANARY])
    targets = {"80": "http", "81": "own", "82": 82}
    assert said(mended, "front") == {"selector": {"app": "web"}, "targetPorts": targets}


def test_a_further_service_finds_its_ports_by_the_routers_number() -> None:
    own = primarys("front", port(80, "http"), {**port(20002, "metrics"), "name": "outrider-20002"})
    found = namespace(to_routers("admin", port(90, 20002)), own)
    targets = {"90": "metrics"}
    assert said(legible(found, [CANARY]), "admin")["targetPorts"] == targets


def test_without_the_primarys_service_a_port_targets_itself() -> None:
    found = namespace(to_routers("front", port(80, LISTENER)))
    assert said(legible(found, [CANARY]), "front")["targetPorts"] == {"80": 80}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"app": "web", names.ROLE: names.PRIMARY}, {"app": "web"}),
        ({"team": "a"}, {"team": "a"}),
    ],
)
def test_one_that_leads_past_the_routers_has_its_own_targets(
    selector: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    found = legible(namespace(routed("web", selector, port(80, 20009))), ())
    assert said(found, "web") == {"selector": expected, "targetPorts": {"80": 20009}}


def test_without_its_deployment_it_has_what_its_selector_says_beside_the_role() -> None:
    service = routed("web", {"app": "x", names.ROLE: names.PRIMARY}, port(80, 80))
    assert said(legible(Objects(services=[service]), ()), "web")["selector"] == {"app": "x"}


@pytest.mark.parametrize(
    ("text", "spoilt"),
    [("{", True), ("{}", True), ('{"selector":{"a":"b"}}', False), (None, False)],
)
def test_what_says_no_selector_was_spoilt(text: str | None, spoilt: bool) -> None:
    marks = {} if text is None else {names.ORIGIN: text}
    assert is_spoilt(annotated(worlds.service(), marks)) is spoilt


def test_a_namespace_that_nobody_has_spoilt_is_as_it_was_read() -> None:
    found = namespace(worlds.service())
    assert legible(found, ()) is found
    assert repairs(found, found.services) == []


def test_what_was_spoilt_is_written_anew_and_told() -> None:
    front = to_routers("front", port(80, LISTENER))
    stored = [front, merged(front, {"metadata": {"name": "gone"}})]
    found = legible(namespace(front, primarys("front", port(80, "http"))), [CANARY])
    ((service, why, effect),) = repairs(found, stored)
    wanted = {"selector": {"app": "web"}, "targetPorts": {"80": "http"}}
    assert isinstance(effect, Annotate)
    assert (effect.kind, effect.name, effect.version) == ("Service", "front", "1")
    assert json.loads(str(effect.annotations[names.ORIGIN])) == wanted
    assert service["metadata"]["name"] == "front"
    assert "could not be read" in why
    assert "apply" in why


def test_a_routed_port_that_nobody_kept_is_said_too_and_the_others_stay() -> None:
    route = json.dumps({"selector": apex.ROUTER_SELECTOR, "targetPorts": {"80": 1, "81": LISTENER}})
    origin = json.dumps({"selector": {"team": "a"}, "targetPorts": {"80": "http"}})
    bare = to_routers("front", port(80, 20002), port(81, LISTENER), port(82, 9090))
    front = annotated(bare, {names.ROUTE: route, names.ORIGIN: origin})
    found = legible(namespace(front, primarys("front", port(81, "own"))), [CANARY])
    targets = {"80": "http", "81": "own", "82": 9090}
    assert said(found, "front") == {"selector": {"team": "a"}, "targetPorts": targets}
    ((_, why, _),) = repairs(found, [front])
    assert why.startswith(f"annotation {names.ORIGIN} did not say where port 81 led: it is written")


def test_a_port_that_nobody_kept_is_known_while_its_service_leads_to_the_primary_too() -> None:
    route = json.dumps({"selector": {"app": "web"}, "targetPorts": {"81": LISTENER}})
    front = routed("front", {"app": "web", names.ROLE: names.PRIMARY}, port(81, LISTENER))
    origin = json.dumps({"selector": {"app": "web"}, "targetPorts": {"80": "http"}})
    found = namespace(annotated(front, {names.ROUTE: route, names.ORIGIN: origin}))
    assert said(legible(found, [CANARY]), "front")["targetPorts"] == {"81": 81}


def test_a_service_that_is_read_is_not_changed_beside_one_that_is_not() -> None:
    fine = worlds.service()
    both = replace(namespace(fine, to_routers("front", port(80, LISTENER))))
    assert legible(both, [CANARY]).services[0] is fine
