"""Durations as Go writes them: `90s`, `1m30s`, `500ms`."""

import re

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|ms|s|m|h)"
WHOLE = re.compile(f"(?:{PART})+")
LONGEST = 9e9
"""About 285 years: beyond it Go's nanoseconds overflow."""


def seconds(text: str) -> float:
    """The seconds that `text` means; ValueError when it is no duration."""
    if not WHOLE.fullmatch(text):
        raise ValueError(f'"{text}" is not a duration; write for example 30s or 1m30s')
    total = sum(float(number) * UNITS[unit] for number, unit in re.findall(PART, text))
    if total > LONGEST:
        raise ValueError(f'"{text}" is longer than any release; write for example 30s or 1m30s')
    return total


def duration(length: float) -> str:
    """Seconds as a duration that begins with whole seconds, to the millisecond."""
    whole, rest = divmod(round(length * 1000), 1000)
    return f"{whole}s{rest}ms" if rest else f"{whole}s"
