"""The table of Flagger's traps: each row shows a test that is there, and the file is written."""

import pytest

from docs import traps
from docs.traps import Trap, groups, problems, stale, text

THIS = "tests/test_traps.py::test_every_trap_names_a_test_that_is_there"


def test_every_trap_names_a_test_that_is_there() -> None:
    assert list(problems(groups())) == []


def test_the_written_table_is_what_the_data_gives() -> None:
    assert not stale(), "write it anew: python -m docs.traps"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (Trap("It hangs.", "It ends."), "It hangs.: says not what is here, or names no test"),
        (Trap("It hangs.", tests=(THIS,)), "It hangs.: says not what is here, or names no test"),
        (Trap("It hangs.", "It ends.", ("a.py::test_b",)), "It hangs.: a.py::test_b does not"),
    ],
)
def test_a_row_that_shows_nothing_is_told(row: Trap, problem: str) -> None:
    (found,) = problems({"Time": (row,)})
    assert found.startswith(problem)


def test_a_row_shows_what_is_here_or_what_is_missing() -> None:
    rows = (Trap("It hangs.", "It ends.", (THIS,)), Trap("It leaks.", missing="there is none."))
    found = text({"Time": rows})
    name = THIS.partition("::")[2]
    assert f"| It hangs. | It ends. | [`{name}`](../tests/test_traps.py) |" in found
    assert "| It leaks. | **Not built:** there is none. | – |" in found


def test_the_command_knows_no_other_words() -> None:
    with pytest.raises(SystemExit):
        traps.main(["--else"])
