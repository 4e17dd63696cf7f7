from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.covering import covers

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, True),
        ({"a": 1, "b": 2}, {"a": 1, "b": None}, False),
        ({"a": {"b": [{"c": 1, "d": 2}]}}, {"a": {"b": [{"c": 1}]}}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": [1]}, {"a": [2]}, False),
        ({"a": 1}, {"a": [1]}, False),
        ({"a": 1}, {"a": {}}, False),
        (None, {"a": 1}, False),
    ],
)
def test_what_was_found_covers_what_is_wanted(found: Any, wanted: Any, expected: bool) -> None:
    assert covers(found, wanted) is expected


@given(JSON)
def test_everything_covers_itself(document: Any) -> None:
    assert covers(document, document)
