"""Whether what a small sample shows may be chance (statistics, last rule)."""

from math import comb

ACCIDENT = 0.01
"""A breach in a small sample counts only when chance would make it less often than this."""


def is_accident(requests: int, bad: int, allowed: float) -> bool:
    """Whether a sample too small to judge by itself could be chance.

    From 1/allowed requests on a breach always counts; below, only if P(X >= bad) <= 1 % at the
    allowed share of bad requests.
    """
    if allowed <= 0.0 or requests * allowed >= 1.0 - 1e-9:
        return False
    return upper_tail(requests, bad, allowed) > ACCIDENT + 1e-9


def upper_tail(trials: int, hits: int, chance: float) -> float:
    """P(X >= hits) for X binomial."""
    below = sum(
        comb(trials, count) * chance**count * (1.0 - chance) ** (trials - count)
        for count in range(hits)
    )
    return 1.0 - below
