"""The images in the cache folder: one OCI layout for all clones, in which images share layers."""

from __future__ import annotations

import fcntl
import io
import json
import shutil
import tarfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
REFERENCE = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
# Older states serve whoever goes back and forth between two branches; more would fill the disk.
KEPT = 4


@dataclass(frozen=True)
class Store:
    """buildah writes into the folder; `held` keeps other clones away meanwhile."""

    folder: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def manifests(self) -> list[Json]:
        """The entries of the index; one that was cut off while written means a new beginning."""
        try:
            return list(json.loads((self.folder / "index.json").read_text())["manifests"])
        except FileNotFoundError:
            return []
        except json.JSONDecodeError:
            shutil.rmtree(self.folder)
            return []

    def find(self, reference: str) -> Json | None:
        for entry in self.manifests():
            if entry["annotations"][REFERENCE] == reference:
                return entry
        return None

    def blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "/")

    def blobs_of(self, entry: Json) -> list[str]:
        """The digests of the manifest itself, the configuration and the layers."""
        manifest = json.loads(self.blob(entry["digest"]).read_text())
        parts = (manifest["config"], *manifest["layers"])
        return [entry["digest"], *(part["digest"] for part in parts)]

    def write_archive(self, entry: Json, *, name: str, lacking: Collection[str], to: Path) -> None:
        """An archive for containerd that holds only the blobs that it lacks."""
        named = {**entry, "annotations": {CONTAINERD_NAME: name}}
        index = {"schemaVersion": 2, "manifests": [named]}
        with tarfile.open(to, "w") as tar:
            _add(tar, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}))
            _add(tar, "index.json", json.dumps(index))
            for digest in lacking:
                path = self.blob(digest)
                tar.add(path, arcname=str(path.relative_to(self.folder)))

    def prune(self) -> None:
        """Forget old states, and the blobs that no state needs any more."""
        kept = newest(self.manifests())
        unfinished = self.folder / "index.unfinished"
        unfinished.write_text(json.dumps({"schemaVersion": 2, "manifests": kept}))
        unfinished.rename(self.folder / "index.json")
        needed = {digest for entry in kept for digest in self.blobs_of(entry)}
        for path in self.folder.glob("blobs/*/*"):
            if f"{path.parent.name}:{path.name}" not in needed:
                path.unlink()
        for torn in self.folder.glob("oci-put-blob*"):  # of a push that was killed
            torn.unlink()


def newest(entries: Iterable[Json]) -> list[Json]:
    """The last states of each image (`name-inputs`), in the order in which they were written."""
    by_name: dict[str, list[Json]] = {}
    for entry in entries:
        name = entry["annotations"][REFERENCE].rpartition("-")[0]
        by_name.setdefault(name, []).append(entry)
    return [entry for states in by_name.values() for entry in states[-KEPT:]]


def _add(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    tar.addfile(entry, io.BytesIO(text.encode()))
