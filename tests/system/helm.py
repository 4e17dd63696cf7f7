"""Helm as a team runs it, with the chart beside this file."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.kubectl import Said
from demo.shop import image
from lab import build
from lab.layout import this_project

CHART = Path(__file__).parent / "chart"


def program() -> str:
    """The lab's own, else the one of the machine."""
    own = build.program(this_project(), "helm")
    found = str(own) if own.is_file() else shutil.which("helm")
    if found is None:
        pytest.skip("there is no helm: python -m lab build helm, or one on PATH")
    return found


@dataclass(frozen=True)
class Helm:
    """Keeps what it writes for itself in `home`."""

    namespace: str
    home: Path

    def __call__(self, *words: str, timeout: float = 300) -> Said:
        """A call that must succeed."""
        homes = {f"HELM_{one}_HOME": str(self.home) for one in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            (program(), "--namespace", self.namespace, *words),
            env={**os.environ, **homes},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"helm {' '.join(words)}: {done.stderr or done.stdout}"
        return Said(done.returncode, done.stdout, done.stderr)

    def install(self, release: str, **values: str) -> Said:
        return self("install", release, str(CHART), *given(values), "--wait", "--timeout=240s")

    def upgrade(self, release: str, **values: str) -> Said:
        return self("upgrade", release, str(CHART), *given(values), "--wait", "--timeout=240s")

    def manifest(self, release: str) -> str:
        """What Helm has kept of a release."""
        return self("get", "manifest", release).output


def given(values: dict[str, str]) -> list[str]:
    known = {"image": image("shop"), **values}
    return [f"--set={key}={value}" for key, value in known.items()]
