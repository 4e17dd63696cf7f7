"""How a release's traffic moves, step by step, and how it returns (reference, 2.3 to 2.5)."""

from dataclasses import dataclass, replace

from delivery.canary import Analysis, Status

CANARY, BLUE_GREEN = "canary", "blue-green"
HEADROOM = 20
"""Percent beyond its share: no split is even to the request, and no new pod is warm."""


@dataclass(frozen=True)
class Split:
    """How requests are divided: the canary's share of them in percent, and how many checks it took.

    `iterations` counts as Flagger does: the first one begins before anything was checked.
    """

    weight: int = 0
    iterations: int = 0


def split_of(status: Status) -> Split:
    return Split(status.canary_weight, status.iterations)


def strategy(analysis: Analysis) -> str:
    """By its Flagger name. With weights too, iterations only say how many checks must pass."""
    weighs = analysis.step_weight or analysis.step_weights
    return BLUE_GREEN if analysis.iterations and not weighs else CANARY


def next_split(analysis: Analysis, now: Split) -> Split | None:
    """What follows when everything has passed; None when that is promotion."""
    if strategy(analysis) == BLUE_GREEN:
        return switched(analysis, now)
    return weighed(analysis, now)


def switched(analysis: Analysis, now: Split) -> Split | None:
    """Nobody's answers are the canary's while it is tried, and then everybody's."""
    if now.iterations < analysis.iterations and now.weight < 100:
        return replace(now, iterations=now.iterations + 1)
    return Split(100, analysis.iterations + 1) if now.weight < 100 else None


def weighed(analysis: Analysis, now: Split) -> Split | None:
    """In steps; at the highest weight until enough checks have passed."""
    passed = now.iterations + 1 if analysis.iterations and now != Split() else 0
    if now.weight < highest(analysis):
        return Split(next_weight(analysis, now.weight), passed)
    return replace(now, iterations=passed) if passed < analysis.iterations else None


def highest(analysis: Analysis) -> int:
    """The weight at which a release is promoted: percent; a list ends where its last step does."""
    if strategy(analysis) == BLUE_GREEN:
        return 100
    if analysis.step_weights:
        return min(100, analysis.step_weights[-1])
    return min(100, analysis.max_weight)


def next_weight(analysis: Analysis, weight: int) -> int:
    """The weight after `weight`, never above the highest: Flagger overshoots, we do not."""
    top = highest(analysis)
    if analysis.step_weights:
        return next((step for step in analysis.step_weights if weight < step <= top), top)
    return min(top, weight + analysis.step_weight) if analysis.step_weight else top


def returned_weight(analysis: Analysis, weight: int) -> int:
    """The canary's weight after one step back to the primary, at once without a step."""
    step = analysis.step_weight_promotion
    return max(0, weight - step) if step else 0


def canary_size(replicas: int, weight: int) -> int:
    """Pods for a share of the load of `replicas` pods, with headroom; never more than those."""
    return min(replicas, max(1, -(-replicas * weight * (100 + HEADROOM) // 10000)))


def size_ahead(analysis: Analysis, replicas: int, now: Split) -> int:
    """Pods for the step that follows: they start while this one is judged. As many as the primary
    has where the canary is to take over all at once.
    """
    if strategy(analysis) == BLUE_GREEN:
        return replicas
    return canary_size(replicas, max(now.weight, next_weight(analysis, now.weight)))
