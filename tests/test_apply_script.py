"""examples/apply.sh against a kubectl that only tells what a cluster would."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "examples" / "apply.sh"
KUBECTL = """#!/bin/sh
shift 2
cd "$STATE"
echo "$*" >>calls
case "$*" in
*annotations.outrider*canary*) cat canary ;;
"get deployment"*) [ -e applied ] && cat after || cat before ;;
apply*) touch applied ;;
rollout*) exit "$(cat rollout)" ;;
wait*) exit "$(cat wait)" ;;
*status.release*) cat release ;;
*status.outcomes*) cat outcome ;;
*status.message*) echo "success rate 0.00% < 99%" ;;
esac
"""
OLD, NEW = '{"image":"shop:1"}', '{"image":"shop:2"}'


@dataclass(frozen=True)
class Cluster:
    """What is there before the apply and after it, and how the release ends."""

    before: str
    after: str
    outcome: str = "promoted"
    release: str = "7"
    wait: int = 0
    rollout: int = 0
    canary: str = ""


def run(folder: Path, cluster: Cluster) -> tuple[int, str, str]:
    """Exit status, what was written, and the calls of kubectl."""
    for name, value in vars(cluster).items():
        (folder / name).write_text(str(value))
    (folder / "kubectl").write_text(KUBECTL)
    (folder / "kubectl").chmod(0o755)
    environment = {"STATE": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}
    words = ("sh", str(SCRIPT), "web", "shop", "a b.yaml", "c.yaml")
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=10)
    return done.returncode, done.stdout + done.stderr, (folder / "calls").read_text()


@pytest.mark.parametrize("release", ["7", "8"])
@pytest.mark.parametrize(
    ("outcome", "status"), [("promoted", 0), ("refused", 1), ("superseded", 1)]
)
def test_a_release_ends_well_only_if_it_is_promoted(
    tmp_path: Path, outcome: str, status: int, release: str
) -> None:
    cluster = Cluster(f"6\n{OLD}", f"7\n{NEW}", outcome, release)
    ended, said, calls = run(tmp_path, cluster)
    assert (ended, f"release 7 was {outcome}" in said) == (status, True)
    assert "apply -f a b.yaml -f c.yaml" in calls
    assert "canary/shop --for=jsonpath={.status.outcomes.7} --timeout=600s" in calls
    assert ("success rate 0.00% < 99%" in said) == bool(status)


def test_what_slipped_past_admission_is_not_taken_for_the_release_before(tmp_path: Path) -> None:
    ended, said, calls = run(tmp_path, Cluster(f"7\n{OLD}", f"7\n{NEW}"))
    assert ended == 1
    assert "no number of its own (the last one is 7): admission was away" in said
    assert "wait" not in calls


def test_nor_is_it_when_the_job_runs_again(tmp_path: Path) -> None:
    """What slipped and was taken up has no number in the Canary's status."""
    ended, said, _ = run(tmp_path, Cluster(f"7\n{NEW}", f"7\n{NEW}", release=""))
    assert (ended, "no number of its own" in said) == (1, True)


def test_a_job_that_runs_again_gets_the_same_answer(tmp_path: Path) -> None:
    assert run(tmp_path, Cluster(f"7\n{NEW}", f"7\n{NEW}"))[0] == 0
    assert run(tmp_path, Cluster(f"7\n{NEW}", f"7\n{NEW}", "refused"))[0] == 1


def test_a_release_that_does_not_end_is_no_success(tmp_path: Path) -> None:
    ended, said, _ = run(tmp_path, Cluster(f"6\n{OLD}", f"7\n{NEW}", wait=1))
    assert (ended, "release 7 has not ended in 600s" in said) == (1, True)


def test_a_canary_of_another_name_is_waited_for(tmp_path: Path) -> None:
    cluster = Cluster(f"6\n{OLD}", f"7\n{NEW}", canary="weekly")
    assert "wait canary/weekly" in run(tmp_path, cluster)[2]


@pytest.mark.parametrize("rollout", [0, 1])
@pytest.mark.parametrize("before", ["", f"\n{OLD}"], ids=["its first deploy", "not managed"])
def test_without_a_number_the_rollout_is_waited_for(
    tmp_path: Path, before: str, rollout: int
) -> None:
    ended, _, calls = run(tmp_path, Cluster(before, f"\n{NEW}", rollout=rollout))
    assert ended == rollout
    assert "rollout status deployment/shop --timeout=600s" in calls
