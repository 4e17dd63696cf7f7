"""Every test on the cluster has a namespace of its own, and tells what was in it when it fails."""

import os
import re
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from delivery import names
from delivery.names import DEFAULTS
from demo import namespace as namespaces
from demo.dump import dump
from demo.kubectl import JSON
from demo.namespace import Namespace, opened
from demo.shop import V1
from demo.traffic import Traffic
from demo.waiting import eventually
from lab.cluster import running
from tests.system.load import FRESH, KEPT, Load
from tests.system.node import Node
from tests.system.settled import Settled

# Many tests share few cores: what only the machine makes slow is no reason to roll back. And what
# is not about judging does not wait until the guard has seen enough.
CALM = {"requestDuration": "5s", "guard": "off"}
HURRY = {**CALM, "interval": "1s", "stepWeight": "25"}
HERE = Path(__file__).parent
REPORT = pytest.StashKey[pytest.TestReport]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("system")
    # What takes minutes begins first, or the others would end long before it.
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or report.failed:
        item.stash[REPORT] = report
    return report


@pytest.fixture(scope="session")
def cluster() -> None:
    """`make system` enters the lab's network and sets KUBECONFIG."""
    if not os.environ.get("KUBECONFIG"):
        pytest.fail("no KUBECONFIG: run these by `make system`, or inside `python -m lab exec`")


@pytest.fixture(scope="session")
def settled(cluster: None) -> Iterator[Settled]:
    found = Settled()
    yield found
    if found.place:
        removed(found.place)


@pytest.fixture
def namespace(settled: Settled, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A new namespace, not yet opted in; or one that was before, where the test says `settled`."""
    if request.node.get_closest_marker("settled") is None:
        place = fresh(request.node.name)
        yield place
        closed(place, request.node)
        return
    place = settled.lent() or fresh("settled")
    place.opt_in()
    yield place
    if failed(request.node):
        closed(place, request.node)
    else:
        settled.emptied(place)


@pytest.fixture
def plain_namespace(cluster: None, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A second one beside it, which is never opted in."""
    place = fresh(f"plain-{request.node.name}")
    yield place
    closed(place, request.node)


@pytest.fixture
def shop(namespace: Namespace) -> Namespace:
    """A namespace whose shop v1 has been adopted."""
    opened(namespace, V1.manifests())
    return namespace


@pytest.fixture
def bound(namespace: Namespace) -> Namespace:
    """Opted in without a single pod: the rights are there."""
    namespace.kubectl("create", "quota", "still", "--hard=pods=0")
    namespace.opt_in()
    eventually("its rights are there", lambda: namespace.found("RoleBinding", names.AGENT))
    return namespace


@pytest.fixture
def calm(namespace: Namespace) -> None:
    namespace.kubectl.apply([defaults(CALM)])


@pytest.fixture
def hurried(namespace: Namespace) -> None:
    """Releases that take seconds, for tests of what starts one and what does not."""
    namespace.kubectl.apply([defaults(HURRY)])


@pytest.fixture
def load() -> Iterator[Load]:
    """Starts clients, and ends those that the test has left running."""
    starter = Load()
    yield starter
    starter.end()


@pytest.fixture
def node(cluster: None) -> Iterator[Node]:
    """The lab's node, for tests that kill: another cluster's containers are out of reach."""
    lab = running()
    if lab is None or Path(os.environ["KUBECONFIG"]).resolve() != lab.kubeconfig.resolve():
        pytest.skip("kills processes on the lab's own node")
    found = Node(lab.layout)
    yield found
    found.mend()


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a measured figure, which is shown at the end of the whole run."""
    return lambda text: record_property("figure", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    figures = [
        str(text)
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, text in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(sorted(figures)))


@pytest.fixture
def clients(shop: Namespace, load: Load) -> tuple[Traffic, Traffic]:
    """Users of the shop, some with connections that they keep: without any nothing is promoted."""
    return load(shop, *KEPT), load(shop, *FRESH)


def defaults(settings: dict[str, str]) -> JSON:
    metadata = {"name": DEFAULTS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": settings}


def fresh(test: str) -> Namespace:
    words = re.sub(r"[^a-z0-9]+", "-", test.removeprefix("test_").lower())
    return namespaces.create(f"{words[:40].strip('-')}-{uuid.uuid4().hex[:6]}")


def closed(place: Namespace, test: pytest.Item) -> None:
    told(place, test)
    removed(place)


def told(place: Namespace, test: pytest.Item) -> None:
    """What is in it, where a test failed."""
    if failed(test):
        print(dump(place))  # noqa: T201  # pytest shows it below the failure


def failed(test: pytest.Item) -> bool:
    report = test.stash.get(REPORT, None)
    return report is None or report.failed


def removed(place: Namespace) -> None:
    place.api.delete("Namespace", place.name)
