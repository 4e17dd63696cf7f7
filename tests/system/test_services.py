"""Services of every kind: those that are routed as they are, and those that are left alone."""

import json
import urllib.request
from collections import Counter
from dataclasses import replace

import pytest

from delivery import names
from delivery.apex import ROUTER_SELECTOR, leads_to_routers
from delivery.listeners import claims
from demo.kubectl import JSON, Kubectl
from demo.namespace import Namespace
from demo.release import Release
from demo.shop import V1, Shop
from demo.traffic import Traffic
from demo.waiting import eventually
from tests.system.canaries import GOOD, SMALL, app, canary, events_of, reaches
from tests.system.load import FRESH, KEPT, Load, grpc_stream, losses
from tests.system.test_leaving import given_back
from tests.system.test_left_alone import refusals
from tests.system.test_status import scraped, value
from tests.system.unroutable import LEFT_ALONE, PLAIN

DESCRIBED: JSON = {"port": 80, "targetPort": "http", "apex": {"labels": {"team": "shop"}}}


def described(place: Namespace) -> None:
    """An app that nobody has written a Service for."""
    deployment, _ = SMALL.manifests()
    place.kubectl.apply([canary(service=DESCRIBED), deployment])
    place.adopted()


@pytest.mark.settled
def test_a_service_that_only_the_canary_describes_is_made_and_comes_back_until_there_is_a_file(
    namespace: Namespace, load: Load
) -> None:
    described(namespace)
    assert namespace.read("Service", "shop")["metadata"]["labels"] == {"team": "shop"}
    clients = load(namespace, *KEPT), load(namespace, *FRESH)
    release = Release(namespace)
    namespace.kubectl.apply(GOOD.manifests()[:1])
    assert release.finished().outcome == "promoted"
    assert losses(*clients) == []
    namespace.kubectl("delete", "service", "shop")
    eventually(
        "it leads to the routers again",
        lambda: leads_to_routers(namespace.found("Service", "shop") or {"spec": {}}),
    )
    file = written(namespace)
    eventually(
        "it no longer goes with its app",
        lambda: "ownerReferences" not in namespace.read("Service", "shop")["metadata"],
    )
    assert namespace.kubectl.differences([file], "--server-side") == ""


def written(place: Namespace) -> JSON:
    """A file that differs, applied server-side and without force: nobody else owns a field."""
    _, service = SMALL.manifests()
    service["spec"]["ports"][0] |= {"name": "http-shop", "appProtocol": "http"}
    place.kubectl.apply([service], "--server-side")
    return service


@pytest.mark.soak
@pytest.mark.settled
def test_a_service_that_only_the_canary_describes_outlives_it_and_goes_with_the_app(
    namespace: Namespace,
) -> None:
    described(namespace)
    namespace.kubectl("annotate", "deployment", "shop", f"{names.ENABLED}=false")
    reaches(namespace, "Terminated", timeout=90)
    namespace.kubectl("delete", "canary", "shop")
    given_back(namespace)
    file = written(namespace)
    assert namespace.kubectl.differences([file], "--server-side") == ""
    namespace.kubectl("delete", "deployment", "shop")
    eventually("it goes with its app", lambda: not namespace.found("Service", "shop"))


def spoilt(name: str) -> list[JSON]:
    """An app without pods, with a Service of this kind."""
    deployment, service = app(name)
    deployment["spec"]["replicas"] = 0
    LEFT_ALONE[name][0](service)
    return [deployment, service]


def test_services_that_cannot_be_routed_are_reasons_that_are_told_and_counted(
    namespace: Namespace,
) -> None:
    namespace.kubectl.apply([one for name in LEFT_ALONE for one in spoilt(name)])
    namespace.opt_in()
    wanted = {
        name: [f"{name} is left alone: it is scaled to 0: set spec.replicas to 1 or more; {reason}"]
        for name, (_, reason) in LEFT_ALONE.items()
    }
    eventually(
        "every reason is told once",
        lambda: {name: refusals(namespace, name) for name in LEFT_ALONE} == wanted,
        timeout=60,
    )
    counted = scraped(namespace)
    for name, (_, reason) in LEFT_ALONE.items():
        kind = reason.partition(":")[0]
        assert value(counted, "outrider_refusals", deployment=name, reason=kind) == 1


TWO = replace(V1, replicas=2, streams=True)
SLOWLY = ("--rate", "20")
OURS = ("shop", "sticky", "late")


def further(name: str, **spec: object) -> JSON:
    """Another Service of the shop."""
    service = TWO.manifests()[1]
    return {**service, "metadata": {"name": name}, "spec": {**service["spec"], **spec}}


def files(shop: Shop) -> list[JSON]:
    """An app with two Services: one with a node port for each of two named ports, one sticky."""
    deployment, service = shop.manifests()
    service["spec"]["type"] = "NodePort"
    return [deployment, service, further("sticky", sessionAffinity="ClientIP", ports=[PLAIN])]


def node_ports(place: Namespace) -> dict[int, int]:
    ports = place.read("Service", "shop")["spec"]["ports"]
    return {port["port"]: port["nodePort"] for port in ports}


