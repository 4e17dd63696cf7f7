"""The table of Flagger's features: each row shows a test that is there, and the file is written."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from delivery.api.built import SPEC, VALUES, Built
from delivery.providers import PROVIDERS
from delivery.schema import unbuilt
from docs.compatibility import Row, Section, main, problems, sections, stale, text
from manifests.generate import CRDS
from tests.documents import document

HERE = "tests/test_compatibility.py"
THIS = f"{HERE}::test_every_row_names_a_test_that_is_there"


def test_every_row_names_a_test_that_is_there() -> None:
    assert list(problems(sections())) == []


def test_the_written_table_is_what_the_data_gives() -> None:
    assert not stale(), "write it anew: python -m docs.compatibility"


def spec_of(plural: str) -> Mapping[str, Any]:
    """The schema of `spec`."""
    (version,) = document(CRDS / f"{plural}.yaml")["spec"]["versions"]
    found: Mapping[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


def beyond(path: str, schema: Mapping[str, Any], built: Built) -> Iterator[str]:
    """Fields of the API that are not built."""
    for name, field in schema["properties"].items():
        if name not in built:
            yield f"{path}.{name}"
        elif (inner := built[name]) is not None:
            yield from beyond(f"{path}.{name}", field.get("items", field), inner)


def unknown_values(spec: Mapping[str, Any]) -> Iterator[str]:
    """Values of fields that are not built, while others are."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
    for value in spec["properties"]["provider"]["enum"]:
        if unbuilt({"spec": {"targetRef": target, "provider": value}}):
            yield f"spec.provider={value}"
    for value in spec["properties"]["targetRef"]["properties"]["kind"]["enum"]:
        if unbuilt({"spec": {"targetRef": {**target, "kind": value}}}):
            yield f"spec.targetRef.kind={value}"
    for path, built in VALUES.items():
        schema = functools.reduce(lambda one, key: one["properties"][key], ("service", *path), spec)
        for value in schema["enum"]:
            if value not in built:
                yield f"{'.'.join(('spec.service', *path))}={value}"


def test_the_fields_that_are_not_built_are_just_those_that_halt_a_release() -> None:
    spec = spec_of("canaries")
    kinds = spec_of("metrictemplates")["properties"]["provider"]["properties"]["type"]["enum"]
    halting = {
        *beyond("spec", spec, SPEC),
        *unknown_values(spec),
        *(f"MetricTemplate.spec.provider.type={one}" for one in kinds if one not in PROVIDERS),
    }
    told = [field for section in sections() for row in section.rows for field in row.halts]
    assert halting - set(told) == set(), "no row says that they halt a release"
    assert set(told) - halting == set(), "they are built: say so, and name the test"
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (Row("weights"), "weights: names no test; name one, or say what is missing"),
        *(
            (Row("weights", (test,)), f"weights: {test} does not exist; name a test function")
            for test in (
                f"{HERE}::test_nothing",
                "tests/test_nowhere.py::test_nothing",
                "README.md::test_nothing",
                f"{HERE}::section",
                HERE,
            )
        ),
        (Row("weights", (THIS, f"{HERE}::test_gone")), f"weights: {HERE}::test_gone does not"),
    ],
)
def test_a_row_without_its_test_is_told(row: Row, problem: str) -> None:
    (found,) = problems([Section("Strategies", (row,))])
    assert found.startswith(problem)


def test_a_feature_stands_there_once() -> None:
    built, missing = Row("weights", (THIS,)), Row("weights", missing="it halts.")
    assert list(problems([Section("a", (built,)), Section("b", (missing,))])) == [
        "weights: stands there twice"
    ]


def test_a_row_shows_its_tests_and_what_is_otherwise() -> None:
    rows = (
        Row("weights", (THIS,), differs="They end at 50."),
        Row("mirror", halts=("spec.mirror",)),
        Row("mesh", halts=("spec.mesh", "spec.side"), missing="use none."),
        Row("load tester", missing="use another."),
    )
    found = text([Section("Strategies", rows)])
    name = THIS.partition("::")[2]
    assert f"| weights | [`{name}`](../{HERE}) | They end at 50. |" in found
    assert "| mirror | – | **Not built:** `spec.mirror` halts a release. |" in found
    assert (
        "| mesh | – | **Not built:** `spec.mesh`, `spec.side` halt a release: use none. |" in found
    )
    assert "| load tester | – | **Not built:** use another. |" in found
    assert (
        "4 features: 1 are built, 1 of them differ on purpose; 3 are not built.\n0 are seen"
        in found
    )


NODE = "tests/system/test_pipeline.py::test_a_job_ends_with_the_outcome_of_its_own_release"
SOAK = "tests/system/test_pipeline.py::test_a_job_that_runs_again_gets_the_same_answer"
HELM = "tests/system/test_helm.py::test_a_chart_is_released_and_rolled_back_by_helm"
"""Its whole module is marked."""


def test_what_only_long_tests_show_is_marked_and_counted_apart() -> None:
    rows = (Row("weights", (NODE, SOAK)), Row("jobs", (THIS, SOAK)), Row("charts", (HELM,)))
    found = text([Section("Strategies", rows)])
    assert "3 are seen on a real Kubernetes node" in found
    assert "marked node), 2 of them in long tests alone" in found
    for test, mark in ((NODE, "(node)"), (SOAK, "(node, soak)"), (HELM, "(node, soak)")):
        path, _, name = test.partition("::")
        assert f"[`{name}`](../{path}) {mark}" in found


def test_the_table_can_be_looked_at_first(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--print"])
    assert capsys.readouterr().out == text(sections())
