"""How a canary's weight grows, and how it returns at promotion (reference, 2.3 and 2.5)."""

from math import ceil

from delivery.canary import Analysis


def highest(analysis: Analysis) -> int:
    """The weight at which a release is promoted: percent; a list ends where its last step does."""
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


def canary_size(analysis: Analysis, replicas: int) -> int:
    """Pods that the canary needs for its largest share of the load of `replicas` pods."""
    return max(1, ceil(replicas * highest(analysis) / 100))
