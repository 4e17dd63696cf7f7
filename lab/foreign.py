"""Builds our images for another kind of processor, under emulation, and starts what is in them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import base, cluster, packages
from lab.buildah import Builder, builder
from lab.images import DOCKERFILES, image_now
from lab.layout import Layout
from lab.report import LabError, say, step
from lab.shell import run, run_watched

ARCHITECTURE, MACHINE = "arm64", "aarch64"
PROGRAMS = ("webhook", "agent")
EMULATOR = "qemu-user-static"
HANDLER = f"qemu-{MACHINE}"
DESCRIPTION = Path(f"/usr/lib/binfmt.d/{HANDLER}.conf")
"""How Debian's package would have the kernel recognise the other processor's programs."""


def check(layout: Layout) -> None:
    """An image that cannot be built, or whose program does not start, is a LabError."""
    if not cluster.intact(layout):
        raise LabError("not up; `python -m lab up` first")
    layout.work.mkdir(parents=True, exist_ok=True)
    _install(layout)
    with _emulated(layout):
        maker = builder(layout)
        below = _base(layout, maker)
        for name in PROGRAMS:
            image = f"localhost/outrider/{name}:{ARCHITECTURE}"
            with step(f"image {name} for {ARCHITECTURE}: built"):
                maker.build(
                    layout.project / DOCKERFILES[name],
                    name=image,
                    context=layout.project,
                    base=below,
                    architecture=ARCHITECTURE,
                )
            with step(f"image {name} for {ARCHITECTURE}: its program starts"):
                _start(maker, image, name)


def _install(layout: Layout) -> None:
    if DESCRIPTION.exists():
        return
    say(f"installing the Debian package {EMULATOR}")
    for words in (("update",), ("install", "--no-install-recommends", EMULATOR)):
        run_watched(
            (*packages.APT, *words), log=layout.logs / "apt.log", env=packages.APT_ENVIRONMENT
        )


@contextmanager
def _emulated(layout: Layout) -> Iterator[None]:
    """The kernel hands the other processor's programs to the emulator, as long as this lasts."""
    table = layout.work / "binfmt"
    table.mkdir(exist_ok=True)
    run(("mount", "-t", "binfmt_misc", "binfmt_misc", table))
    handler = table / HANDLER
    ours = not handler.exists()
    try:
        if ours:
            (table / "register").write_text(DESCRIPTION.read_text())
        yield
    finally:
        if ours and handler.exists():
            handler.write_text("-1")
        run(("umount", table))


def _base(layout: Layout, maker: Builder) -> str:
    name = f"localhost/outrider/base:{ARCHITECTURE}-{image_now(layout.project, 'base').inputs}"
    if maker.has(name):
        return name
    context = layout.work / f"base-{ARCHITECTURE}"
    context.mkdir(exist_ok=True)
    with step(f"image base for {ARCHITECTURE}: built"):
        base.write_rootfs(layout, context / "rootfs.tar", architecture=ARCHITECTURE)
        dockerfile = layout.project / DOCKERFILES["base"]
        maker.build(dockerfile, name=name, context=context, base=None, architecture=ARCHITECTURE)
    shutil.rmtree(context)
    return name


def _start(maker: Builder, image: str, name: str) -> None:
    container = run(maker.command("from", "--pull=never", image), seconds=300).strip()
    try:
        inside = maker.command("run", "--isolation=chroot", container, "--", "python")
        asked = "import platform; print(platform.machine())"
        machine = run((*inside, "-c", asked), seconds=300).strip()
        if machine != MACHINE:
            raise LabError(f"{image} is of {machine}, not of {MACHINE}")
        run((*inside, "-m", name, "--help"), seconds=600)
    finally:
        run(maker.command("rm", container))
