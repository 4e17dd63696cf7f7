"""The lab's branch in every cgroup hierarchy: what runs below it is the lab's, nothing else is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lab.layout import Layout
from lab.report import LabError

DAEMONS = "daemons"
WORK = "work"
HEAVY = 4
"""How many busy programs of the machine all pods together may stand up to. The node's own programs
and the tests are beside the branch, each with the weight of all of it: pods would starve."""


def _mounted(kind: str) -> tuple[Path, ...]:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return tuple(Path(words[1]) for words in mounts if words[2] == kind)


def hierarchies() -> tuple[Path, ...]:
    """The trees with the controllers in them: several on version 1, one on version 2."""
    return _mounted("cgroup") or _mounted("cgroup2")


def unified() -> bool:
    return not _mounted("cgroup")


def roots(layout: Layout) -> tuple[Path, ...]:
    return tuple(tree / layout.name for tree in hierarchies())


def all_roots(layout: Layout) -> tuple[Path, ...]:
    """With the bare version 2 tree that may stand beside version 1: runc uses it as well."""
    return tuple(tree / layout.name for tree in (*_mounted("cgroup"), *_mounted("cgroup2")))


def create(layout: Layout) -> None:
    for root in roots(layout):
        if unified():
            _hand_down_controllers(root.parent)
        root.mkdir(exist_ok=True)
        _copy_cpuset(root)
        _make_heavy(root)
        if unified():
            _hand_down_controllers(root)
        for leaf in (DAEMONS, WORK):
            (root / leaf).mkdir(exist_ok=True)
            _copy_cpuset(root / leaf)


def _hand_down_controllers(folder: Path) -> None:
    """Version 2: a child has only the controllers that its parent hands down."""
    names = (folder / "cgroup.controllers").read_text().split()
    try:
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in names))
    except OSError as refused:
        raise LabError(
            f"the controllers of {folder} cannot be handed down ({refused.strerror}): "
            "processes stand in that cgroup itself; run the lab from the machine's root cgroup"
        ) from refused


def _copy_cpuset(folder: Path) -> None:
    """Version 1: a new cpuset is empty, and no process may enter an empty one."""
    for name in ("cpuset.mems", "cpuset.cpus"):
        path = folder / name
        if path.exists() and not unified() and not path.read_text().strip():
            path.write_text((folder.parent / name).read_text())


def _make_heavy(folder: Path) -> None:
    for name, usual in (("cpu.shares", 1024), ("cpu.weight", 100)):
        path = folder / name
        if path.exists():
            path.write_text(str(usual * HEAVY))


def entrance(layout: Layout, leaf: str) -> Path:
    """The file to which a process writes its pid to be of the lab; one hierarchy is enough."""
    trees = {tree.name: tree for tree in hierarchies()}
    tree = trees.get("pids", next(iter(trees.values())))
    return tree / layout.name / leaf / "cgroup.procs"


def pids(layout: Layout) -> set[int]:
    found: set[int] = set()
    for root in all_roots(layout):
        for listing in root.rglob("cgroup.procs"):
            with suppress(OSError):  # a cgroup that goes away while we look has no processes
                found.update(map(int, listing.read_text().split()))
    return found - {0, os.getpid()}


def kill_all(layout: Layout, *, seconds: float = 8) -> int:
    """SIGKILL until nothing is left: what forks meanwhile is met in the next round."""
    killed: set[int] = set()
    deadline = time.monotonic() + seconds
    while alive := pids(layout):
        if time.monotonic() > deadline:
            raise LabError(f"these processes do not end: {sorted(alive)}")
        for pid in alive:
            _kill_member(layout, pid)
        killed |= alive
        time.sleep(0.05)
    return len(killed)


def _kill_member(layout: Layout, pid: int) -> None:
    """Through a handle, and asked for its cgroup again: the number may be another's by now."""
    with suppress(ProcessLookupError, FileNotFoundError):
        handle = os.pidfd_open(pid)
        try:
            if layout.name in Path(f"/proc/{pid}/cgroup").read_text():
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)


def remove(layout: Layout) -> None:
    """Deepest first; the kernel may need a moment after the last process has gone."""
    for root in all_roots(layout):
        deadline = time.monotonic() + 3
        while root.exists():
            for folder in _deepest_first(root):
                with suppress(OSError):
                    folder.rmdir()
            if root.exists() and time.monotonic() > deadline:
                raise LabError(f"the cgroup {root} cannot be removed")
            time.sleep(0.02)


def _deepest_first(root: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(root, topdown=False):
        yield Path(folder)
