"""A pipeline applies and waits with the command that admission prints: its exit status is right."""

import random
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from delivery.names import HOLD, PAUSE, RELEASE
from demo.namespace import Namespace
from demo.shop import Shop
from demo.waiting import eventually
from tests.system.canaries import BAD, BETTER, GOOD, PATIENT, SMALL, canary, managed, reaches
from tests.system.jobs import Job, script, started
from tests.system.load import Load

ENDS = ("superseded", "refused")


def job(place: Namespace, shop: Shop) -> Job:
    """Applies, and runs what admission printed as it is printed."""
    said = place.kubectl.apply(shop.manifests()).errors
    (command,) = [line for line in said.splitlines() if "kubectl wait" in line]
    return started(command.removeprefix("Warning: "))


@pytest.mark.minutes
def test_a_job_ends_with_the_outcome_of_its_own_release(namespace: Namespace, load: Load) -> None:
    namespace.kubectl.apply([*SMALL.manifests(), canary("weekly")])
    namespace.complete()
    load(namespace, *PATIENT)
    namespace.opt_in()
    eventually("updates are held", lambda: on_hold(namespace), timeout=60, pause=0.05)
    assert job(namespace, BAD).status() == 1, "what was applied while the app was adopted"
    assert job(namespace, GOOD).status() == 0
    namespace.kubectl("annotate", "canary/weekly", f"{PAUSE}=true")
    replaced = job(namespace, BETTER)
    reaches(namespace, "Progressing", "weekly")
    refused = job(namespace, BAD)
    namespace.kubectl("annotate", "canary/weekly", f"{PAUSE}-")
    assert replaced.status() == 1
    assert refused.status() == 1
    outcomes = namespace.status("weekly")["outcomes"]
    assert [outcomes[number] for number in "1234"] == ["refused", "promoted", *ENDS]
    assert job(namespace, GOOD).status() == 0, "what serves was applied again"


@pytest.mark.soak
def test_a_job_that_runs_again_gets_the_same_answer(
    namespace: Namespace, load: Load, tmp_path: Path
) -> None:
    managed(namespace, canary())
    load(namespace, *PATIENT)
    assert script(namespace, SMALL, tmp_path).status() == 0
    assert script(namespace, BAD, tmp_path).status() == 1
    assert script(namespace, BAD, tmp_path).status() == 1


def test_an_update_without_a_number_of_its_own_ends_no_job_well(
    namespace: Namespace, tmp_path: Path
) -> None:
    """Here nobody admits anything: so it is, too, while the webhook is away."""
    assert script(namespace, SMALL, tmp_path).status() == 0, "its rollout has ended, unmanaged"
    namespace.kubectl("annotate", "deployment/shop", f"{RELEASE}=7")
    assert script(namespace, GOOD, tmp_path).status() == 1


def on_hold(place: Namespace) -> bool:
    return HOLD in place.read("Deployment", "shop")["metadata"].get("annotations", {})


@dataclass
class Pipeline:
    """Releases one after another, each with what its job must end with."""

    place: Namespace
    folder: Path
    serves: Shop = SMALL
    number: int = 10

    def next(self, *, good: bool) -> Shop:
        self.number += 1
        return replace(SMALL, version=f"v{self.number}", error_rate=0.0 if good else 1.0)

    def good(self) -> None:
        self.serves = self.next(good=True)
        assert job(self.place, self.serves).status() == 0

    def bad(self) -> None:
        assert job(self.place, self.next(good=False)).status() == 1

    def replaced(self) -> None:
        """At once or in mid-release: the job of the first may not end as the second does."""
        first = job(self.place, self.next(good=False))
        if self.number % 2:
            reaches(self.place, "Progressing")
        self.serves = self.next(good=True)
        assert job(self.place, self.serves).status() == 0
        assert first.status() == 1

    def reverted(self) -> None:
        first = job(self.place, self.next(good=True))
        assert job(self.place, self.serves).status() == 0
        assert first.status() == 1

    def late(self) -> None:
        """The next one comes while the first is promoted."""
        self.serves = self.next(good=True)
        first = job(self.place, self.serves)
        reaches(self.place, "Promoting")
        assert job(self.place, self.next(good=False)).status() == 1
        assert first.status() == 0

    def again(self) -> None:
        """Without the warnings, and twice."""
        shop = self.next(good=False)
        assert script(self.place, shop, self.folder).status() == 1
        assert script(self.place, shop, self.folder).status() == 1


@pytest.mark.soak
def test_fifty_rounds_good_and_bad_end_as_their_releases_do(
    namespace: Namespace, load: Load, tmp_path: Path
) -> None:
    managed(namespace, canary())
    load(namespace, *PATIENT)
    pipeline = Pipeline(namespace, tmp_path)
    chance = random.Random(50)
    rounds = [
        pipeline.good,
        pipeline.bad,
        pipeline.replaced,
        pipeline.reverted,
        pipeline.late,
        pipeline.again,
    ]
    for _ in range(50):
        chance.choice(rounds)()
