"""Writes what goes wrong with Flagger and does not here, with its tests: `python -m docs.traps`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from docs.compatibility import HERE, exists, link, several

DATA, WRITTEN = HERE / "traps.yaml", HERE / "traps.md"
MADE = "<!-- Generated from traps.yaml by `python -m docs.traps`; edit that. -->\n"
TITLE = (
    "# Flagger's traps\n\n"
    "What a team can meet with Flagger, read in its code, and the tests that show that it does not "
    "happen here.\n"
)


@dataclass(frozen=True)
class Trap:
    """One way to be caught, what is here instead, and the tests that show it."""

    trap: str
    here: str = ""
    tests: tuple[str, ...] = ()
    missing: str = ""


Groups = dict[str, tuple[Trap, ...]]


def groups() -> Groups:
    written = yaml.safe_load(DATA.read_text())
    return {title: tuple(map(trap, rows)) for title, rows in written.items()}


def trap(said: dict[str, Any]) -> Trap:
    return Trap(tests=several(said.pop("test", ())), **said)


def problems(found: Groups) -> Iterator[str]:
    """Rows that show nothing, or a test that is not there."""
    for one in (trap for rows in found.values() for trap in rows):
        if not one.missing and not (one.tests and one.here):
            yield f"{one.trap}: says not what is here, or names no test; add it"
        for test in one.tests:
            if not exists(test):
                yield f"{one.trap}: {test} does not exist; name a test function as path::name"


def text(found: Groups) -> str:
    return "\n".join([MADE, TITLE, *(line for title in found for line in table(title, found))])


def table(title: str, found: Groups) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| with Flagger | here | shown by |\n|---|---|---|"
    for one in found[title]:
        here = f"**Not built:** {one.missing}" if one.missing else one.here
        yield f"| {one.trap} | {here} | {', '.join(map(link, one.tests)) or '–'} |"
    yield ""


def stale() -> bool:
    """Whether the written file is not what the data gives."""
    return not WRITTEN.exists() or WRITTEN.read_text() != text(groups())


def main(arguments: Sequence[str]) -> None:
    argparse.ArgumentParser(prog="docs.traps", description=__doc__).parse_args(arguments)
    found = groups()
    if wrong := "\n".join(problems(found)):
        sys.exit(wrong)
    WRITTEN.write_text(text(found))


if __name__ == "__main__":
    main(sys.argv[1:])
