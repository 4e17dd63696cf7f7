"""How a release's traffic moves, step by step, and how it returns (reference, 2.3 to 2.5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from delivery.canary import Analysis, Mirror, Status

CANARY, AB_TEST, BLUE_GREEN = "canary", "ab-testing", "blue-green"
HEADROOM = 20
"""Percent beyond its share: no split is even to the request, and no new pod is warm."""


@dataclass(frozen=True)
class Split:
    """How requests are divided: the canary's share of them in percent, and how many checks it took.

    `iterations` counts as Flagger does: the first one begins before anything was checked. `matched`
    says that the canary also has all that match, `mirror` how many percent of the primary's
    requests are copied to it.
    """

    weight: int = 0
    iterations: int = 0
    matched: bool = False
    mirror: int = 0


def split_of(status: Status) -> Split:
    weight, mirror = status.canary_weight, status.mirror_weight
    return Split(weight, status.iterations, status.matched, mirror)


def strategy(analysis: Analysis) -> str:
    """By its Flagger name. With weights too, iterations only say how many checks must pass."""
    if not analysis.iterations or analysis.step_weight or analysis.step_weights:
        return CANARY
    return AB_TEST if analysis.match else BLUE_GREEN


def serves_apart(analysis: Analysis) -> bool:
    """Whether the halves have different users, so that one says nothing of the other."""
    return strategy(analysis) == AB_TEST or analysis.affinity is not None


def next_split(analysis: Analysis, now: Split) -> Split | None:
    """What follows when everything has passed; None when that is promotion."""
    return FOLLOWING[strategy(analysis)](analysis, now)


def tested(analysis: Analysis, now: Split) -> Split | None:
    """Whoever matches meets the canary, from the first iteration to the last."""
    if now.iterations >= analysis.iterations:
        return None
    return Split(iterations=now.iterations + 1, matched=True)


def switched(analysis: Analysis, now: Split) -> Split | None:
    """Nobody's answers are the canary's while it is tried, and then everybody's."""
    if not analysis.routed:
        now = replace(now, weight=0)
    if now.iterations < analysis.iterations and now.weight < 100:
        mirror = next_mirror(analysis.mirror, now.mirror) or now.mirror
        return Split(now.weight, now.iterations + 1, mirror=mirror)
    if not analysis.routed or now.weight == 100:
        return None
    return Split(100, analysis.iterations + 1)


def weighed(analysis: Analysis, now: Split) -> Split | None:
    """On copies first, if on copies at all; then in steps, and at the highest weight until enough
    checks have passed.
    """
    passed = now.iterations + 1 if analysis.iterations and now != Split() else 0
    if not now.weight and (mirror := next_mirror(analysis.mirror, now.mirror)):
        return Split(mirror=mirror, iterations=passed)
    if now.weight < highest(analysis):
        return Split(next_weight(analysis, now.weight), passed)
    return replace(now, iterations=passed) if passed < analysis.iterations else None


def next_mirror(mirror: Mirror | None, now: int) -> int:
    """Percent after `now`; none when there was enough of it."""
    if mirror is None or now >= mirror.top:
        return 0
    if not now:
        return mirror.start
    return min(mirror.top, now + mirror.step) if mirror.step else mirror.top


FOLLOWING: Mapping[str, Callable[[Analysis, Split], Split | None]] = {
    CANARY: weighed,
    AB_TEST: tested,
    BLUE_GREEN: switched,
}


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
    has where nobody can say how many requests will match, or where the canary gets all at once.
    """
    if strategy(analysis) != CANARY:
        return replicas
    ahead = next_split(analysis, now) or now
    return canary_size(replicas, max(now.weight, now.mirror, ahead.weight, ahead.mirror))
