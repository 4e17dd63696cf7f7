"""How a canary's weight grows, and how it returns at promotion (reference, 2.3 and 2.5)."""

from delivery.canary import Analysis

HEADROOM = 20
"""Percent beyond its share: no split is even to the request, and no new pod is warm."""


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


def canary_size(replicas: int, weight: int) -> int:
    """Pods for a share of the load of `replicas` pods, with headroom; never more than those."""
    return min(replicas, max(1, -(-replicas * weight * (100 + HEADROOM) // 10000)))


def size_ahead(analysis: Analysis, replicas: int, weight: int) -> int:
    """Pods for the step that follows `weight`: they start while this one is judged."""
    return canary_size(replicas, max(weight, next_weight(analysis, weight)))
