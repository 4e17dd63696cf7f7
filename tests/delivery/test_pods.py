"""What pods and Deployments say of themselves, in Flagger's words (reference, 2.9)."""

from typing import Any

import pytest

from delivery import pods

FINISH = "waiting for rollout to finish: "
READY = {"type": "Ready", "status": "True"}


def pod(**status: Any) -> dict[str, Any]:
    container = {"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "metadata": {"name": "web-1"},
        "spec": {"containers": [{"name": "side"}, container]},
        "status": status,
    }


def waiting_pod(reason: str, message: str = "", *, kind: str = "containerStatuses") -> Any:
    return pod(**{kind: [{"state": {"waiting": {"reason": reason, "message": message}}}]})


def deployment(wanted: int | None = 3, *, generation: int = 1, **status: Any) -> dict[str, Any]:
    spec = {} if wanted is None else {"replicas": wanted}
    return {
        "metadata": {"name": "web", "generation": generation},
        "spec": spec,
        "status": {"observedGeneration": 1, **status},
    }


def rolled(total: int, updated: int, available: int) -> dict[str, int]:
    return {"replicas": total, "updatedReplicas": updated, "availableReplicas": available}


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        (
            pod(podIP="10.1.0.1", conditions=[{"type": "Initialized", "status": "True"}, READY]),
            True,
        ),
        (pod(podIP="10.1.0.1", conditions=[{"type": "Ready", "status": "False"}]), False),
        (pod(podIP="10.1.0.1"), False),
        (pod(conditions=[READY]), False),
        ({"metadata": {"name": "web-1"}}, False),
    ],
)
def test_a_pod_is_ready_when_it_says_so_and_has_an_address(found: Any, ready: bool) -> None:
    assert pods.is_ready(found) is ready


def test_a_pod_on_its_way_out_is_neither_ready_nor_failing() -> None:
    leaving = pod(podIP="10.1.0.1", conditions=[READY]) | waiting_pod("CrashLoopBackOff")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not pods.is_ready(leaving)
    assert pods.failure([leaving]) == ""


@pytest.mark.parametrize("reason", pods.CRASHED)
def test_what_waiting_does_not_mend_is_a_failure(reason: str) -> None:
    assert pods.failure([pod(), waiting_pod(reason)]) == f"pod web-1: {reason}"


@pytest.mark.parametrize("reason", ["ContainerCreating", "ErrImagePull", "PodInitializing"])
def test_what_may_still_start_is_none(reason: str) -> None:
    assert pods.failure([waiting_pod(reason)]) == ""


def test_a_failure_says_why_also_of_an_init_container() -> None:
    found = waiting_pod("CrashLoopBackOff", "back-off 10s", kind="initContainerStatuses")
    assert pods.failure([found]) == "pod web-1: CrashLoopBackOff: back-off 10s"


def test_a_running_container_is_no_failure() -> None:
    assert pods.failure([pod(containerStatuses=[{"state": {"running": {}}}, {}])]) == ""
    assert pods.failure([{"metadata": {"name": "web-1"}}]) == ""


@pytest.mark.parametrize(
    ("port", "number"), [(9090, 9090), ("http", 8080), ("metrics", None), ("80", None)]
)
def test_a_named_port_is_looked_up_in_the_pod(port: int | str, number: int | None) -> None:
    assert pods.port_number(pod(), port) == number


def test_only_a_controller_owns_a_pod() -> None:
    owners = [{"uid": "a"}, {"uid": "b", "controller": True}]
    assert pods.owner_uid({"metadata": {"ownerReferences": owners}}) == "b"
    assert pods.owner_uid({"metadata": {"ownerReferences": owners[:1]}}) == ""
    assert pods.owner_uid({"metadata": {}}) == ""


