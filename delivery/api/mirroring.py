"""How a Canary says that requests are copied to it, in Flagger's words and in its guides'."""

from collections.abc import Iterator
from typing import Any

from delivery.api.analysis import Analysis, GuidesAnalysis
from delivery.canary import Mirror

MIRROR = "spec.analysis.mirror"
GUIDES = "spec.analysis.canaryAnalysis"
ALL = 100


def mirror_of(said: Analysis) -> Mirror | None:
    """A weight of 0 is all, as in Flagger; without steps the first weight is the last."""
    if not said.mirror:
        return None
    guides = said.canary_analysis or GuidesAnalysis()
    step = said.mirror_step_weight or guides.step_weight_promotion or 0
    top = said.max_mirror_weight or guides.max_mirror_weight or (ALL if step else 0)
    start = said.mirror_weight or step or ALL
    return Mirror(start, step, max(start, top))


def effective_mirror(mirror: Mirror | None) -> dict[str, Any]:
    """In the words of the spec."""
    if mirror is None:
        return {}
    said: dict[str, Any] = {"mirror": True, "mirrorWeight": mirror.start}
    if mirror.top > mirror.start:
        said |= {"mirrorStepWeight": mirror.step, "maxMirrorWeight": mirror.top}
    return said


def mirror_problems(said: Analysis) -> Iterator[str]:
    if said.mirror and said.match:
        yield (
            f"{MIRROR}: is set beside match, but whoever matches is answered by the canary; "
            "remove mirror, or match"
        )
    top = said.max_mirror_weight
    if top is not None and said.mirror_weight is not None and top < said.mirror_weight:
        yield (
            f"spec.analysis.maxMirrorWeight: {top} is below mirrorWeight {said.mirror_weight}, "
            "where it begins; exchange them"
        )


def mirror_cautions(said: Analysis) -> Iterator[str]:
    if said.mirror:
        yield (
            f"{MIRROR}: copied requests are carried out twice; "
            "use it only for an app whose requests change nothing, or may come twice"
        )
    weights = (said.mirror_weight, said.mirror_step_weight, said.max_mirror_weight)
    if any(weights) and not said.mirror:
        yield f"{MIRROR}: is not true, so no request is copied; set it, or remove its weights"
