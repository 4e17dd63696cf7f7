"""What is wrong with how a Canary's traffic is to move: A/B tests, mirroring, sticky sessions."""

import re
from collections.abc import Iterator, Mapping

from delivery.api import regex
from delivery.api.affinity import affinity_problems
from delivery.api.analysis import WEIGHTS, Analysis
from delivery.api.matching import AnalysisMatch, StringMatch
from delivery.api.mirroring import mirror_problems
from delivery.api.placing import placement_problems

MATCH = "spec.analysis.match"
LONGEST_PARAMETER = 1024
"""Envoy takes no longer names."""
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def strategy_problems(analysis: Analysis) -> Iterator[str]:
    yield from ab_test_is_whole(analysis)
    yield from mirror_problems(analysis)
    yield from affinity_problems(analysis)
    yield from placement_problems(analysis)
    for index, match in enumerate(analysis.match or ()):
        yield from conditions_can_be_compared(f"{MATCH}[{index}]", match)


def ab_test_is_whole(analysis: Analysis) -> Iterator[str]:
    """Flagger passes a match over that has no iterations, and splits by weight inside of it."""
    if not analysis.match:
        return
    said = analysis.model_dump(by_alias=True)
    weights = " and ".join(key for key in WEIGHTS if said.get(key))
    if weights:
        yield (
            f"{MATCH}: is set beside {weights}, but whoever matches goes to the canary; "
            f"remove {weights} and set iterations for an A/B test, or remove match"
        )
    elif not analysis.iterations:
        yield (
            f"{MATCH}: is set without iterations; add spec.analysis.iterations, "
            "the number of checks of the A/B test"
        )


def conditions_can_be_compared(path: str, match: AnalysisMatch) -> Iterator[str]:
    headers, parameters = match.headers or {}, match.query_params or {}
    if not headers and not parameters and not match.source_labels:
        yield f"{path}: matches every request; name a header or a query parameter, or remove it"
    for name in headers:
        if not HEADER.fullmatch(name):
            yield f'{path}.headers: "{name}" is no header; use a name such as x-beta'
    yield from texts_can_be_compared(f"{path}.headers", headers)
    yield from parameters_can_be_compared(f"{path}.queryParams", parameters)


def parameters_can_be_compared(path: str, wanted: Mapping[str, StringMatch]) -> Iterator[str]:
    for name in wanted:
        if not 0 < len(name.encode()) <= LONGEST_PARAMETER:
            yield (
                f'{path}: "{name[:20]}" is no parameter; '
                f"name it, in up to {LONGEST_PARAMETER} bytes"
            )
    yield from texts_can_be_compared(path, wanted)


def texts_can_be_compared(path: str, wanted: Mapping[str, StringMatch]) -> Iterator[str]:
    for name, compared in wanted.items():
        for way, text in compared.model_dump(exclude_none=True).items():
            place = f"{path}.{name}.{way}"
            if not text and way != "exact":
                yield f"{place}: is empty, which says nothing; write a text, or use exact"
            if way == "regex" and (why := regex.problem_of(text)):
                yield f'{place}: "{text}" {why}; write it in RE2\'s syntax'
