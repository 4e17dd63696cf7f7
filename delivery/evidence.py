"""Two e-processes of one metric: how strongly the counts speak against a release, so far.

Theory of operation. Each is a product of likelihood ratios, one factor a scrape, for a grid of
alternatives; their mean is the evidence E. While its hypothesis holds, E is a nonnegative
supermartingale that starts at 1, so the chance that it *ever* reaches 1/a is at most a (Ville's
inequality): it may be looked at after every scrape, and nothing has to be decided beforehand.

*Relative*, "no worse than primary" (odds ratio at most 1, whatever rate both have and however it
drifts): given m bad requests among those of both halves, the canary's part of them is
hypergeometric, which a binomial of share w = n_c / (n_c + n_p) dominates in convex order
(Hoeffding 1963). So for each ratio r the factor r^x_c / (1 + w(r - 1))^m has a mean of at most 1.

*Absolute*, "within its range" (at most the share p0 is bad): the plain likelihood ratio of p
against p0, for multiples p of p0.

Kept as logarithms: products of thousands of factors overflow nothing and lose nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp, fsum, log

RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
"""How many times the primary's odds a bad canary's may be."""
MULTIPLES = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
"""How many times what is allowed a bad canary's share may be."""
LEAST_ALLOWED = 1e-4
"""A range of 100 % allows this much: without it one bad request would prove everything."""


@dataclass(frozen=True)
class Counts:
    """Requests of one half, and how many of them were bad: 0 <= bad <= requests."""

    requests: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.requests:
            raise ValueError(f"{self.bad} bad ones among {self.requests} requests")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.requests + other.requests, self.bad + other.bad)

    @property
    def share(self) -> float:
        """Of bad requests; 0 without any."""
        return self.bad / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Evidence:
    """Of one metric, for one revision, since its release began.

    `allowed` is p0, the share of bad requests that the range permits, above 0 and below 1.
    `relative` and `absolute` are the logarithms of the products, one for each alternative; the
    peaks are the highest logarithms of their means. `canary` and `primary` are all counts so far,
    `unpaired` those of each half since both last had a request: only together they compare.
    """

    allowed: float
    relative: tuple[float, ...] = (0.0,) * len(RATIOS)
    absolute: tuple[float, ...] = ()
    relative_peak: float = 0.0
    absolute_peak: float = 0.0
    canary: Counts = Counts()
    primary: Counts = Counts()
    unpaired: tuple[Counts, Counts] = (Counts(), Counts())


def bounded(allowed: float) -> float:
    """What a range is taken for, that allows this share of bad requests."""
    return max(allowed, LEAST_ALLOWED)


def begun(allowed: float) -> Evidence:
    """None yet, against a range that allows this share of bad requests."""
    share = bounded(allowed)
    return Evidence(share, absolute=(0.0,) * len(alternatives(share)))


def alternatives(allowed: float) -> tuple[float, ...]:
    """The shares that are tested against `allowed`; none where nearly everything is."""
    return tuple(allowed * multiple for multiple in MULTIPLES if allowed * multiple < 1.0)


def grown(evidence: Evidence, canary: Counts, primary: Counts) -> Evidence:
    """With one scrape's counts of both halves.

    Where requests are rare, a scrape may have seen one half only, which says nothing of the other
    (its factor is 1, for the canary's share of the requests is all or nothing): it waits.
    """
    both = evidence.unpaired[0] + canary, evidence.unpaired[1] + primary
    paired = all(half.requests for half in both)
    relative = summed(evidence.relative, relative_logs(*both)) if paired else evidence.relative
    absolute = summed(evidence.absolute, absolute_logs(canary, evidence.allowed))
    return replace(
        evidence,
        relative=relative,
        absolute=absolute,
        relative_peak=max(evidence.relative_peak, mixed(relative)),
        absolute_peak=max(evidence.absolute_peak, mixed(absolute)),
        canary=evidence.canary + canary,
        primary=evidence.primary + primary,
        unpaired=(Counts(), Counts()) if paired else both,
    )


def relative_logs(canary: Counts, primary: Counts) -> list[float]:
    bad, requests = canary.bad + primary.bad, canary.requests + primary.requests
    share = canary.requests / requests if requests else 0.0
    return [canary.bad * log(ratio) - bad * log(1.0 + share * (ratio - 1.0)) for ratio in RATIOS]


def absolute_logs(canary: Counts, allowed: float) -> list[float]:
    good = canary.requests - canary.bad
    return [
        canary.bad * log(share / allowed) + good * log((1.0 - share) / (1.0 - allowed))
        for share in alternatives(allowed)
    ]


def summed(logs: Sequence[float], more: Iterable[float]) -> tuple[float, ...]:
    return tuple(one + other for one, other in zip(logs, more, strict=True))


def mixed(logs: Sequence[float]) -> float:
    """The logarithm of their exponentials' mean; 0, that is no evidence, of none."""
    if not logs:
        return 0.0
    top = max(logs)
    return top + log(fsum(exp(one - top) for one in logs) / len(logs))
