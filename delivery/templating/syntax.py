"""The tree of a template: what is written out, asked, repeated."""

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from delivery.templating.errors import TOO_DEEP, TemplateError
from delivery.templating.tokens import Action, Piece, Word, pieces

CONSTANTS = {"true": True, "false": False, "nil": None}
BLOCKS = ("if", "with", "range")
UNKNOWN = ("define", "template", "block", "break", "continue")


@dataclass(frozen=True)
class Literal:
    value: object


@dataclass(frozen=True)
class Dot:
    """What the innermost `with` or `range` is about."""


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class Function:
    name: str


@dataclass(frozen=True)
class Operand:
    """A value and the way into it: `variables.reporter`."""

    of: "Literal | Dot | Variable | Function | Pipe"
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pipe:
    """Commands, each given what the one before it gave; the result may get names."""

    commands: tuple[tuple[Operand, ...], ...]
    names: tuple[str, ...] = ()
    declares: bool = True


@dataclass(frozen=True)
class Output:
    action: Action
    pipe: Pipe


@dataclass(frozen=True)
class Block:
    """`if`, `with` or `range`, and what stands there `otherwise`."""

    kind: str
    action: Action
    pipe: Pipe
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]" = ()


Node = str | Output | Block


@dataclass(frozen=True)
class Template:
    """Ready to be rendered; `uses` are the functions that it may call."""

    nodes: tuple[Node, ...]
    uses: frozenset[str] = frozenset()


def parse(text: str, functions: Collection[str]) -> Template:
    """Raises TemplateError, also for a function that is none of `functions`."""
    reader = Reader(list(pieces(text)), functions)
    try:
        nodes, end = reader.nodes()
    except RecursionError:
        raise TemplateError(TOO_DEEP) from None
    if end is not None:
        raise TemplateError(f"{end} has no beginning; remove it")
    return Template(nodes, frozenset(reader.uses))


@dataclass
class Reader:
    """Takes pieces from the front of its list."""

    pieces: list[Piece]
    functions: Collection[str]
    uses: set[str] = field(default_factory=set)

    def nodes(self) -> tuple[tuple[Node, ...], Action | None]:
        """Up to the `else` or `end` that closes them, or to the end of the text."""
        found: list[Node] = []
        while self.pieces:
            piece = self.pieces.pop(0)
            if isinstance(piece, str):
                found += [piece] if piece else []
            elif head(piece) in ("end", "else"):
                return tuple(found), piece
            else:
                found.append(self.node(piece))
        return tuple(found), None

    def node(self, action: Action) -> Node:
        keyword = head(action)
        if keyword in UNKNOWN:
            raise TemplateError(f'{action}: "{keyword}" is not supported; write it out')
        if keyword in BLOCKS:
            return self.block(keyword, action, action.words[1:])
        return Output(action, self.pipe(action, action.words))

    def block(self, kind: str, action: Action, header: Sequence[Word]) -> Block:
        pipe = self.pipe(action, header)
        body, end = self.nodes()
        otherwise: tuple[Node, ...] = ()
        if end is not None and head(end) == "else":
            if len(end.words) > 1:
                inner = end.words[1].text
                if inner not in ("if", "with") or kind == "range":
                    raise TemplateError(f'{end}: "else {inner}" is not supported; use "else"')
                # The inner block ends where this one does.
                return Block(kind, action, pipe, body, (self.block(inner, end, end.words[2:]),))
            otherwise, end = self.nodes()
        if end is None or head(end) != "end":
            raise TemplateError(f"{action} is not ended; add {{{{ end }}}}")
        return Block(kind, action, pipe, body, otherwise)

    def pipe(self, action: Action, words: Sequence[Word]) -> Pipe:
        phrase = Phrase(action, list(words), self.functions, self.uses)
        pipe = phrase.pipe()
        if phrase.words:
            raise TemplateError(f'{action}: "{phrase.words[0].text}" is not expected')
        return pipe


def head(action: Action) -> str:
    first = action.words[0] if action.words else Word("", "")
    return first.text if first.kind == "name" else ""


@dataclass
class Phrase:
    """The words of one action, taken from the front."""

    action: Action
    words: list[Word]
    functions: Collection[str]
    uses: set[str]

    def next_is(self, *texts: str) -> bool:
        return bool(self.words) and self.words[0].text in texts

    def pipe(self) -> Pipe:
        names, declares = self.assigned()
        commands = [self.command()]
        while self.next_is("|"):
            self.words.pop(0)
            commands.append(self.command())
        return Pipe(tuple(commands), names, declares)

    def assigned(self) -> tuple[tuple[str, ...], bool]:
        """`$name :=`, `$name =`, `$key, $value :=`."""
        for length in (1, 3):
            sign = self.words[length].text if len(self.words) > length else ""
            if sign in (":=", "="):
                taken, self.words = self.words[:length], self.words[length + 1 :]
                names = tuple(word.text for word in taken[::2])
                commas = all(word.text == "," for word in taken[1::2])
                if not commas or not all(len(name) > 1 and name[0] == "$" for name in names):
                    raise TemplateError(f'{self.action}: "{sign}" wants a variable before it')
                return names, sign == ":="
        return (), True

    def command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while self.words and not self.next_is("|", ")"):
            operands.append(self.operand())
        if not operands:
            raise TemplateError(f"{self.action}: a value is missing")
        return tuple(operands)

    def operand(self) -> Operand:
        word = self.words.pop(0)
        fields = [word.text[1:]] if word.kind == "field" else []
        of = self.value(word)
        while self.words and self.words[0].kind == "field" and self.words[0].glued:
            fields.append(self.words.pop(0).text[1:])
        return Operand(of, tuple(fields))

    def value(self, word: Word) -> Literal | Dot | Variable | Function | Pipe:
        match word.kind:
            case "string" | "number":
                return Literal(self.constant(word.text))
            case "field" | "dot":
                return Dot()
            case "variable":
                return Variable(word.text)
            case "name":
                return self.named(word.text)
        if word.text == "(":
            return self.bracketed()
        raise TemplateError(f'{self.action}: "{word.text}" is not expected')

    def constant(self, text: str) -> object:
        if text.startswith("`"):
            return text[1:-1]
        try:
            return ast.literal_eval(text)
        except (SyntaxError, ValueError):
            raise TemplateError(f"{self.action}: {text} cannot be read") from None

    def named(self, name: str) -> Literal | Function:
        if name in CONSTANTS:
            return Literal(CONSTANTS[name])
        if name not in self.functions:
            known = ", ".join(sorted(self.functions))
            raise TemplateError(f'{self.action}: function "{name}" not defined; known: {known}')
        self.uses.add(name)
        return Function(name)

    def bracketed(self) -> Pipe:
        inner = self.pipe()
        if not self.next_is(")"):
            raise TemplateError(f'{self.action}: "(" is not closed')
        self.words.pop(0)
        return inner
