"""How many requests it takes to find out: what may be promoted has been looked at long enough."""

from math import ceil, log, sqrt

from delivery.evidence import MULTIPLES

POWER_80 = 0.8416
"""The standard normal quantile of 0.8."""
REGRESSION = 3.0
"""A release this many times worse than allowed shall not slip through."""
DOUBLING = 2.0


def requests_to_show(times: float, allowed: float, limit: float) -> int:
    """Requests after which the absolute evidence against a release that is `times` worse than
    `allowed` has reached `limit` with a probability of 80 %.

    The logarithm of a likelihood ratio grows as a sum of independent terms, so it is nearly
    normal; the mixture costs the logarithm of the number of alternatives (Wald 1945, Robbins 1970).
    0 where no share is so much worse.
    """
    share = allowed * times
    if share >= 1.0:
        return 0
    bad, good = log(share / allowed), log((1.0 - share) / (1.0 - allowed))
    drift = share * bad + (1.0 - share) * good
    spread = (bad - good) * sqrt(share * (1.0 - share))
    goal = log(limit * len(MULTIPLES))
    root = (POWER_80 * spread + sqrt((POWER_80 * spread) ** 2 + 4.0 * drift * goal)) / (2.0 * drift)
    return ceil(root * root)
