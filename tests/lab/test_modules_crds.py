"""The CRDs of others: fetched once, then read from the cache, which needs no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import crds
from lab.crds import PUBLISHED
from lab.layout import Layout


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_what_is_in_the_cache_is_not_fetched_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path, tmp_path / "cache")
    folder = layout.cache / f"crds-{name}-{PUBLISHED[name].version}"
    folder.mkdir(parents=True)
    (folder / "kinds.yaml").write_text("kind: CustomResourceDefinition\n")
    monkeypatch.setenv("PATH", str(tmp_path))  # no Go there
    assert crds.files(layout, name) == [folder / "kinds.yaml"]