@pytest.mark.parametrize(
    ("found", "threshold", "text"),
    [
        (
            deployment(generation=2, **rolled(3, 3, 3)),
            100,
            FINISH + "observed deployment generation less than desired generation",
        ),
        (
            deployment(**rolled(2, 2, 2)),
            100,
            FINISH + "2 out of 3 new replicas have been updated",
        ),
        (deployment(), 100, FINISH + "0 out of 3 new replicas have been updated"),
        (deployment(**rolled(4, 3, 3)), 100, FINISH + "1 old replicas are pending termination"),
        (
            deployment(**rolled(3, 3, 2)),
            100,
            FINISH + "2 of 3 (readyThreshold 100%) updated replicas are available",
        ),
        (
            deployment(**rolled(3, 3, 0)),
            50,
            FINISH + "0 of 3 (readyThreshold 50%) updated replicas are available",
        ),
        (deployment(**rolled(3, 3, 1)), 50, ""),
        (deployment(**rolled(3, 3, 3)), 100, ""),
        (deployment(None, **rolled(1, 1, 1)), 100, ""),
        (deployment(1, **rolled(1, 1, 0)), 50, ""),
        (deployment(0), 100, ""),
    ],
)
def test_a_rollout_is_awaited_in_flaggers_words(found: Any, threshold: int, text: str) -> None:
    assert pods.waiting(found, threshold) == text


def test_a_deployment_without_a_status_is_awaited() -> None:
    assert pods.waiting({"metadata": {}, "spec": {}}, 100).startswith(FINISH + "0 out of 1")


def test_a_rollout_past_its_deadline_is_stuck_as_flagger_says() -> None:
    over = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]
    text = 'deployment "web" exceeded its progress deadline'
    assert pods.stuck(deployment(conditions=over)) == text


def test_the_deadline_of_an_earlier_generation_does_not_count_for_this_one() -> None:
    over = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]
    assert pods.stuck(deployment(generation=2, conditions=over)) == ""


def test_a_rollout_under_way_is_not_stuck() -> None:
    going = [{"type": "Available", "reason": "x"}, {"type": "Progressing", "reason": "Updated"}]
    assert pods.stuck(deployment(conditions=going)) == ""
    assert pods.stuck(deployment()) == ""


def test_what_is_not_said_is_empty() -> None:
    assert pods.labels_of({"metadata": {}}) == {}
    assert pods.annotations_of({"metadata": {"annotations": None}}) == {}


REFUSED = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: tight"}


def scheduled(status: str, **said: str) -> Any:
    return pod(conditions=[READY, {"type": "PodScheduled", "status": status, **said}])


@pytest.mark.parametrize(
    ("conditions", "found", "why"),
    [
        ([], [], ""),
        ([REFUSED], [], "exceeded quota: tight"),
        ([{**REFUSED, "status": "False"}], [], ""),
        ([], [pod(), scheduled("True")], ""),
        ([], [scheduled("False", reason="SchedulingGated")], ""),
        (
            [],
            [scheduled("False", reason="Unschedulable", message="0/3 nodes")],
            "pod web-1: 0/3 nodes",
        ),
    ],
)
def test_what_keeps_pods_from_coming_is_told(conditions: Any, found: Any, why: str) -> None:
    assert pods.hindrance(deployment(conditions=conditions), found) == why


@pytest.mark.parametrize(
    ("conditions", "since"),
    [
        ([{**READY, "lastTransitionTime": "1970-01-01T00:01:00Z"}], 60.0),
        ([{"type": "Initialized", "lastTransitionTime": "1970-01-01T00:01:00Z"}], 0.0),
        ([READY], 0.0),
        (None, 0.0),
    ],
)
def test_a_pod_says_since_when_it_is_ready(conditions: Any, since: float) -> None:
    assert pods.ready_since(pod(conditions=conditions)) == since


def test_a_pods_restarts_are_those_of_all_its_containers() -> None:
    statuses = [{"restartCount": 2}, {}, {"restartCount": 1}]
    assert pods.restarts(pod(containerStatuses=statuses)) == 3
    assert pods.restarts(pod()) == 0


@pytest.mark.parametrize(
    ("status", "made"),
    [
        ({"replicas": 3, "observedGeneration": 1}, True),
        ({"replicas": 2, "observedGeneration": 1}, False),
        ({"replicas": 3, "observedGeneration": 0}, False),
        (
            {
                "replicas": 1,
                "observedGeneration": 1,
                "conditions": [{"type": "ReplicaFailure", "status": "True"}],
            },
            True,
        ),
    ],
)
def test_a_deployments_pods_are_made_or_cannot_be(status: dict[str, Any], made: bool) -> None:
    assert pods.has_made_its_pods(deployment(3, **status)) == made
    assert not pods.has_made_its_pods(None)
