"""The API server fills in a new default: every hash is another, and nothing has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import names
from delivery.canary import Phase, Status
from delivery.observation import Observation, Workload
from delivery.renaming import doubtful, renamed
from tests.delivery.histories import calmed, rested
from tests.delivery.reviews import Document
from tests.delivery.scenes import IDLE, JUDGED, NOW, PROMOTING, REFUSED, RELEASING, canary, half
from tests.delivery.turns import Agent
from tests.delivery.worlds import READY_AFTER, World, deployment, service
from tests.examples import costly

SPLIT = replace(REFUSED, canary_weight=50)
REVERTED = replace(REFUSED, observed="v1")
FRESH = replace(IDLE, phase=Phase.INITIALIZING)
NAMED = {"v1": "w1", "v2": "w2"}


def read(target: str, primary: str | None = None, *known: str, **changes: Any) -> Observation:
    """A look after the upgrade: what was v1 reads w1."""
    revisions: Mapping[str, Mapping[str, Any]] = {name: {} for name in (target, *known)}
    found = Observation(NOW, target=half(target), revisions=revisions)
    if primary is not None:
        found = replace(found, primary=half(primary), revisions={**revisions, primary: {}})
    return replace(found, **changes)


def announced(revision: str, **marks: str) -> Workload:
    found = half(revision)
    metadata = {**found.manifest["metadata"], "annotations": marks}
    return replace(found, manifest={**found.manifest, "metadata": metadata})


@pytest.mark.parametrize(
    ("status", "look", "expected"),
    [
        (IDLE, read("w1", "w1"), ("w1", "w1", "")),
        (IDLE, read("w1", "w1", names=NAMED), ("w1", "w1", "")),
        (IDLE, read("w3", "w1", "w1"), ("w1", "w1", "")),
        (RELEASING, read("w2", "w1", names=NAMED), ("w2", "w1", "")),
        (JUDGED, read("w2", "w1", names={"v2": "w2"}), ("w2", "w1", "")),
        (JUDGED, read("w3", "w1", "w2", names={**NAMED, "v3": "w3"}), ("w2", "w1", "")),
        (JUDGED, read("w2", "w1"), ("v2", "w1", "")),
        (REFUSED, read("w2", "w1", names=NAMED), ("w2", "w1", "w2")),
        (REVERTED, read("w1", "w1", names=NAMED), ("w1", "w1", "v2")),
        (SPLIT, read("w2", "w2", names=NAMED), ("w2", "w1", "w2")),
        (SPLIT, read("w2", "w2", names={"v2": "w2"}), ("w2", "v1", "w2")),
        (PROMOTING, read("w2", "w1", names={"v2": "w2"}), ("w2", "w1", "")),
        (PROMOTING, read("w2", "w2", names={"v2": "w2"}), ("w2", "v1", "")),
        (FRESH, read("w1", serving="w1"), ("w1", "w1", "")),
        (RELEASING, read("w2", names={"v2": "w2"}), ("w2", "v1", "")),
    ],
)
def test_what_was_known_is_known_by_its_new_name(
    status: Status, look: Observation, expected: tuple[str, str, str]
) -> None:
    found = renamed(canary(status), look).status
    assert (found.observed, found.promoted, found.failed) == expected


@pytest.mark.parametrize(("number", "expected"), [("7", "w2"), ("8", "x2"), (None, "x2")])
def test_a_second_upgrade_is_known_by_the_number_of_the_release(
    number: str | None, expected: str
) -> None:
    """Admission marked it v2, after the first upgrade it was x2."""
    status = replace(REFUSED, observed="x2", failed="x2", promoted="x1", release=7)
    marks = {names.ADMITTED: "v2"} | ({names.RELEASE: number} if number else {})
    found = replace(read("w2", "w1", names=NAMED), target=announced("w2", **marks))
    assert renamed(canary(status), found).status.observed == expected


@pytest.mark.parametrize(
    ("status", "look"),
    [
        (IDLE, read("v1", "v1")),
        (IDLE, read("v3", "v1", names=NAMED)),
        (IDLE, read("v1", "v3", names=NAMED)),
        (REFUSED, read("v3", "v1", names=NAMED)),
        (REFUSED, read("v2", "v3", names=NAMED)),
        (RELEASING, read("v3", "v3", "v2", names=NAMED)),
        (replace(IDLE, phase=Phase.TERMINATED), read("v9", "v9")),
        (Status(), read("w1", "w1")),
        (IDLE, Observation(NOW)),
    ],
)
def test_while_one_name_is_known_nothing_was_renamed(status: Status, look: Observation) -> None:
    assert renamed(canary(status), look) == canary(status)


@pytest.mark.parametrize(
    ("status", "look", "expected"),
    [
        (IDLE, read("v1", "v1"), set()),
        (IDLE, read("w1", "w1"), {"w1"}),
        (REFUSED, read("w2", "w1"), {"w1", "w2"}),
        (IDLE, read("v1", "w1"), {"w1"}),
        (IDLE, replace(read("v2"), target=announced("v2", **{names.ADMITTED: "v2"})), set()),
        (IDLE, replace(read("w1"), target=announced("w1", **{names.ADMITTED: "v1"})), {"w1"}),
        (replace(IDLE, phase=Phase.TERMINATED), read("w1", "w1"), set()),
        (IDLE, Observation(NOW), set()),
    ],
)
def test_a_revision_that_nobody_announced_is_in_doubt(
    status: Status, look: Observation, expected: set[str]
) -> None:
    assert doubtful(status, look) == expected


@dataclass
class Upgraded(World):
    """An API server that fills in so many fields that its first version did not know."""

    defaults: int = 0

    def put(self, wanted: Document, user: str = "jane", *, admission: bool = True) -> Document:
        stored = super().put(wanted, user, admission=admission)
        self.default(stored)
        return stored

    def upgrade(self) -> None:
        self.defaults += 1
        for one in (*self.deployments.values(), *self.sets):
            self.default(one)
        for pod in self.pods:
            self.fill(pod.template)
        for kept in self.kept.values():
            self.fill(kept["template"])

    def default(self, found: Document) -> None:
        if "template" in found["spec"]:
            found["spec"]["template"] = self.fill(found["spec"]["template"])

    def fill(self, template: Document) -> Document:
        added = {f"added{number}": True for number in range(self.defaults)}
        template["spec"] = {**template["spec"], **added}
        return template

    def roll(self, found: Document) -> None:
        """The ReplicaSet of a Deployment bears its annotations."""
        super().roll(found)
        if current := self.current(found):
            current["metadata"]["annotations"] = found["metadata"].get("annotations") or {}


def running() -> World:
    world = Upgraded()
    world.put(deployment())
    world.put(service())
    for _ in range(READY_AFTER + 1):
        world.pass_second()
    return world


@dataclass
class Course:
    """A release of one image, with an upgrade of the API server in some of its seconds."""

    upgrades: frozenset[int] = frozenset()
    image: str = "good:2"
    then: str = ""
    seen: list[Any] = field(default_factory=list)

    def run(self) -> Agent:
        world = running()
        agent = Agent(world)
        for second in range(100):
            if second in (15, 65) and (image := self.image if second == 15 else self.then):
                world.apply(image)
            if second in self.upgrades and isinstance(world, Upgraded):
                world.upgrade()
            agent.run(1)
            status = agent.canary.status
            self.seen.append((status.phase, status.canary_weight, status.scale, status.outcomes))
        return agent


@pytest.mark.many
@costly(3)
@given(
    st.sampled_from(["good:2", "bad:2", "crashing:2", "good:1"]),
    st.sampled_from(["", "good:3", "good:1"]),
    st.frozensets(st.integers(1, 90), min_size=1, max_size=2),
)
def test_an_upgrade_at_any_moment_changes_no_course(
    image: str, then: str, upgrades: frozenset[int]
) -> None:
    plain, upgraded = Course(frozenset(), image, then), Course(upgrades, image, then)
    plain.run()
    agent = upgraded.run()
    assert upgraded.seen == plain.seen
    assert agent.canary.status.promoted == agent.world.revision("web-primary")
    assert rested(calmed(agent))
