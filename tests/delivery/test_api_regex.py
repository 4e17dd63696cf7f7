"""What RE2 would refuse, said before a router does."""

import pytest

from delivery.api.regex import problem_of


@pytest.mark.parametrize(
    "text",
    [
        "",
        r"^(.*?;)?(canary=always)(;.*)?$",
        "(?i)beta|alpha",
        "(?i:a)(?P<name>b)(?<other>c)(?s-U:d)",
        r"[]a)]+[^\]]?[[:alpha:]]*",
        r"\Q(*\E+a{2}b{2,}c{2,3}?",
        r"\p{Greek}*\x{10ff}\123\.",
        "^*",
        "{}",
    ],
)
def test_what_re2_knows_is_nothing_to_complain_of(text: str) -> None:
    assert problem_of(text) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(?=a)", "has a look-around or another group that RE2 does not know: (?"),
        ("a(?<!b)", "has a look-around or another group that RE2 does not know: (?"),
        (r"(a)\1", r"has a back-reference, which RE2 does not know: \1"),
        (r"(?P<a>b)\k<a>", r"has a back-reference, which RE2 does not know: \k<"),
        ("a**", "repeats nothing, or too often: *"),
        ("a*+", "repeats nothing, or too often: +"),
        ("*", "repeats nothing, or too often: *"),
        ("(a|*)", "repeats nothing, or too often: *"),
        ("a{1001}", "repeats nothing, or too often: {1001}"),
        ("a{2,1001}", "repeats nothing, or too often: {2,1001}"),
        ("[a", "has a [ that is not closed: ["),
        ("(a", "has a ( that is not closed"),
        ("a)(", "has a ) that opens nowhere"),
        ("a\\", "ends in a backslash: \\"),
    ],
)
def test_what_re2_does_not_know_is_said_with_its_place(text: str, why: str) -> None:
    assert problem_of(text) == why
