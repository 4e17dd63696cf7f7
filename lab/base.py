"""Makes the base image's root file system from Debian packages, without what no program reads."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.cgroups import WORK, entrance
from lab.layout import Layout
from lab.shell import run, run_watched, within

SUITE = "bookworm"
PACKAGES = ("bash", "ca-certificates", "python3", "python3-venv")
LEFT_OUT = (
    "./var/cache/*",
    "./var/lib/apt/*",
    "./var/log/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./proc/*",
    "./sys/*",
    "./dev/*",
)
# Everything that decides the content, for the image's hash.
RECIPE = "\n".join((SUITE, *PACKAGES, *LEFT_OUT))


def write_rootfs(layout: Layout, archive: Path, *, architecture: str | None = None) -> None:
    """Of this machine's architecture, or of another that the kernel can run."""
    root = layout.work / "rootfs"
    shutil.rmtree(root, ignore_errors=True)
    other = [f"--arch={architecture}"] if architecture else []
    options = (*other, "--variant=minbase", f"--include={','.join(PACKAGES)}")
    command: tuple[str | Path, ...] = ("debootstrap", *options, SUITE, root)
    run_watched(
        within(entrance(layout, WORK), command),
        log=layout.logs / "debootstrap.log",
        progress=lambda: "debootstrap is at work",
    )
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    run(("tar", "-C", root, *excluded, "-cf", archive, "."), seconds=300)
    shutil.rmtree(root)