def node_address() -> str:
    (node,) = Kubectl().json("get", "nodes")["items"]
    addresses = {one["type"]: one["address"] for one in node["status"]["addresses"]}
    return str(addresses["InternalIP"])


def led(place: Namespace, *services: str) -> list[bool]:
    """Whether each Service leads to the routers."""
    return [place.read("Service", one)["spec"]["selector"] == ROUTER_SELECTOR for one in services]


def pods_behind(url: str, times: int = 20) -> set[str]:
    """Which pods answer requests on new connections."""

    def asked() -> str:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(json.load(answer)["pod"])

    return {asked() for _ in range(times)}


def callers(place: Namespace, load: Load) -> list[Traffic]:
    """Of the first Service by its address and by its node port, and of the sticky one."""
    by_node = f"http://{node_address()}:{node_ports(place)[80]}/"
    return [
        load(place, *FRESH, *SLOWLY),
        load(place, *KEPT, *SLOWLY, url=by_node),
        load(place, *FRESH, *SLOWLY, url=place.address("sticky")),
    ]


def test_every_service_of_an_app_is_served_as_it_is(namespace: Namespace, load: Load) -> None:
    namespace.kubectl.apply(files(TWO))
    namespace.complete()
    before, clients = node_ports(namespace), callers(namespace, load)
    namespace.opt_in()
    namespace.adopted()
    assert led(namespace, "shop", "sticky") == [True, True]
    assert len(pods_behind(namespace.address())) == TWO.replicas
    assert len(pods_behind(namespace.address("sticky"))) == 1
    stream = grpc_stream(namespace)
    stream.goes_on()
    comes_later(namespace)
    selected_by_hand(namespace)
    gets_a_port(namespace)
    assert node_ports(namespace) == before
    stream.close()
    assert losses(*clients) == []


@pytest.mark.soak
@pytest.mark.usefixtures("hurried")
def test_every_service_of_an_app_is_released_and_given_back(
    namespace: Namespace, load: Load
) -> None:
    namespace.kubectl.apply([*files(TWO), further("late", type="LoadBalancer")])
    namespace.complete()
    before = node_ports(namespace)
    namespace.opt_in()
    namespace.adopted()
    clients = callers(namespace, load)
    release = Release(namespace)
    namespace.kubectl.apply(files(replace(TWO, version="v2")))
    assert release.finished().outcome == "promoted"
    namespace.kubectl("annotate", "deployment/shop", f"{names.ENABLED}=false")
    given_back(namespace)
    assert led(namespace, *OURS) == [False, False, False]
    assert node_ports(namespace) == before
    found = [namespace.read("Service", one)["metadata"].get("annotations", {}) for one in OURS]
    assert not [key for one in found for key in one if key.startswith(names.PREFIX)]
    eventually("its ports rest", lambda: resting(namespace) == {"shop": 5}, timeout=30)
    assert losses(*clients) == []


def resting(place: Namespace) -> dict[str, int]:
    """How many listener ports of each app are at rest: no other app gets them for a while."""
    service = place.read("Service", names.AGENT)
    known = claims(service["metadata"]["annotations"][names.LISTENER_CLAIMS])
    return dict(Counter(claim.app for claim in known.values() if claim.freed))


def answers(url: str) -> bool:
    """Whether a Service that has just been made is known to the node, and leads to a pod."""
    try:
        return bool(pods_behind(url, times=1))
    except OSError:
        return False


def comes_later(place: Namespace) -> None:
    """Services that are created for an adopted app: one can be routed, the other cannot."""
    raw = [{"name": "tcp", "port": 80, "targetPort": "http"}]
    place.kubectl.apply([further("late", type="LoadBalancer"), further("raw", ports=raw)])
    eventually("the late one is routed", lambda: led(place, "late") == [True], timeout=30)
    eventually("the other is spoken of", lambda: events_of(place, "Service", "raw"), timeout=30)
    (event,) = events_of(place, "Service", "raw")
    assert (event["reason"], event["type"]) == ("NotRouted", "Warning")
    assert "port 80 of Service raw is not known to be HTTP" in event["message"]
    assert led(place, "raw") == [False]
    urls = [place.address(name) for name in ("late", "raw")]
    eventually("both answer", lambda: all(map(answers, urls)), timeout=20)
    place.kubectl("delete", "service", "raw")


def gets_a_port(place: Namespace) -> None:
    """A routed Service, by its file: nothing of the routers listens where the new port targets."""
    more = {"name": "http-more", "port": 81, "targetPort": 8080}
    place.kubectl.apply([further("sticky", sessionAffinity="ClientIP", ports=[PLAIN, more])])
    eventually("it answers", lambda: answers(place.address("sticky", 81)), timeout=20)
    first, more = place.read("Service", "sticky")["spec"]["ports"]
    assert led(place, "sticky") == [True]
    assert more["targetPort"] in {*names.LISTENERS} - {first["targetPort"]}


def selected_by_hand(place: Namespace) -> None:
    """Somebody puts the user's own selector back: admission has the last word in that request."""
    own = json.dumps({"spec": {"selector": files(TWO)[1]["spec"]["selector"]}})
    place.kubectl("patch", "service", "sticky", "--type=merge", f"--patch={own}")
    assert led(place, "sticky") == [True]
