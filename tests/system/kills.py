"""Whom a test kills, when, and what users may lose by it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from delivery.names import AGENT, ROUTER
from demo.install import SYSTEM
from demo.kubectl import JSON
from demo.namespace import Namespace
from demo.release import Release
from demo.shop import V2, V3, Shop
from demo.traffic import Answer
from demo.waiting import eventually
from tests.system.load import FRESH, KEPT
from tests.system.node import Node
from tests.system.test_release import served

HALF = ("--rate", "25")
"""Two clients together send 50 requests a second."""
BOTH = ((*KEPT, *HALF), (*FRESH, *HALF))

UNROUTED_SECONDS = 5.0

Kill = Callable[[Namespace, Node], object]


@dataclass(frozen=True)
class Course:
    """How the release of a version goes: its phases, and how it ends whoever dies meanwhile."""

    version: Shop
    phases: tuple[str, ...]
    outcome: str
    serves: str


# A rollback has ended, for users, with Failed: that is left when the canary has no pods.
GOOD = Course(V2, ("Progressing", "Promoting", "Finalising"), "promoted", "v2")
BAD = Course(V3, ("Progressing", "Failed"), "rolled back", "v1")
COURSES = pytest.mark.parametrize(
    "course",
    [
        pytest.param(GOOD, id="a promotion"),
        pytest.param(BAD, id="a rollback", marks=pytest.mark.soak),
    ],
)


def acting_agent(place: Namespace, node: Node) -> str:
    """The one that holds the Lease."""
    holder = str(place.read("Lease", AGENT)["spec"]["holderIdentity"])
    node.kill(place.name, "agent", holder)
    return holder


def every_agent(place: Namespace, node: Node) -> int:
    return node.kill(place.name, "agent")


def every_webhook(_: Namespace, node: Node) -> int:
    return node.kill(SYSTEM, "webhook")


def one_router(place: Namespace, node: Node) -> str:
    """One that is ready, so that users are connected to it."""
    name = routers(place)[0]
    assert node.kill(place.name, "envoy", name) == 1
    return name


def routers(place: Namespace) -> list[str]:
    """The names of the routers that are ready."""
    found = place.list("Pod", f"app.kubernetes.io/name={ROUTER}")
    return sorted(pod["metadata"]["name"] for pod in found if is_ready(pod))


def is_ready(pod: JSON) -> bool:
    conditions = pod["status"].get("conditions", [])
    leaves = pod["metadata"].get("deletionTimestamp")
    return not leaves and any(
        one["type"] == "Ready" and one["status"] == "True" for one in conditions
    )


@dataclass(frozen=True)
class Assassin:
    """Kills the same victim in each phase that is named."""

    place: Namespace
    node: Node
    kill: Kill
    struck: list[float] = field(default_factory=list)
    """When, in seconds since the epoch."""

    def adoption(self) -> None:
        self.strikes("Initializing", lambda: self.place.status().get("phase") == "Initializing")
        self.place.adopted(timeout=240)

    def release(self, course: Course) -> Release:
        """A kill in each phase of one release."""
        release = Release(self.place, timeout=300)
        self.place.kubectl.apply(course.version.manifests())
        for phase in course.phases:
            self.strikes(phase, partial(reached, release, phase))
        return release.finished()

    def strikes(self, phase: str, there: Callable[[], bool]) -> None:
        eventually(f"the phase {phase}", there, timeout=240, pause=0.05)
        self.struck.append(time.time())
        self.kill(self.place, self.node)


def reached(release: Release, phase: str) -> bool:
    """Progressing means: with a share of the traffic."""
    if not release.look() or release.status.get("phase") != phase:
        return False
    return phase != "Progressing" or release.status.get("canaryWeight", 0) > 0


def assert_ended_well(release: Release, course: Course) -> None:
    """As if nobody had died: outcome, hashes, the pods that are left."""
    place, status = release.namespace, release.status
    assert release.outcome == course.outcome
    hashes = "failedHash" if course.version is V3 else "promotedHash"
    assert status[hashes] == status["observedHash"]
    eventually("the canary has no pods", lambda: not canary_pods(place), timeout=120)
    assert served(place) == {course.serves}


def canary_pods(place: Namespace) -> int:
    return int(place.read("Deployment", "shop")["status"].get("replicas", 0))


def renewed(place: Namespace) -> str:
    """When an agent last said that it leads."""
    return str(place.read("Lease", AGENT)["spec"]["renewTime"])


def avoidable(lost: Sequence[Answer], struck: Sequence[float]) -> list[Answer]:
    """Failures that a router's sudden death does not explain.

    Nobody can answer what was on its connections, nor what the Service still sends to its address
    until kubelet, endpoint controller and kube-proxy have heard of it: these clients got no answer
    at all, and they sent their request not later than UNROUTED_SECONDS after the death.
    """
    return [
        one
        for one in lost
        if one.status
        or not any(one.ended >= at and one.at <= at + UNROUTED_SECONDS for at in struck)
    ]
