"""The functions of Go's templates that a query can use, on plain values."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote_plus

from delivery.templating.errors import TemplateError

VERB = re.compile(
    r"%(?P<flags>[-+ 0#]*)(?P<width>\d{0,3})(?P<precision>\.\d{0,2})?(?P<verb>.)", re.S
)
NUMBERS = "efgEG"
LONGEST = 100_000
"""Characters of a value, and rounds of a loop."""


def text(value: object) -> str:
    """A value as `print` shows it."""
    match value:
        case None:
            return "<no value>"
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value).removesuffix(".0")
        case Mapping():
            pairs = (f"{key}:{text(item)}" for key, item in sorted(value.items()))
            return f"map[{' '.join(pairs)}]"
    return str(value)


def index(found: object, *keys: object) -> object:
    """`index variables "reporter"`; a missing key is an error, as it is for a field."""
    for key in keys:
        found = entry(found, key)
    return found


def entry(found: object, key: object) -> object:
    match found:
        case Mapping() if key in found:
            return found[key]
        case Mapping():
            raise TemplateError(f'map has no entry for key "{key}"')
        case str() if isinstance(key, int) and 0 <= key < len(found.encode()):
            return found.encode()[key]
    raise TemplateError(f'"{text(found)}" has no entry {text(key)}')


def length(found: object) -> int:
    match found:
        case str():
            return len(found.encode())
        case Mapping():
            return len(found)
    raise TemplateError(f"{text(found)} has no length")


def printed(*values: object) -> str:
    """Spaces stand between two values of which neither is a text."""
    whole = ""
    for place, value in enumerate(values):
        bare = place and not isinstance(value, str) and not isinstance(values[place - 1], str)
        whole += (" " if bare else "") + text(value)
    return whole


def printed_line(*values: object) -> str:
    return " ".join(text(value) for value in values) + "\n"


def formatted(pattern: object, *values: object) -> str:
    """Go's printf with the verbs s, v, q, d, x, t, e, f, g."""
    left = list(values)

    def one(found: re.Match[str]) -> str:
        if found["verb"] == "%":
            return "%"
        if not left:
            raise TemplateError(f"printf: nothing is left for {found[0]}")
        return verb(found, left.pop(0))

    whole = VERB.sub(one, text(pattern))
    if left:
        raise TemplateError(f"printf: no verb for {text(left[0])}")
    return whole


def verb(found: re.Match[str], value: object) -> str:
    flags, kind = found["flags"].replace("#", ""), found["verb"]
    shape = f"%{flags}{found['width']}{found['precision'] or ''}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("s", "v"):
        return str((shape + "s") % text(value))
    if kind == "q":
        return str((shape + "s") % json.dumps(text(value), ensure_ascii=False))
    if kind == "t" and isinstance(value, bool):
        return str((shape + "s") % text(value))
    if kind in ("d", "x") and number and isinstance(value, int):
        return str((shape + kind) % value)
    if kind in NUMBERS and number and isinstance(value, float):
        return str((shape + kind) % value)
    if kind not in f"svqtdx{NUMBERS}":
        raise TemplateError(f"printf: {found[0]} is not supported; use %s, %v, %q, %d, %f or %t")
    raise TemplateError(f"printf: {found[0]} does not fit {text(value)}")


def equal(first: object, *others: object) -> bool:
    """Whether the first is equal to one of the others."""
    if not others:
        raise TemplateError("eq: wants two values")
    return any(same_kind(first, other) and first == other for other in others)


def same_kind(one: object, two: object) -> bool:
    if None not in (one, two) and type(one) is not type(two):
        raise TemplateError(f"{text(one)} and {text(two)} cannot be compared: their types differ")
    return type(one) is type(two)


def compared(holds: Callable[[int], bool]) -> Callable[[object, object], bool]:
    def compare(one: object, two: object) -> bool:
        same_kind(one, two)
        match one, two:
            case (str(), str()) | (int(), int()) | (float(), float()) if not isinstance(one, bool):
                return holds((one > two) - (one < two))  # type: ignore[operator]  # both of one type
        raise TemplateError(f"{text(one)} and {text(two)} have no order")

    return compare


def every(*values: object) -> object:
    """`and`: the first that is empty, else the last."""
    return next((value for value in values if not value), values[-1])


def some(*values: object) -> object:
    """`or`: the first that is not empty, else the last."""
    return next((value for value in values if value), values[-1])


BUILT_IN: Mapping[str, Callable[..., object]] = {
    "and": every,
    "eq": equal,
    "ge": compared(lambda order: order >= 0),
    "gt": compared(lambda order: order > 0),
    "index": index,
    "le": compared(lambda order: order <= 0),
    "len": length,
    "lt": compared(lambda order: order < 0),
    "ne": lambda one, two: not equal(one, two),
    "not": lambda value: not value,
    "or": some,
    "print": printed,
    "printf": formatted,
    "println": printed_line,
    "urlquery": lambda *values: quote_plus(printed(*values)),
}


def ranged(found: object) -> Sequence[tuple[object, object]]:
    """Keys and values, by order of the keys."""
    match found:
        case None:
            return ()
        case Mapping():
            return sorted(found.items())
        case bool():
            pass
        case int() if found <= LONGEST:
            return [(number, number) for number in range(found)]
    raise TemplateError(f'"{text(found)}" cannot be ranged over')
