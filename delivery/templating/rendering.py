"""A template and the values for it become a text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from delivery.templating.errors import TOO_DEEP, TemplateError
from delivery.templating.functions import BUILT_IN, LONGEST, entry, ranged, text
from delivery.templating.syntax import (
    Block,
    Dot,
    Function,
    Literal,
    Node,
    Operand,
    Output,
    Pipe,
    Template,
    Variable,
)

STEPS = 20_000
"""A query takes fewer, a loop in a loop may take any number."""


def render(template: Template, values: Mapping[str, object]) -> str:
    """`values` are Flagger's functions: they are called without a dot and take nothing."""
    try:
        return "".join(Run(values).nodes(template.nodes, None))
    except RecursionError:
        raise TemplateError(TOO_DEEP) from None


@dataclass
class Run:
    """One rendering; `scopes` hold the template's own variables, the innermost last."""

    values: Mapping[str, object]
    scopes: list[dict[str, object]] = field(default_factory=lambda: [{"$": None}])
    steps: int = 0

    def nodes(self, nodes: Sequence[Node], dot: object) -> Iterator[str]:
        self.count()
        for node in nodes:
            self.count()
            if isinstance(node, str):
                yield node
                continue
            try:
                value = self.pipe(node.pipe, dot)
            except TemplateError as error:
                raise TemplateError(f"{node.action}: {error}") from error
            if isinstance(node, Output):
                self.name(node.pipe, value)
                yield "" if node.pipe.names else text(value)
            else:
                yield from self.block(node, value, dot)

    def count(self) -> None:
        self.steps += 1
        if self.steps > STEPS:
            raise TemplateError(f"the query takes more than {STEPS} steps; shorten its loops")

    def block(self, block: Block, value: object, dot: object) -> Iterator[str]:
        self.scopes.append({})
        if block.kind == "range":
            yield from self.repeated(block, value, dot)
        else:
            self.name(block.pipe, value)
            inner = value if block.kind == "with" and value else dot
            yield from self.nodes(block.body if value else block.otherwise, inner)
        self.scopes.pop()

    def repeated(self, block: Block, value: object, dot: object) -> Iterator[str]:
        try:
            pairs = ranged(value)
        except TemplateError as error:
            raise TemplateError(f"{block.action}: {error}") from error
        for key, item in pairs:
            names = block.pipe.names
            given = (item,) if len(names) == 1 else (key, item)
            self.scopes.append(dict(zip(names, given, strict=False)))
            yield from self.nodes(block.body, item)
            self.scopes.pop()
        if not pairs:
            yield from self.nodes(block.otherwise, dot)

    def name(self, pipe: Pipe, value: object) -> None:
        for name in pipe.names:
            scope = self.scopes[-1] if pipe.declares else self.scope_of(name)
            scope[name] = value

    def scope_of(self, name: str) -> dict[str, object]:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope
        raise TemplateError(f"undefined variable {name}; declare it with {name} := …")

    def pipe(self, pipe: Pipe, dot: object) -> object:
        value: tuple[object, ...] = ()
        for command in pipe.commands:
            value = (self.command(command, dot, value),)
        return value[0]

    def command(self, operands: Sequence[Operand], dot: object, last: tuple[object, ...]) -> object:
        """A function with what follows it and, behind that, what came by the pipe."""
        first, *rest = operands
        given = (*(self.operand(one, dot) for one in rest), *last)
        called = first.of if isinstance(first.of, Function) and not first.fields else None
        if called and called.name in BUILT_IN:
            return call(called.name, BUILT_IN[called.name], given)
        if given:
            raise TemplateError("only a function can be given values")
        return self.operand(first, dot)

    def operand(self, operand: Operand, dot: object) -> object:
        value = self.value(operand, dot)
        for name in operand.fields:
            value = entry(value, name)
        return value

    def value(self, operand: Operand, dot: object) -> object:
        match operand.of:
            case Literal(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                return self.scope_of(name)[name]
            case Function(name):
                known = self.values
                return known[name] if name in known else call(name, BUILT_IN[name], ())
        return self.pipe(operand.of, dot)


def call(name: str, function: Callable[..., object], given: tuple[object, ...]) -> object:
    try:
        result = function(*given)
    except (TypeError, IndexError):
        raise TemplateError(f"{name}: {len(given)} values do not fit it") from None
    if isinstance(result, str) and len(result) > LONGEST:
        raise TemplateError(f"{name}: gives more than {LONGEST} characters; shorten it")
    return result
