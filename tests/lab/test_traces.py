"""What `down` looks for, and how it knows a process again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lab import processes
from lab.layout import Layout, layout_of
from lab.processes import Record
from lab.sweep import mounts_below

TABLE = """\
22 27 0:21 / /proc rw - proc proc rw
30 27 8:1 /p/.lab/node /run/outrider-lab-1/node rw - ext4 /dev/a rw
31 30 0:40 / /run/outrider-lab-1/node/kubelet/pods/x/volumes/token rw - tmpfs tmpfs rw
32 27 0:41 / /run/outrider-lab-12/node rw - tmpfs tmpfs rw
33 27 0:42 / /srv/a\\040b/.lab/work rw - tmpfs tmpfs rw
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path, tmp_path / "cache")
    made.run.mkdir(parents=True)
    return made


def test_mounts_below_our_folder_are_found_deepest_first() -> None:
    assert mounts_below((Path("/run/outrider-lab-1"),), TABLE) == [
        "/run/outrider-lab-1/node/kubelet/pods/x/volumes/token",
        "/run/outrider-lab-1/node",
    ]


def test_a_blank_in_the_projects_path_is_read_as_the_kernel_writes_it() -> None:
    assert mounts_below((Path("/srv/a b/.lab"),), TABLE) == ["/srv/a b/.lab/work"]


def test_two_clones_share_no_name_and_no_path_outside_of_themselves() -> None:
    one, other = layout_of(Path("/one")), layout_of(Path("/other"))
    assert {one.name, one.short, one.netns}.isdisjoint({other.name, other.short, other.netns})
    assert one.cache == other.cache


def test_a_socket_path_stays_short_wherever_the_project_is() -> None:
    assert len(str(layout_of(Path("/" + "deep/" * 60)).containerd_socket)) < 100


def own_record() -> Record:
    return Record(os.getpid(), processes.start_time(os.getpid()) or 0, ("sleep", "1"))


def test_a_recorded_process_is_known_again(layout: Layout) -> None:
    processes._record(layout, "etcd", own_record())
    assert processes.alive(layout, "etcd") == own_record()


def test_a_pid_that_changed_hands_is_not_ours(layout: Layout) -> None:
    record = own_record()
    processes._record(layout, "etcd", replace(record, started=record.started - 1))
    assert processes.alive(layout, "etcd") is None
    assert processes.stop(layout, "etcd") is False


@pytest.mark.parametrize("text", ["", '{"pid": 1'])
def test_a_pid_file_that_was_cut_off_counts_as_none(layout: Layout, text: str) -> None:
    processes.pid_file(layout, "etcd").write_text(text)
    assert processes.alive(layout, "etcd") is None
