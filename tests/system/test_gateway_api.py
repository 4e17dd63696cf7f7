"""Releases by routes of the Gateway API, whose controller the test itself plays."""

import pytest

from agent.trials import Trials
from delivery import names
from delivery.dropped import why
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release
from demo.waiting import eventually
from tests.delivery import gateway_cases as cases
from tests.system import crds
from tests.system.canaries import BETTER, GOOD, SMALL, analysis, app, canary, reaches, says
from tests.system.gateway import Gateway, controlled

KINDS = ("httproutes.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io")
SERVICE = {"port": 80, "gatewayRefs": [{"name": "public"}]}
QUICK = analysis(stepWeights=[20, 60], metrics=None)
OWN = "own"


@pytest.fixture
def routes(namespace: Namespace) -> Namespace:
    crds.defined("gateway-api", *KINDS)
    return namespace


def by_route(name: str) -> JSON:
    return canary(name, target=name, provider="gatewayapi:v1", service=SERVICE, analysis=QUICK)


def own_route() -> JSON:
    """A user's: two rules, of which one leads to the app."""
    rules: list[JSON] = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": path}}],
            "backendRefs": [{"name": service, "port": 80}],
        }
        for path, service in (("/static", "files"), ("/", OWN))
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": OWN},
        "spec": {"parentRefs": [{"name": "public"}], "rules": rules},
    }


def shares(place: Namespace, name: str) -> list[int]:
    """Of the primary and the canary, in the rule for all others."""
    rule = place.read("HTTPRoute", name)["spec"]["rules"][-1]
    return [one["weight"] for one in rule["backendRefs"]]


def test_every_route_is_taken_by_the_api_server_as_it_is_written(routes: Namespace) -> None:
    """A field that it did not know, or that it added, would be written for ever."""
    for name in cases.NAMES:
        wanted = cases.case(name).expected
        metadata = {
            key: said for key, said in wanted["metadata"].items() if key != "resourceVersion"
        }
        manifest = {**wanted, "metadata": {**metadata, "namespace": routes.name}}
        found = routes.api.apply(manifest, manager="team", dry=True)
        assert found["spec"] == wanted["spec"], name


@pytest.mark.minutes
def test_a_release_goes_by_a_route_that_its_gateway_has_accepted(routes: Namespace) -> None:
    routes.kubectl.apply([*app("shop", SMALL), *app(OWN, SMALL), own_route()])
    written = routes.read("HTTPRoute", OWN)
    for name in ("shop", OWN):
        routes.complete(name)
    routes.kubectl.apply([by_route("shop"), by_route(OWN)])
    with controlled(routes) as gateway:
        routes.opt_in()
        for name in ("shop", OWN):
            routes.adopted(name)
            assert shares(routes, name) == [100, 0]
        promoted_and_reverted(routes, gateway)
        restored(routes, written)


def promoted_and_reverted(place: Namespace, gateway: Gateway) -> None:
    """One release goes well, the other meets a gateway that does not follow and is taken back."""
    gateway.refused.add(OWN)
    good = Release(place)
    place.kubectl.apply([*app("shop", GOOD), *app(OWN, BETTER)])
    says(place, f"HTTPRoute {OWN}.{place.name} parent public is not ready (status: False", OWN)
    assert shares(place, OWN) == [80, 20]
    assert good.finished().outcome == "promoted"
    assert gateway.shares["shop"] == [0, 20, 60, 0]
    place.kubectl.apply(app(OWN, SMALL))
    reaches(place, "Failed", OWN)
    eventually("nobody meets it", lambda: shares(place, OWN) == [100, 0], timeout=10)


def restored(place: Namespace, written: JSON) -> None:
    """Our own goes, the user's is as it was, and nobody else owns a field of it."""
    place.kubectl("label", "namespace", place.name, f"{names.ENABLED}-")
    eventually("ours is gone", lambda: place.found("HTTPRoute", "shop") is None, timeout=90)
    eventually(
        "the user's is as it was",
        lambda: place.read("HTTPRoute", OWN)["spec"] == written["spec"],
        timeout=90,
    )
    assert (
        place.read("HTTPRoute", OWN)["metadata"]["annotations"]
        == written["metadata"]["annotations"]
    )
    eventually(
        "nobody else owns of it", lambda: owners(place) == {"gateway", "kubectl-client-side-apply"}
    )


def owners(place: Namespace) -> set[str]:
    return {one["manager"] for one in place.read("HTTPRoute", OWN)["metadata"]["managedFields"]}


def test_what_the_crds_do_not_know_is_told_before_it_is_written(routes: Namespace) -> None:
    """In an apply, which is refused, and in a replacement, out of which it is dropped."""
    known = {**own_route(), "metadata": {"name": OWN, "namespace": routes.name}}
    stored, trials = routes.api.apply(known, manager="team"), Trials()
    for call, found in ((routes.api.apply, known), (routes.api.replace, stored)):
        (first, *others) = found["spec"]["rules"]
        spec = {**found["spec"], "rules": [{**first, "younger": {"percent": 5}}, *others]}
        assert trials.write(call, {**found, "spec": spec}) is None
        said = why(trials.known()["HTTPRoute", OWN])
        assert f"HTTPRoute {OWN}.{routes.name} would lose spec.rules[0].younger" in said
        assert routes.read("HTTPRoute", OWN)["metadata"]["generation"] == 1
