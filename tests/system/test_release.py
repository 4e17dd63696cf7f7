"""Whole releases on a real cluster, under load from outside."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.release import Release, first_bad, released
from demo.shop import V1, V2, V3, V4
from demo.traffic import Traffic, by_version
from demo.waiting import eventually
from tests.system.conftest import HURRY, defaults
from tests.system.load import FRESH, KEPT, Load, grpc_stream, losses, websocket

Clients = tuple[Traffic, Traffic]
Figure = Callable[[str], None]

OFF_USERS_SECONDS = 15
LONG = replace(V1, grace_seconds=600, streams=True)


def served(place: Namespace) -> set[str]:
    """The versions of the pods that are ready."""
    return {
        variable["value"]
        for pod in place.list("Pod")
        for container in pod["spec"]["containers"]
        for variable in container.get("env", [])
        if variable["name"] == "VERSION" and ready(pod)
    }


def ready(pod: JSON) -> bool:
    conditions = pod["status"].get("conditions", [])
    answers = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return answers and "deletionTimestamp" not in pod["metadata"]


def serves_alone(place: Namespace, version: str) -> None:
    """Wait until pods of no other version are left, but for those that end."""
    eventually(f"{version} alone serves", lambda: served(place) == {version}, timeout=30)


def test_adopting_a_running_app_loses_no_request(namespace: Namespace, load: Load) -> None:
    namespace.kubectl.apply(V1.manifests())
    namespace.complete()
    clients = load(namespace, *KEPT), load(namespace, *FRESH)
    namespace.opt_in()
    namespace.adopted()
    assert namespace.read("Deployment", "shop")["spec"]["replicas"] == 0
    assert namespace.read("Deployment", "shop-primary")["status"]["readyReplicas"] == V1.replicas
    assert losses(*clients) == []


@pytest.mark.settled
def test_an_app_that_is_new_is_started_by_kubernetes_and_then_adopted(namespace: Namespace) -> None:
    namespace.opt_in()
    namespace.kubectl.apply(V1.manifests())
    namespace.complete()
    namespace.adopted()
    serves_alone(namespace, "v1")


@pytest.mark.settled
@pytest.mark.usefixtures("calm")
def test_a_good_version_is_promoted_and_no_request_is_lost(
    shop: Namespace, clients: Clients
) -> None:
    release = released(shop, V2)
    assert release.outcome == "promoted"
    assert release.status["promotedHash"] == release.status["observedHash"]
    assert [weight for _, weight in release.weights if weight > 50] in ([], [100])
    serves_alone(shop, "v2")
    assert losses(*clients) == []


def test_a_plain_rolling_update_is_the_yardstick(
    plain_namespace: Namespace, load: Load, figure: Figure
) -> None:
    plain_namespace.kubectl.apply(V1.manifests())
    plain_namespace.complete()
    clients = load(plain_namespace, *KEPT), load(plain_namespace, *FRESH)
    plain_namespace.kubectl.apply(V2.manifests())
    plain_namespace.complete()
    serves_alone(plain_namespace, "v2")
    lost = losses(*clients)
    sent = sum(len(client.answers) for client in clients)
    figure(f"yardstick: a plain rolling update lost {len(lost)} of {sent} requests")


@pytest.mark.settled
def test_a_bad_version_is_soon_off_users_and_can_be_put_right(
    shop: Namespace, load: Load, figure: Figure
) -> None:
    """One that answers 5xx and one that is slow, by the defaults of a generated Canary."""
    for bad in (V3, V4):
        clients = load(shop, *KEPT), load(shop, *FRESH)
        release = released(shop, bad)
        lost = losses(*clients)
        answers = clients[0].answers + clients[1].answers
        began = first_bad(answers, bad.version) or 0
        seconds = release.ended - began
        figure(f"{bad.version} was off users {seconds:.1f} s after its first bad answer")
        assert release.outcome == "rolled back"
        assert release.status["failedHash"] == release.status["observedHash"]
        assert 0 < seconds < OFF_USERS_SECONDS, by_version(answers)
        serves_alone(shop, "v1")
        assert lost == []
    clients = load(shop, *KEPT), load(shop, *FRESH)
    shop.kubectl.apply([defaults(HURRY)])
    assert released(shop, V2).outcome == "promoted"
    serves_alone(shop, "v2")
    assert losses(*clients) == []


@pytest.mark.soak
@pytest.mark.usefixtures("calm")
def test_a_newer_version_takes_the_place_of_the_one_under_way(
    shop: Namespace, clients: Clients
) -> None:
    first = Release(shop)
    shop.kubectl.apply(V2.manifests())
    first.weighs(10)
    assert released(shop, replace(V2, version="v5")).outcome == "promoted"
    serves_alone(shop, "v5")
    assert losses(*clients) == []


@pytest.mark.minutes
@pytest.mark.usefixtures("calm")
@pytest.mark.settled
def test_streams_stay_open_through_a_whole_release(namespace: Namespace, load: Load) -> None:
    opened(namespace, LONG.manifests())
    load(namespace, *KEPT)
    streams = websocket(namespace), grpc_stream(namespace)
    release = released(namespace, replace(LONG, version="v2"))
    for stream in streams:
        stream.goes_on()
        stream.close()
    assert release.outcome == "promoted"
    assert all(stream.whole for stream in streams), [stream.broken for stream in streams]
