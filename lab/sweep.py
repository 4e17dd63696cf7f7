"""Removes every trace of a lab, whole or half made; it is found by where it is, not by name."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from lab import cgroups, network
from lab.layout import Layout
from lab.report import LabError
from lab.shell import run

CNI_RESULTS = Path("/var/lib/cni/results")
CONTAINER_LINKS = Path("/var/log/containers")


def sweep(layout: Layout) -> list[str]:
    """What was found and removed, for the report; an empty list means there was nothing."""
    found: list[str] = []
    if killed := cgroups.kill_all(layout):
        found.append(f"{killed} processes")
    _remove_foreign_files(layout)
    if mounts := unmount_all(layout):
        found.append(f"{mounts} mounts")
    if network.exists(layout):
        network.remove(layout)
        found.append("the network namespace")
    if any(root.exists() for root in cgroups.all_roots(layout)):
        cgroups.remove(layout)
        found.append("the cgroups")
    _remove_state(layout)
    return found


def mounts_below(folders: tuple[Path, ...], table: str) -> list[str]:
    """Mount points in or below the folders, the deepest first (`table`: /proc/self/mountinfo)."""
    points = [_unescaped(line.split()[4]) for line in table.splitlines()]
    inside = [p for p in points if any(Path(p).is_relative_to(folder) for folder in folders)]
    return sorted(inside, key=lambda point: point.count("/"), reverse=True)


def _unescaped(point: str) -> str:
    """The kernel writes blanks and backslashes in octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point


def _mounts(layout: Layout) -> list[str]:
    return mounts_below((layout.state, layout.short), Path("/proc/self/mountinfo").read_text())


def unmount_all(layout: Layout) -> int:
    """Lazily: a mount that something still looks into goes when that something goes."""
    count = 0
    while points := _mounts(layout):
        run(("umount", "--lazy", "--no-canonicalize", *points))
        count += len(points)
    return count


def _remove_foreign_files(layout: Layout) -> None:
    """What shims, CNI and the kubelet write to folders of the whole machine, come what may.

    Which of the files there are ours stands in containerd's state: so this comes before its end.
    """
    state = layout.short / "containerd"
    for note in state.glob("io.containerd.runtime.v2.task/*/*/address"):
        with suppress(OSError):
            Path(note.read_text().removeprefix("unix://")).unlink()
    for sandbox in state.glob("io.containerd.grpc.v1.cri/sandboxes/*"):
        for result in CNI_RESULTS.glob(f"*-{sandbox.name}-*"):
            result.unlink(missing_ok=True)
    if CONTAINER_LINKS.is_dir():
        for link in CONTAINER_LINKS.iterdir():
            if link.is_symlink() and link.readlink().is_relative_to(layout.short):
                link.unlink(missing_ok=True)


def _remove_state(layout: Layout) -> None:
    """Everything but the logs and the caches; never through a mount."""
    if still := _mounts(layout):
        raise LabError(f"these are still mounted, nothing is deleted: {' '.join(still)}")
    for folder in (layout.run, layout.pki, layout.config, layout.disk, layout.work, layout.short):
        shutil.rmtree(folder, ignore_errors=True)
    layout.kubeconfig.unlink(missing_ok=True)
