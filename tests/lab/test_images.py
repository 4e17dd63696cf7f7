"""When an image is built again, and what of it is sent to the node."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from lab import archive
from lab.buildah import pip_settings
from lab.images import DOCKERFILES, copied, image_now
from lab.oci import KEPT, REFERENCE, Json, Store, newest
from lab.report import LabError

PROJECT = Path(__file__).parents[2]
DOCKERFILE = """\
ARG BASE
FROM ${BASE} AS one
COPY requirements/a.txt setup.cfg /tmp/
FROM ${BASE}
COPY --from=one /opt /opt
COPY app /app
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        DOCKERFILES["base"]: "FROM scratch\n",
        DOCKERFILES["webhook"]: "FROM x\nCOPY code /code\n",
        "code/main.py": "print()\n",
        "code/__pycache__/main.pyc": "",
        "notes.txt": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_copied_sources_are_read_from_the_dockerfile() -> None:
    assert copied(DOCKERFILE) == ["requirements/a.txt", "setup.cfg", "app"]


@pytest.mark.parametrize("name", ["code/main.py", "Dockerfile.webhook", DOCKERFILES["base"]])
def test_a_changed_input_makes_another_image(project: Path, name: str) -> None:
    before = image_now(project, "webhook").inputs
    with (project / name).open("a") as file:
        file.write("# changed\n")
    assert image_now(project, "webhook").inputs != before


@pytest.mark.parametrize("name", ["notes.txt", "code/__pycache__/main.pyc"])
def test_a_file_that_is_no_input_changes_nothing(project: Path, name: str) -> None:
    before = image_now(project, "webhook").inputs
    (project / name).write_text("changed")
    os.utime(project / "code/main.py")
    assert image_now(project, "webhook").inputs == before


def test_a_source_that_does_not_exist_is_named(project: Path) -> None:
    (project / "Dockerfile.webhook").write_text("FROM x\nCOPY nowhere /code\n")
    with pytest.raises(LabError, match="nowhere"):
        image_now(project, "webhook")


def test_the_environment_wins_over_pips_files() -> None:
    listing = "global.cert='/a'\nglobal.index-url='https://i'\n:env:.cert='/b'\n"
    assert pip_settings(listing) == {"cert": "/b", "index-url": "https://i"}


def entry(state: str, digest: str = "sha256:0") -> Json:
    return {"digest": digest, "annotations": {REFERENCE: state}}


def test_only_the_last_states_of_an_image_are_kept() -> None:
    states = [entry(f"web-hook-{number}") for number in range(KEPT + 2)]
    assert newest([*states, entry("agent-1")]) == [*states[2:], entry("agent-1")]


def store_with(folder: Path, *, digest: str) -> Store:
    store = Store(folder)
    for name, text in {
        digest: json.dumps({"config": {"digest": "sha256:c"}, "layers": [{"digest": "sha256:l"}]}),
        "sha256:c": "config",
        "sha256:l": "layer",
        "sha256:old": "of no image",
    }.items():
        store.blob(name).parent.mkdir(parents=True, exist_ok=True)
        store.blob(name).write_text(text)
    index = {"manifests": [entry("agent-1", digest)]}
    (folder / "index.json").write_text(json.dumps(index))
    return store


def test_blobs_of_no_image_are_pruned(tmp_path: Path) -> None:
    store = store_with(tmp_path, digest="sha256:m")
    store.prune()
    left = {path.name for path in tmp_path.glob("blobs/*/*")}
    assert left == {"m", "c", "l"}


def test_an_import_holds_only_the_blobs_that_are_lacking(tmp_path: Path) -> None:
    store = store_with(tmp_path / "store", digest="sha256:m")
    found = store.find("agent-1")
    assert found is not None
    store.write_archive(found, name="x:lab", lacking=["sha256:l"], to=tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getnames() == ["oci-layout", "index.json", "blobs/sha256/l"]


def test_an_index_that_was_cut_off_means_a_new_beginning(tmp_path: Path) -> None:
    store = store_with(tmp_path / "store", digest="sha256:m")
    (store.folder / "index.json").write_text("{")
    assert store.find("agent-1") is None
    assert not store.folder.exists()


def test_the_image_of_a_static_program_names_its_layer_by_digest(tmp_path: Path) -> None:
    (tmp_path / "pause").write_text("program")
    archive.write(tmp_path / "a.tar", program=tmp_path / "pause", name="pause:lab")
    with tarfile.open(tmp_path / "a.tar") as tar:
        config = json.load(tar.extractfile("config.json") or pytest.fail("no config.json"))
    assert config["rootfs"]["diff_ids"][0].startswith("sha256:")


@pytest.mark.parametrize("name", ["webhook", "agent"])
def test_the_final_stage_runs_nothing_and_is_not_root(name: str) -> None:
    final = (PROJECT / DOCKERFILES[name]).read_text().split("\nFROM ")[-1]
    assert "RUN" not in final
    assert "USER 65532:65532" in final
