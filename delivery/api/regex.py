"""What is wrong with a regular expression in RE2's syntax, as far as its brackets can tell.

RE2 knows no look-around and no back-references, and that is what people bring from elsewhere. What
passes here and is wrong all the same is refused by the routers, which halts the release.
"""

import re

MOST_REPEATS = 1000
"""RE2 refuses more."""
TOKEN = re.compile(
    r"""
    (?P<quoted>\\Q.*?(?:\\E|$))
    | (?P<back>\\(?:[1-9](?![0-7])|k[<{']|g[<{]))
    | (?P<escape>\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|.))
    | (?P<trailing>\\)
    | (?P<set>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])
    | (?P<openset>\[)
    | (?P<group>\((?!\?)|\(\?:|\(\?P?<\w+>|\(\?[imsU]*(?:-[imsU]+)?:)
    | (?P<flags>\(\?[imsU]*(?:-[imsU]+)?\))
    | (?P<foreign>\(\?)
    | (?P<close>\))
    | (?P<repeat>[*+?]|\{(?P<least>\d+)(?:,(?P<most>\d*))?\})(?P<lazy>\??)
    | (?P<bar>\|)
    | (?P<text>.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMPLAINTS = {
    "back": "has a back-reference, which RE2 does not know",
    "foreign": "has a look-around or another group that RE2 does not know",
    "trailing": "ends in a backslash",
    "openset": "has a [ that is not closed",
}


def problem_of(text: str) -> str:
    """Empty for one that can be used."""
    depth, repeatable = 0, False
    for token in TOKEN.finditer(text):
        kind = str(token.lastgroup if token.lastgroup != "lazy" else "repeat")
        if kind in COMPLAINTS:
            return f"{COMPLAINTS[kind]}: {token[0]}"
        if kind == "repeat" and (not repeatable or repeats(token) > MOST_REPEATS):
            return f"repeats nothing, or too often: {token[0]}"
        depth += (kind == "group") - (kind == "close")
        if depth < 0:
            return "has a ) that opens nowhere"
        repeatable = kind not in ("repeat", "group", "bar", "flags")
    return "has a ( that is not closed" if depth else ""


def repeats(token: re.Match[str]) -> int:
    return max(int(token["least"] or 0), int(token["most"] or 0))
