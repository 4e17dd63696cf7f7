"""Another version of Outrider: namespaces change to it one after the other, under traffic."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from delivery import names, upgrade
from delivery.optin import namespace_parts
from delivery.programs import Programs
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release
from demo.shop import image
from demo.waiting import eventually
from tests.system.canaries import GOOD, PATIENT, SMALL
from tests.system.conftest import HURRY, defaults
from tests.system.installation import Installation, installed
from tests.system.load import Load, losses
from tests.system.node import Node

pytestmark = pytest.mark.soak

SLOWLY = {**HURRY, "interval": "12s", "stepWeight": "4", "maxWeight": "48"}
BOTH = (names.AGENT, names.ROUTER)
NEXT = {name: f"localhost/outrider/{name}:next" for name in ("agent", "envoy")}
MISSING = "--agent-image=localhost/outrider/agent:missing"
UPGRADED = (f"--agent-image={NEXT['agent']}", f"--router-image={NEXT['envoy']}")


@pytest.fixture
def second(node: Node) -> Iterator[Installation]:
    """A webhook of this test's own; the images of the next version are there too."""
    for name, reference in NEXT.items():
        node.ctr("images", "tag", "--force", image(name), reference)
    with installed(f"webhook-{uuid.uuid4().hex[:6]}") as made:
        yield made


@pytest.fixture
def places(namespace: Namespace, plain_namespace: Namespace) -> list[Namespace]:
    """Two namespaces, in the order in which they are upgraded."""
    return sorted((namespace, plain_namespace), key=lambda place: place.name)


def image_of(place: Namespace, name: str) -> str:
    (container,) = place.read("Deployment", name)["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def deployments(place: Namespace) -> list[JSON]:
    return [place.read("Deployment", name) for name in BOTH]


def untouched(place: Namespace) -> bool:
    return [image_of(place, name) for name in BOTH] == [image("agent"), image("envoy")]


def upgraded(place: Namespace) -> bool:
    """All pods are of the next version, and ready."""
    found = deployments(place)
    return (
        [image_of(place, name) for name in BOTH] == list(NEXT.values())
        and not any(upgrade.rollout(one) for one in found)
        and all(one["status"].get("availableReplicas") == 2 for one in found)
    )


def managed(place: Namespace, second: Installation) -> None:
    place.kubectl.apply([defaults(SLOWLY), *SMALL.manifests()])
    place.complete()
    second.opt_in(place)


def test_an_upgrade_in_mid_release_loses_no_request(
    second: Installation, places: list[Namespace], load: Load, figure: Callable[[str], None]
) -> None:
    for place in places:
        managed(place, second)
    for place in places:
        place.adopted(timeout=240)
    clients = [load(place, *PATIENT) for place in places]
    releases = [Release(place, timeout=400) for place in places]
    for place in places:
        place.kubectl.apply(GOOD.manifests())
    releases[0].weighs(4)
    second.install(*UPGRADED)
    first, last = places
    eventually("the first is begun", lambda: not untouched(first), timeout=120)
    assert releases[0].look()
    assert not releases[0].over()
    eventually("the first is upgraded", lambda: upgraded(first) or not in_turn(places), timeout=300)
    assert in_turn(places)
    eventually("the second is upgraded", lambda: upgraded(last), timeout=300)
    assert [release.finished().outcome for release in releases] == ["promoted", "promoted"]
    lost = losses(*clients)
    asked = sum(len(client.answers) for client in clients)
    figure(f"an upgrade in mid-release: {asked} requests, {len(lost)} of them lost")
    assert lost == []


def in_turn(places: list[Namespace]) -> bool:
    """The second is as it was until the first is upgraded; asked in this order, it may be both."""
    first, last = places
    return untouched(last) or upgraded(first)


def test_an_upgrade_halts_where_it_does_not_succeed(
    second: Installation, places: list[Namespace]
) -> None:
    first, last = places
    for place in places:
        second.opt_in(place)
    eventually("all parts are there", lambda: all(map(whole, places)), timeout=240)
    second.install(MISSING)
    eventually("the first is begun", lambda: image_of(first, names.AGENT) in MISSING)
    eventually("a word of it", lambda: halted(second, first), timeout=180)
    assert untouched(last)
    assert image_of(first, names.ROUTER) == image("envoy")
    assert first.read("Deployment", names.AGENT)["status"]["availableReplicas"] == 2
    second.install(*UPGRADED)
    for place in places:
        eventually(f"{place.name} is upgraded", lambda: upgraded(place), timeout=240)  # noqa: B023


def whole(place: Namespace) -> bool:
    wanted = namespace_parts(place.name, Programs("", ""))
    there = all(place.found(one["kind"], one["metadata"]["name"]) for one in wanted)
    return there and all(one["status"].get("availableReplicas") == 2 for one in deployments(place))


def halted(second: Installation, place: Namespace) -> bool:
    said = [
        one["message"] for one in second.place.list("Event") if one["reason"] == "UpgradeHalted"
    ]
    begin = f"the upgrade waits for namespace {place.name}, and 1 more behind it"
    return any(text.startswith(begin) for text in said)
