"""Applying what is already there: nothing happens, nobody is in conflict, nothing differs."""

from collections.abc import Mapping

import pytest

from delivery.names import ENABLED
from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.release import Release
from demo.shop import Shop
from demo.waiting import always, eventually
from tests.system.canaries import GOOD, SMALL
from tests.system.conftest import CALM, defaults
from tests.system.load import KEPT, Load

CLIENT_SIDE: tuple[str, ...] = ()
SERVER_SIDE = ("--server-side",)
DRY_RUNS = (
    "scale deployment/shop --replicas=5",
    "annotate deployment/shop outrider.dev/interval=10s",
    "set image deployment/shop shop=other",
    "delete service shop",
)
STEADY = ("Deployment", "Service", "Pod", "ReplicaSet", "Canary", "ConfigMap", "Secret", "Role")

pytestmark = pytest.mark.usefixtures("in_one_step")
both_kinds = pytest.mark.parametrize(
    "options",
    [
        pytest.param(CLIENT_SIDE, id="client-side"),
        pytest.param(SERVER_SIDE, id="server-side", marks=pytest.mark.soak),
    ],
)


@pytest.fixture
def in_one_step(namespace: Namespace) -> None:
    """And long enough at it to apply the files of the release once more."""
    namespace.kubectl.apply([defaults({**CALM, "interval": "25s", "stepWeight": "50"})])


def versions(place: Namespace) -> Mapping[str, str]:
    """The resourceVersion of everything in the namespace that does not change by itself."""
    return {
        f"{kind} {one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for kind in STEADY
        for one in place.list(kind)
    }


def pods(place: Namespace) -> set[str]:
    return {pod["metadata"]["uid"] for pod in place.list("Pod")}


def rest(place: Namespace) -> JSON:
    """Wait until an idle namespace has come to rest."""
    seen: list[Mapping[str, str]] = []

    def unchanged() -> bool:
        ending = any("deletionTimestamp" in pod["metadata"] for pod in place.list("Pod"))
        seen.append(versions(place))
        return not ending and len(seen) > 1 and seen[-1] == seen[-2]

    eventually("nothing changes any more", unchanged, pause=2)
    return place.status()


def assert_nothing_happens(place: Namespace, same: Shop, options: tuple[str, ...]) -> None:
    before, revision = pods(place), place.status()["observedHash"]
    place.kubectl.apply(same.manifests(), *options)
    assert place.kubectl.differences(same.manifests(), *options) == ""
    always("the same pods", lambda: pods(place) <= before, seconds=3)
    assert place.status()["observedHash"] == revision


@both_kinds
@pytest.mark.settled
def test_while_idle_in_mid_release_and_after_it_the_same_files_change_nothing(
    namespace: Namespace, options: tuple[str, ...], load: Load
) -> None:
    opened(namespace, SMALL.manifests(), *options)
    rest(namespace)
    assert_nothing_happens(namespace, SMALL, options)
    assert namespace.status()["phase"] == "Initialized"
    load(namespace, *KEPT)
    release = Release(namespace)
    namespace.kubectl.apply(GOOD.manifests(), *options)
    release.weighs(50)
    assert_nothing_happens(namespace, GOOD, options)
    assert release.finished().outcome == "promoted"
    rising = [weight for _, weight in release.weights[:-1]]
    assert rising == sorted(rising)
    rest(namespace)
    assert_nothing_happens(namespace, GOOD, options)


@pytest.mark.soak
@pytest.mark.parametrize("options", [CLIENT_SIDE, SERVER_SIDE], ids=["client-side", "server-side"])
def test_a_dry_run_of_everything_changes_nothing(
    namespace: Namespace, options: tuple[str, ...]
) -> None:
    opened(namespace, SMALL.manifests(), *options)
    rest(namespace)
    before = versions(namespace)
    namespace.kubectl.apply(GOOD.manifests(), "--dry-run=server", *options)
    assert "VERSION" in namespace.kubectl.differences(GOOD.manifests(), *options)
    for words in DRY_RUNS:
        namespace.kubectl(*words.split(), "--dry-run=server")
    namespace.kubectl("label", "namespace", namespace.name, f"{ENABLED}-", "--dry-run=server")
    always("nothing changes", lambda: versions(namespace) == before, seconds=3)


@pytest.mark.soak
def test_a_team_may_go_over_to_server_side_apply(namespace: Namespace) -> None:
    """Client-side apply owns what it sent; what is held at another value must not stay its own."""
    opened(namespace, SMALL.manifests())
    rest(namespace)
    namespace.kubectl.apply(SMALL.manifests())
    rest(namespace)
    assert_nothing_happens(namespace, SMALL, SERVER_SIDE)
