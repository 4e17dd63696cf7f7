"""A template cut into what stands there and what is to be done, and the latter into words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from delivery.templating.errors import TemplateError

OPENING = re.compile(r"\{\{(?P<trim>-(?=\s))?")
# What may stand in an action, up to its end: in a string or a comment "}}" is no end.
INSIDE = re.compile(
    r"""(?:"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'|/\*.*?\*/|(?!\s-\}\}|\}\}).)*""", re.S
)
CLOSING = re.compile(r"(?P<trim>\s-)?\}\}")
COMMENT = re.compile(r"\s*/\*.*\*/\s*", re.S)

WORD = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)
    |(?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)(?![\w.]))
    |(?P<variable>\$\w*)
    |(?P<field>\.[^\W\d]\w*)
    |(?P<dot>\.)
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>:=|[=|(),])""",
    re.X,
)
SHOWN = 60


@dataclass(frozen=True)
class Word:
    """One word of an action; `glued` if nothing stands between it and the one before."""

    kind: str
    text: str
    glued: bool = False


@dataclass(frozen=True)
class Action:
    """What stands between {{ and }}."""

    text: str
    words: tuple[Word, ...]

    def __str__(self) -> str:
        return shown(self.text)


Piece = str | Action


def shown(text: str) -> str:
    whole = " ".join(text.split())
    return "{{ " + (whole if len(whole) <= SHOWN else whole[: SHOWN - 1] + "…") + " }}"


def pieces(text: str) -> Iterator[Piece]:
    """Literal text and actions in turn, trimmed where a marker says so; comments are left out."""
    position, trims = 0, False
    while opening := OPENING.search(text, position):
        literal = text[position : opening.start()]
        end = next(INSIDE.finditer(text, opening.end())).end()
        closing = CLOSING.match(text, end)
        if closing is None:
            raise TemplateError(f"{shown(text[opening.end() :])} is not closed; end it with }}}}")
        literal = literal.lstrip() if trims else literal
        yield literal.rstrip() if opening["trim"] else literal
        content = text[opening.end() : end]
        if not COMMENT.fullmatch(content):
            yield Action(content, tuple(words(content)))
        position, trims = closing.end(), bool(closing["trim"])
    rest = text[position:]
    yield rest.lstrip() if trims else rest


def words(content: str) -> Iterator[Word]:
    position, glued = 0, False
    while position < len(content):
        found = WORD.match(content, position)
        if found is None:
            raise TemplateError(f"{shown(content)}: {content[position]!r} is not expected")
        kind = found.lastgroup or ""
        if kind != "space":
            yield Word(kind, found[0], glued)
        glued = kind != "space"
        position = found.end()
