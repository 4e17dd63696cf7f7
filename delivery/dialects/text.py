"""Prometheus' text format, as far as Envoys write it: line by line, and only those that matter."""

import re
from collections.abc import Callable, Iterator, Mapping
from math import isnan

from delivery.dialects.malformed import StatsMalformed

Labels = Mapping[str, str]

_LINE = re.compile(r'\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\} (\S+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
LONGEST_LINE = 200


def samples(text: str, matters: Callable[[str], object]) -> Iterator[tuple[str, Labels, int, str]]:
    """Name, labels, value and line of each sample whose name matters; the others stay unread."""
    for line in text.split("\n"):
        name = line.partition("{")[0]
        if matters(name):
            labels, value = read(line, name)
            yield name, labels, value, line


def read(line: str, name: str) -> tuple[Labels, int]:
    matched = _LINE.fullmatch(line, len(name))
    if not matched:
        raise malformed(line)
    try:
        labels, value = dict(_LABEL.findall(matched[1])), int(float(matched[2]))
    except (ValueError, OverflowError) as error:
        raise malformed(line) from error
    if value < 0:
        raise malformed(line)
    return labels, value


def label(labels: Labels, name: str, line: str) -> str:
    if name not in labels:
        raise malformed(line)
    return labels[name]


def edge(labels: Labels, line: str) -> float:
    """The upper edge of a bucket."""
    try:
        found = float(labels["le"])
    except (KeyError, ValueError) as error:
        raise malformed(line) from error
    if isnan(found):
        raise malformed(line)
    return found


def malformed(line: str) -> StatsMalformed:
    return StatsMalformed(line[:LONGEST_LINE])
