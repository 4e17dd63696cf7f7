"""The lab's images: built when something in them changed, kept in the cache, given to the node."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import base, cluster
from lab.buildah import Builder, builder
from lab.layout import Layout
from lab.oci import Store
from lab.report import LabError, say, step
from lab.shell import run

BASE = "base"
DOCKERFILES: Mapping[str, str] = {
    BASE: "lab/images/base/Dockerfile",
    "envoy": "lab/images/envoy/Dockerfile",
    "prometheus": "lab/images/prometheus/Dockerfile",
    "webhook": "Dockerfile.webhook",
    "agent": "Dockerfile.agent",
    "shop": "examples/shop/Dockerfile",
}
NAMES = tuple(DOCKERFILES)


@dataclass(frozen=True)
class Image:
    """An image at one state of its inputs."""

    name: str
    dockerfile: Path
    inputs: str
    base: Image | None

    @property
    def reference(self) -> str:
        return f"localhost/outrider/{self.name}:lab"

    @property
    def exact(self) -> str:
        """The name in the store of layers, where several states stand side by side."""
        return f"localhost/outrider/{self.name}:{self.inputs}"

    @property
    def state(self) -> str:
        """The name in the cache."""
        return f"{self.name}-{self.inputs}"


def bring(layout: Layout, names: Sequence[str] = ()) -> None:
    """All images, or the named ones, as containerd images of the running node."""
    if not cluster.intact(layout):
        raise LabError("not up; `python -m lab up` first")
    if unknown := set(names) - set(NAMES):
        raise LabError(f"no image {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    layout.work.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        if not (layout.project / DOCKERFILES[name]).exists():
            say(f"image {name}: skipped, there is no {DOCKERFILES[name]} yet")
            continue
        image = image_now(layout.project, name)
        if _imported(layout).get(name) == image.inputs:
            say(f"image {name}: unchanged")
            continue
        with step(f"image {name}: brought as {image.reference}"):
            _import(layout, image)


def image_now(project: Path, name: str) -> Image:
    dockerfile = project / DOCKERFILES[name]
    below = None if name == BASE else image_now(project, BASE)
    digest = hashlib.sha256(dockerfile.read_bytes())
    digest.update((below.inputs if below else base.RECIPE).encode())
    for path in input_files(project, dockerfile.read_text()) if below else ():
        digest.update(f"{path.relative_to(project)}\0{path.stat().st_mode}\0".encode())
        digest.update(path.read_bytes())
    return Image(name, dockerfile, digest.hexdigest()[:16], below)


def input_files(project: Path, dockerfile: str) -> list[Path]:
    """What the Dockerfile copies from the project; what Python itself caches there is no input."""
    files = (found for source in copied(dockerfile) for found in _files(project / source))
    return sorted(path for path in files if "__pycache__" not in path.parts)


def copied(dockerfile: str) -> list[str]:
    """The sources of all COPY lines, without those from another stage."""
    lines = [line.split() for line in dockerfile.splitlines()]
    copies = [words[1:-1] for words in lines if words[:1] == ["COPY"]]
    return [source for words in copies if not words[0].startswith("--from") for source in words]


def _files(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield from (path for path in source.rglob("*") if path.is_file())
    elif source.exists():
        yield source
    else:
        raise LabError(f"a Dockerfile copies {source}, which does not exist")


def _record(layout: Layout) -> Path:
    """It stands beside containerd's own store, and goes with it."""
    return layout.disk / "images.json"


def _imported(layout: Layout) -> dict[str, str]:
    if not _record(layout).exists():
        return {}
    return dict(json.loads(_record(layout).read_text()))


def _import(layout: Layout, image: Image) -> None:
    """Only what containerd does not have yet is sent to it: mostly one small layer."""
    store = Store(layout.cache / "images")
    archive = layout.work / f"{image.name}.tar"
    with store.held():
        if store.find(image.state) is None:
            _build(layout, store, image)
        entry = store.find(image.state)
        if entry is None:
            raise LabError(f"buildah says that it pushed {image.state}, but the cache has no such")
        present = run(cluster.ctr(layout, "content", "list", "--quiet")).split()
        lacking = [digest for digest in store.blobs_of(entry) if digest not in present]
        store.write_archive(entry, name=image.reference, lacking=lacking, to=archive)
    run(cluster.ctr(layout, "images", "import", str(archive)), seconds=300)
    archive.unlink()
    record = json.dumps({**_imported(layout), image.name: image.inputs})
    unfinished = _record(layout).with_suffix(".unfinished")
    unfinished.write_text(record)
    unfinished.rename(_record(layout))


def layered(layout: Layout, name: str) -> tuple[Builder, Image]:
    """An image as it is now, in this clone's store of layers: built, or taken from the cache."""
    layout.work.mkdir(parents=True, exist_ok=True)
    store, image = Store(layout.cache / "images"), image_now(layout.project, name)
    with store.held():
        maker = builder(layout)
        _load(layout, store, maker=maker, image=image)
    return maker, image


def _build(layout: Layout, store: Store, image: Image) -> None:
    maker = builder(layout)
    if image.base is None:
        _build_base(layout, maker, image)
    else:
        _load(layout, store, maker=maker, image=image.base)
        below = image.base.exact
        maker.build(image.dockerfile, name=image.exact, context=layout.project, base=below)
    maker.push(image.exact, folder=store.folder, state=image.state)
    store.prune()


def _build_base(layout: Layout, maker: Builder, image: Image) -> None:
    context = layout.work / "base"
    context.mkdir(exist_ok=True)
    base.write_rootfs(layout, context / "rootfs.tar")
    maker.build(image.dockerfile, name=image.exact, context=context, base=None)
    shutil.rmtree(context)


def _load(layout: Layout, store: Store, *, maker: Builder, image: Image) -> None:
    if maker.has(image.exact):
        return
    if store.find(image.state) is None:
        _build(layout, store, image)
    else:
        maker.pull(image.exact, folder=store.folder, state=image.state)
