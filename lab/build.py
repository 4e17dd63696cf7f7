"""Builds the lab's programs once into the user's cache folder, where every clone finds them."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lab.cgroups import WORK, entrance
from lab.layout import Layout
from lab.modules import MODULES, GoModule
from lab.report import LabError, say, step
from lab.shell import run, run_watched, within

ENVIRONMENT = {"CGO_ENABLED": "0", "GOWORK": "off", "GOOS": "linux"}


def folder_of(layout: Layout, module: GoModule) -> Path:
    return layout.cache / f"{module.name}-{module.key}"


def program(layout: Layout, name: str) -> Path:
    """The path of a program, built or not."""
    for module in MODULES.values():
        if name in module.packages:
            return folder_of(layout, module) / name
    raise LabError(f"no module has the program {name}")


def missing(layout: Layout, module: GoModule) -> bool:
    folder = folder_of(layout, module)
    return not all((folder / name).is_file() for name in module.packages)


def build_missing(layout: Layout) -> None:
    """What `up` needs; says so when nothing is to be done."""
    wanted = [module for module in MODULES.values() if module.wanted_by_up]
    lacking = [module for module in wanted if missing(layout, module)]
    if not lacking:
        say("programs: all in the cache")
        return
    for module in lacking:
        build(layout, module)


def build(layout: Layout, module: GoModule) -> None:
    require_go(module)
    folder = folder_of(layout, module)
    with only_one(layout.cache / f"{folder.name}.lock"):
        if not missing(layout, module):  # another clone built it while we waited
            return
        with step(f"built {', '.join(module.packages)}"):
            _build_into(layout, module, folder)


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """One process at a time fills a part of the cache."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build_into(layout: Layout, module: GoModule, folder: Path) -> None:
    """Go writes beside the final folder, which appears only when it is complete."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    log = layout.logs / f"build-{module.name}.log"
    say(f"building {module.name}: {', '.join(module.packages)} (log: {log})")
    start = ("go", "-C", str(module.folder), "build", "-v", *module.flags)
    for name, package in module.packages.items():
        run_watched(
            within(entrance(layout, WORK), (*start, "-o", str(unfinished / name), package)),
            log=log,
            env=ENVIRONMENT,
            progress=partial(_progress, name, log),
        )
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def _progress(name: str, log: Path) -> str:
    lines = log.read_bytes().count(b"\n")
    return f"{name}: {lines} packages compiled"


def require_go(module: GoModule) -> None:
    """Go itself says so when it is older than the module asks for."""
    if shutil.which("go") is None:
        raise LabError("Go is needed to build the node's programs, and there is no `go` on PATH")
    run(("go", "-C", module.folder, "env", "GOVERSION"))
