"""A way into documents that anybody may have written."""

from typing import Any

import pytest

from delivery.mapping import fits, number, parsed

SHAPE = {"rules": [{"name": "", "weight": 0, "route": {}}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"a": 1}', {"a": 1}), ("5", 5), ("{", None), (None, None), (7, None), ("[" * 100_000, None)],
)
def test_what_is_no_json_says_nothing(text: Any, said: Any) -> None:
    assert parsed(text) == said


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *(("0", 0), ("3", 3), ("2147483647", 2**31 - 1), ("2147483648", None), ("9" * 5000, None)),
        *(
            ("", None),
            ("-1", None),
            (" 1", None),
            ("²", None),
            ("٣", None),
            (None, None),
            (3, None),
        ),
    ],
)
def test_a_count_is_what_the_api_would_take(text: Any, count: int | None) -> None:
    assert number(text) == count


@pytest.mark.parametrize(
    ("document", "fitting"),
    [
        *(({}, True), ({"rules": []}, True), ({"rules": [{"name": "a", "more": 1}]}, True)),
        *(({"rules": [{"route": {"a": 1}}]}, True), ([], False), ({"rules": {}}, False)),
        *(({"rules": [5]}, False), ({"rules": [{"name": 5}]}, False)),
        *(({"rules": [{"weight": "5"}]}, False), ({"rules": [{"route": None}]}, False)),
    ],
)
def test_a_document_fits_a_shape_where_it_has_what_the_shape_has(
    document: Any, fitting: bool
) -> None:
    assert fits(document, SHAPE) is fitting
