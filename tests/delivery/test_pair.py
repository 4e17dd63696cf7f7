"""The two halves of a pair among a namespace's objects, and the wish for replicas."""

from typing import Any

import pytest

from delivery import names, pair
from delivery.hashing import template_hash
from delivery.pair import Objects
from tests.delivery import worlds
from tests.delivery.reviews import Document
from tests.delivery.worlds import merged, template

OLD, NEW = template("good:1"), template("good:2")


def half(name: str = "web", image: str = "good:2", **annotations: str) -> Document:
    metadata = {"name": name, "uid": name, "generation": 4, "annotations": annotations}
    return merged(worlds.deployment(image), {"metadata": metadata})


def replica_set(uid: str, spec: Document, owner: str = "web", ready: int | None = None) -> Document:
    owners = [{"uid": owner, "controller": True}]
    status = {} if ready is None else {"status": {"readyReplicas": ready}}
    return {
        "metadata": {"uid": uid, "ownerReferences": owners},
        "spec": {"template": spec},
    } | status


def pod(number: int, owner: str, image: str = "good:2", *, age: int = 9) -> Document:
    return worlds.Pod(number, owner, template(image), age=age).manifest()


TWO = Objects(
    deployments=[half()],
    replica_sets=[replica_set("old", OLD, ready=2), replica_set("new", NEW, ready=1)],
    pods=[pod(1, "old", "good:1"), pod(2, "old", "good:1"), pod(3, "new"), pod(4, "other")],
)


def test_an_object_is_found_by_its_name() -> None:
    assert pair.named(TWO.deployments, "web") == half()
    assert pair.named(TWO.deployments, "api") is None


def test_what_has_no_uid_owns_nothing() -> None:
    assert list(pair.owned(TWO.sets, {"metadata": {"name": "web"}})) == []


def test_what_nobody_owns_belongs_to_no_half() -> None:
    alone = pod(5, "old")
    alone["metadata"]["ownerReferences"] = []
    assert pair.by_owner([alone, pod(6, "old")]) == {"old": [pod(6, "old")]}


def test_the_halves_and_their_replica_sets_remember_revisions() -> None:
    found = pair.revisions(TWO, half(image="good:3"), None)
    assert set(found.values().__iter__().__next__()) == {"metadata", "spec"}
    expected = {template_hash(one) for one in (OLD, NEW, template("good:3"))}
    assert set(found) == expected


def test_what_serves_is_the_revision_with_the_most_ready_pods() -> None:
    assert pair.serving(TWO, half()) == template_hash(OLD)


@pytest.mark.parametrize(
    "sets", [[], [replica_set("old", OLD)], [replica_set("old", OLD, ready=0)]]
)
def test_when_no_pod_is_ready_the_targets_own_template_counts(sets: list[Document]) -> None:
    assert pair.serving(Objects(replica_sets=sets), half()) == template_hash(NEW)


def test_pods_are_found_by_their_owners_one_revision_alone_where_it_is_named() -> None:
    assert len(pair.pods_of(TWO, half())) == 3
    assert pair.pods_of(TWO, half(), template_hash(NEW)) == [pod(3, "new")]
    assert pair.pods_of(TWO, half(), "") == []


def test_a_half_is_what_its_deployment_and_the_pods_of_its_revision_say() -> None:
    found = pair.workload(TWO, half(), threshold=100)
    assert (found.name, found.revision) == ("web", template_hash(NEW))
    assert (found.replicas, found.ready_pods, found.held) == (3, 1, None)
    assert (found.on_hold, found.paused, found.failing, found.stuck) == (False, False, "", "")
    assert found.waiting.endswith("observed deployment generation less than desired generation")


def test_what_is_held_and_why_it_fails_is_read_off() -> None:
    crashing = worlds.Pod(5, "new", template("crashing:2")).manifest()
    objects = Objects(replica_sets=TWO.replica_sets, pods=[crashing])
    held = half(**{names.SCALE: "2", names.HOLD: "true"})
    found = pair.workload(objects, merged(held, {"spec": {"paused": True}}), threshold=100)
    assert (found.held, found.on_hold, found.paused) == (2, True, True)
    assert found.failing == "pod web-5: CrashLoopBackOff"


def test_a_half_is_unready_while_it_waits_or_has_no_ready_pod() -> None:
    status = {"observedGeneration": 4, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 0}
    small = merged(half(), {"spec": {"replicas": 1}}) | {"status": status}
    assert pair.workload(TWO, small, threshold=100).unready.startswith("waiting for rollout")
    assert pair.workload(TWO, small, threshold=50).unready == ""
    assert pair.workload(Objects(), small, threshold=50).unready == "no pod is ready"


def test_a_half_that_cannot_grow_says_why() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    over = {"type": "Progressing", "reason": "ProgressDeadlineExceeded"}
    status = {"observedGeneration": 4, "updatedReplicas": 1, "conditions": [refused, over]}
    found = pair.workload(TWO, half() | {"status": status}, threshold=100)
    assert found.waiting.endswith("1 out of 3 new replicas have been updated: exceeded quota")
    assert found.stuck.endswith("exceeded its progress deadline: exceeded quota")


@pytest.mark.parametrize(
    ("replicas", "annotations", "wish"),
    [
        (3, {}, 3),
        (0, {}, None),
        (3, {names.SCALE: "many"}, 3),
        (0, {names.SCALE: "0", names.REPLICAS: "3"}, 3),
        (0, {names.SCALE: "0", names.REPLICAS: "0"}, None),
        (0, {names.SCALE: "0"}, None),
        (0, {names.SCALE: "0", names.REPLICAS: "x"}, None),
        (5, {names.SCALE: "0", names.REPLICAS: "3"}, 5),
        (5, {names.SCALE: "0", names.REPLICAS: "3", names.HELD_AT: "3"}, 5),
        (5, {names.SCALE: "0", names.REPLICAS: "3", names.HELD_AT: "4"}, 3),
        (2, {names.SCALE: "2", names.REPLICAS: "3"}, 3),
        (0, {names.SCALE: "2", names.REPLICAS: "3"}, 3),
    ],
)
def test_a_wish_is_told_from_what_is_held(
    replicas: int, annotations: dict[str, str], wish: int | None
) -> None:
    found = merged(half(**annotations), {"spec": {"replicas": replicas}})
    assert pair.wished(found) == wish


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("http", (("10.1.0.1", 8080), ("10.1.0.2", 8080))),
        (9090, (("10.1.0.1", 9090), ("10.1.0.2", 9090))),
        ("grpc", ()),
    ],
)
def test_endpoints_are_the_ready_pods_that_have_the_port(
    port: Any, expected: tuple[tuple[str, int], ...]
) -> None:
    found = [pod(2, "new"), pod(1, "new"), pod(3, "new", age=0)]
    assert pair.endpoints(found, port) == expected
