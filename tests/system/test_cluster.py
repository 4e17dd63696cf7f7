"""cluster/ against the real API: watches, conflicts, one leader at a time, outages."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from cluster.api import Api, Object, connect
from cluster.errors import ClusterError, Conflict, Forbidden, Missing, Unreachable
from cluster.lease import DURATION, RETRY, Leadership
from cluster.watch import Watched
from demo.namespace import Namespace, kubeconfig
from demo.shop import PROJECT
from demo.waiting import always, eventually
from tests.system.node import Node

Figure = Callable[[str], None]

LEASE = "candidates"


def config(place: Namespace, name: str = "one", **data: str) -> Object:
    metadata = {"name": name, "namespace": place.name}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@contextmanager
def watching(
    place: Namespace, heard: list[str], *, seconds: int = 50, selector: str = ""
) -> Iterator[Watched]:
    watched = Watched(
        place.api,
        "ConfigMap",
        place.name,
        changed=lambda _, item: heard.append(item["metadata"]["name"]),
        seconds=seconds,
        query={"fieldSelector": selector} if selector else {},
    )
    watched.start()
    assert watched.synced.wait(10)
    yield watched
    watched.stop()


def knows(watched: Watched, name: str, *, timeout: float = 10) -> None:
    eventually(
        f"{name} is known",
        lambda: name in {item["metadata"]["name"] for item in watched.items()},
        timeout=timeout,
    )


def version(watched: Watched) -> int:
    return int(watched.informer._resource_version or 0)


def test_a_watch_that_is_resumed_lists_nothing_again_and_moves_on(namespace: Namespace) -> None:
    heard: list[str] = []
    namespace.api.create(config(namespace), manager="test")
    # A bookmark moves on with what happens to the kind, also where the watch does not look.
    with watching(namespace, heard, seconds=3, selector="metadata.name!=elsewhere") as watched:
        knows(watched, "one")
        first = version(watched)
        namespace.api.create(config(namespace, "elsewhere"), manager="test")
        eventually("a bookmark came", lambda: version(watched) > first, timeout=15)
        opened = watched.opened
        eventually("it was resumed", lambda: watched.opened > opened, timeout=15)
        namespace.api.create(config(namespace, "two"), manager="test")
        knows(watched, "two")
    assert Counter(heard)["one"] == Counter(heard)["two"] == 1


@pytest.mark.alone
def test_a_watch_goes_on_over_a_restart_of_the_api_server(
    namespace: Namespace, node: Node, figure: Figure
) -> None:
    heard: list[str] = []
    with watching(namespace, heard) as watched:
        began = time.monotonic()
        node.restart("kube-apiserver")
        written(namespace, "one")
        back = since(began)
        knows(watched, "one", timeout=20)
        figure(f"API server back after {back:.1f} s, watched {since(began) - back:.1f} s later")
        namespace.api.merge(config(namespace), {"data": {"a": "b"}}, manager="test")
        namespace.api.delete("ConfigMap", "one", namespace=namespace.name)
        eventually("it is gone", lambda: heard.count("one") == 3)


def since(moment: float) -> float:
    return time.monotonic() - moment


def written(place: Namespace, name: str) -> None:
    """As soon as the API takes it."""
    eventually("it is written", lambda: place.api.create(config(place, name), manager="test"))


@pytest.mark.alone
def test_while_the_api_server_is_away_calls_end_in_time_and_nothing_spins(
    namespace: Namespace, node: Node
) -> None:
    with watching(namespace, []) as watched:
        with node.stopped("kube-apiserver"):
            began, before = time.monotonic(), time.process_time()
            with pytest.raises(Unreachable):
                namespace.api.list("ConfigMap", namespace=namespace.name)
            assert since(began) < 5
            always("still away", lambda: not answers(namespace), seconds=4)
            assert time.process_time() - before < 2
        written(namespace, "later")
        knows(watched, "later")


def answers(place: Namespace) -> bool:
    try:
        return bool(place.api.list("Namespace"))
    except ClusterError:
        return False


def test_a_field_of_somebody_elses_is_taken_by_force_only(namespace: Namespace) -> None:
    namespace.api.apply(config(namespace, a="theirs"), manager="them")
    with pytest.raises(Conflict, match='conflict with "them"'):
        namespace.api.apply(config(namespace, a="ours"), manager="us", force=False)
    taken = namespace.api.apply(config(namespace, a="ours"), manager="us")
    assert taken["data"] == {"a": "ours"}


def test_a_dry_run_of_apply_answers_and_changes_nothing(namespace: Namespace) -> None:
    answer = namespace.api.apply(config(namespace, a="b"), manager="us", dry=True)
    assert answer["data"] == {"a": "b"}
    assert namespace.found("ConfigMap", "one") is None


def test_what_changed_since_it_was_read_is_not_written_over(namespace: Namespace) -> None:
    api = namespace.api
    old = api.create(config(namespace, a="1"), manager="test")
    api.merge(old, {"data": {"a": "2"}}, manager="test")
    held = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}}
    with pytest.raises(Conflict):
        api.replace({**old, "data": {"a": "3"}}, manager="test")
    with pytest.raises(Conflict):
        api.merge(old, {**held, "data": {"a": "3"}}, manager="test")
    assert namespace.read("ConfigMap", "one")["data"] == {"a": "2"}


def test_a_status_is_written_only_over_the_version_that_was_read(namespace: Namespace) -> None:
    api = namespace.api
    namespace.kubectl("create", "quota", "one", "--hard=pods=5")
    old = namespace.read("ResourceQuota", "one")
    api.merge(old, {"metadata": {"labels": {"a": "b"}}}, manager="test")
    with pytest.raises(Conflict):
        api.replace_status({**old, "status": {"used": {"pods": "1"}}}, manager="test")


def test_refusals_have_names(namespace: Namespace) -> None:
    api = namespace.api
    with pytest.raises(Missing):
        api.merge(config(namespace, "missing"), {"data": {}}, manager="test")
    api.create(config(namespace), manager="test")
    with pytest.raises(Conflict, match="already exists"):
        api.create(config(namespace), manager="test")
    assert api.read("ConfigMap", "missing", namespace=namespace.name) is None
    api.delete("ConfigMap", "missing", namespace=namespace.name)


def test_what_may_not_be_done_is_forbidden(namespace: Namespace) -> None:
    connection = connect(kubeconfig())
    connection.default_headers["Impersonate-User"] = f"system:serviceaccount:{namespace.name}:x"
    with pytest.raises(Forbidden, match="cannot list resource"):
        Api(connection).list("Secret", namespace=namespace.name)


@contextmanager
def candidate(place: Namespace, identity: str) -> Iterator[subprocess.Popen[bytes]]:
    command = (sys.executable, "-m", "tests.system.leader", place.name, identity)
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def holder(place: Namespace) -> str:
    lease = place.found("Lease", LEASE) or {"spec": {}}
    return str(lease["spec"].get("holderIdentity", ""))


def said_in_lease(place: Namespace, key: str) -> datetime:
    return datetime.fromisoformat(place.read("Lease", LEASE)["spec"][key])


def test_one_leads_and_is_followed_when_it_has_died(namespace: Namespace, figure: Figure) -> None:
    second = Leadership(
        connect(kubeconfig()), name=LEASE, namespace=namespace.name, identity="second"
    )
    with candidate(namespace, "first") as first:
        eventually("the first leads", lambda: holder(namespace) == "first", timeout=30)
        second.start()
        always("the second does not", lambda: not second.held(), seconds=DURATION + 2 * RETRY)
        first.kill()
        first.wait(timeout=10)
        began, renewed = time.monotonic(), said_in_lease(namespace, "renewTime")
        eventually("the second leads", second.held, timeout=30, pause=0.05)
    figure(f"a leader that died was followed after {since(began):.1f} s")
    waited = said_in_lease(namespace, "acquireTime") - renewed
    assert waited.total_seconds() >= DURATION
    assert holder(namespace) == "second"


def test_one_who_ends_in_good_order_is_followed_at_once(
    namespace: Namespace, figure: Figure
) -> None:
    first, second = (
        Leadership(connect(kubeconfig()), name=LEASE, namespace=namespace.name, identity=name)
        for name in ("first", "second")
    )
    first.start()
    eventually("the first leads", first.held, timeout=20)
    second.start()
    always("the second does not", lambda: not second.held(), seconds=RETRY)
    began = time.monotonic()
    first.release()
    assert not first.held()
    eventually("the second leads", second.held, timeout=30, pause=0.05)
    figure(f"a leader that ended in good order was followed after {since(began):.1f} s")
    always("the second alone leads", lambda: second.held() and not first.held(), seconds=2)


def test_who_leads_goes_on_renewing(namespace: Namespace) -> None:
    only = Leadership(connect(kubeconfig()), name=LEASE, namespace=namespace.name, identity="one")
    only.start()
    eventually("it leads", only.held, timeout=20)
    always("it leads", only.held, seconds=8)
    age = datetime.now(UTC) - said_in_lease(namespace, "renewTime")
    assert age.total_seconds() < DURATION
