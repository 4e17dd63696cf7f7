"""Durations as Go writes them: `90s`, `1m30s`, `500ms`."""

import re

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|ms|s|m|h)"
WHOLE = re.compile(f"(?:{PART})+")


def seconds(text: str) -> float:
    """The seconds that `text` means; ValueError when it is no duration."""
    if not WHOLE.fullmatch(text):
        raise ValueError(f'"{text}" is not a duration; write for example 30s or 1m30s')
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(PART, text))
