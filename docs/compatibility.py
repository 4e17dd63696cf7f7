"""Writes what there is of Flagger, with the tests that show it: `python -m docs.compatibility`."""

import argparse
import ast
import functools
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent
DATA, WRITTEN = HERE / "compatibility.yaml", HERE / "compatibility.md"
MADE = "<!-- Generated from compatibility.yaml by `python -m docs.compatibility`; edit that. -->\n"
ON_THE_NODE = "tests/system/"
LONG = "attr='soak'"
"""In the tree of a mark: such tests run by `make soak` alone."""
HALTS = (
    "tests/system/test_user_canary.py::test_fields_that_are_not_built_yet_are_listed_and_users_not_touched",
    "tests/system/test_user_canary.py::test_a_field_that_is_not_built_yet_halts_a_release_where_it_stands",
)


@dataclass(frozen=True)
class Row:
    """A feature of Flagger's, the tests that show it here, and what is otherwise."""

    feature: str
    tests: tuple[str, ...] = ()
    halts: tuple[str, ...] = ()
    missing: str = ""
    differs: str = ""

    @property
    def is_built(self) -> bool:
        return not self.halts and not self.missing

    @property
    def on_the_node(self) -> tuple[str, ...]:
        return tuple(test for test in self.tests if test.startswith(ON_THE_NODE))

    @property
    def is_seen_by_long_tests_alone(self) -> bool:
        return bool(self.on_the_node) and all(map(is_long, self.on_the_node))


@dataclass(frozen=True)
class Section:
    """Features that belong together."""

    title: str
    rows: tuple[Row, ...]


def sections() -> tuple[Section, ...]:
    written = yaml.safe_load(DATA.read_text())
    return tuple(Section(title, tuple(map(row, rows))) for title, rows in written.items())


def row(said: dict[str, Any]) -> Row:
    tests, halts = several(said.pop("test", ())), several(said.pop("halts", ()))
    return Row(tests=tests, halts=halts, **said)


def several(said: str | Sequence[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def problems(found: Sequence[Section]) -> Iterator[str]:
    """Rows that show nothing, or a test that is not there."""
    rows = [one for section in found for one in section.rows]
    for one in rows:
        if one.is_built and not one.tests:
            yield f"{one.feature}: names no test; name one, or say what is missing"
        for test in one.tests:
            if not exists(test):
                yield f"{one.feature}: {test} does not exist; name a test function as path::name"
    names = Counter(one.feature for one in rows)
    yield from (f"{name}: stands there twice" for name, count in names.items() if count > 1)


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    return name.startswith("test_") and name in functions(ROOT / path)


def is_long(test: str) -> bool:
    """Whether it runs in the soak alone: by its own mark, or by that of its module."""
    path, _, name = test.partition("::")
    return any(LONG in ast.dump(mark) for mark in marks(ROOT / path, name))


def marks(path: Path, test: str) -> Iterator[ast.expr]:
    """The decorators of a test, and what its module marks every test with."""
    for node in body(path):
        if isinstance(node, ast.FunctionDef) and node.name == test:
            yield from (one for one in node.decorator_list if not isinstance(one, ast.Call))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield node.value


def functions(path: Path) -> frozenset[str]:
    """The functions at the top of a module, which is where pytest finds tests here."""
    return frozenset(node.name for node in body(path) if isinstance(node, ast.FunctionDef))


@functools.cache
def body(path: Path) -> tuple[ast.stmt, ...]:
    if path.suffix != ".py" or not path.is_file():
        return ()
    return tuple(ast.parse(path.read_text(), filename=str(path)).body)


def text(found: Sequence[Section]) -> str:
    return "\n".join([MADE, *heading(found), *(line for one in found for line in table(one))])


def heading(found: Sequence[Section]) -> Iterator[str]:
    rows = [one for section in found for one in section.rows]
    built = [one for one in rows if one.is_built]
    seen = sum(bool(one.on_the_node) for one in built)
    long = sum(one.is_seen_by_long_tests_alone for one in built)
    differ = sum(bool(one.differs) for one in built)
    yield "# What there is of Flagger\n"
    yield (
        f"{len(rows)} features: {len(built)} are built, {differ} of them differ on purpose; "
        f"{len(rows) - len(built)} are not built.\n{seen} are seen on a real Kubernetes node "
        f"(the tests in `{ON_THE_NODE}`, marked node), {long} of them in long tests alone, which "
        "`make soak` runs and continuous integration does not (marked node, soak);\nthe others in "
        "tables, on loopback and in simulated histories.\n"
    )
    yield (
        "A field that is accepted and not built halts a release, before users are touched or where "
        f"it stands, and is named:\n{', '.join(map(link, HALTS))}.\n"
    )


def table(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n"
    yield "| feature of Flagger's | shown by | here |\n|---|---|---|"
    for one in section.rows:
        shown = ", ".join(map(link, one.tests)) or "–"
        yield f"| {one.feature} | {shown} | {' '.join(here(one))} |"
    yield ""


def here(one: Row) -> Iterator[str]:
    """What a reader has to know beside the feature's name."""
    if not one.is_built:
        yield "**Not built:**"
    if one.halts:
        fields = ", ".join(f"`{field}`" for field in one.halts)
        verb = "halts" if len(one.halts) == 1 else "halt"
        yield f"{fields} {verb} a release{':' if one.missing else '.'}"
    yield from (text for text in (one.missing, one.differs) if text)


def link(test: str) -> str:
    path, _, name = test.partition("::")
    where = " (node, soak)" if is_long(test) else " (node)"
    return f"[`{name}`](../{path}){where if test.startswith(ON_THE_NODE) else ''}"


def stale() -> bool:
    """Whether the written file is not what the data gives."""
    return not WRITTEN.exists() or WRITTEN.read_text() != text(sections())


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="docs.compatibility", description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the table, write nothing")
    looking = parser.parse_args(arguments).print
    found = sections()
    if wrong := "\n".join(problems(found)):
        sys.exit(wrong)
    if looking:
        sys.stdout.write(text(found))
        return
    WRITTEN.write_text(text(found))


if __name__ == "__main__":
    main(sys.argv[1:])
