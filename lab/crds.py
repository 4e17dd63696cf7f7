"""CRDs that others publish, out of their Go modules: none of their text stands in this project."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.build import only_one
from lab.layout import Layout
from lab.report import LabError, step
from lab.shell import run


@dataclass(frozen=True)
class Published:
    """The files of one module at one version; the checksum is the one Go writes into go.sum."""

    module: str
    version: str
    checksum: str
    pattern: str

    @property
    def coordinates(self) -> str:
        return f"{self.module}@{self.version}"


PUBLISHED: Mapping[str, Published] = {
    "gateway-api": Published(
        "sigs.k8s.io/gateway-api",
        "v1.6.3",
        "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
        "config/crd/standard/*routes.yaml",
    ),
    "istio": Published(
        "istio.io/api",
        "v1.31.1",
        "h1:5Yb5ihcz4YQsCkciusK7DnFpBMwRB6EFWeUKH1Atuyk=",
        "kubernetes/customresourcedefinitions.gen.yaml",
    ),
}


def bring(layout: Layout) -> None:
    """All of them into the user's cache folder, where every clone finds them."""
    for name in PUBLISHED:
        files(layout, name)


def files(layout: Layout, name: str) -> list[Path]:
    """The files of one entry; fetched when they are not in the cache, which needs a network."""
    published = PUBLISHED[name]
    folder = layout.cache / f"crds-{name}-{published.version}"
    with only_one(layout.cache / f"{folder.name}.lock"):
        if not folder.is_dir():
            with step(f"fetched the CRDs of {published.coordinates}"):
                _fetch_into(folder, published)
    return sorted(folder.iterdir())


def _fetch_into(folder: Path, published: Published) -> None:
    """Copied beside the final folder, which appears only when it is complete."""
    found = sorted(_downloaded(published).glob(published.pattern))
    if not found:
        raise LabError(f"{published.coordinates} has no {published.pattern}")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for path in found:
        (unfinished / path.name).write_bytes(path.read_bytes())
    unfinished.rename(folder)


def _downloaded(published: Published) -> Path:
    """Where Go has unpacked the module."""
    command = ("go", "mod", "download", "-json", published.coordinates)
    answer = json.loads(run(command, seconds=600, env={"GOWORK": "off", "GOFLAGS": "-mod=mod"}))
    if answer["Sum"] != published.checksum:
        raise LabError(
            f"{published.coordinates} has the checksum {answer['Sum']},"
            f" and {published.checksum} was expected"
        )
    return Path(answer["Dir"])
