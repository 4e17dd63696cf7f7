"""A canary that is ready warms up first, if its user says so: nothing is checked or sent to it."""

from delivery.canary import Canary
from delivery.checks import go_duration
from delivery.decision import Decision, normal
from delivery.observation import Observation
from delivery.rules.outcome import full_name, hold, with_status
from delivery.warm_up import moment, until


def delay_is_awaited(canary: Canary, seen: Observation) -> Decision | None:
    """Once in a release, from when its pods are ready first; who skips the analysis does not."""
    status = canary.status
    if not canary.analysis.delay or status.last_check is not None or canary.skip_analysis:
        return None
    if status.ready is None:
        begun = with_status(canary, ready=seen.now)
        text = warming(begun)
        return Decision(with_status(begun, message=text), text, (normal(text),))
    end = until(status, canary.analysis)
    if end is None or seen.now >= end:
        return None
    text = warming(canary)
    return hold(with_status(canary, message=text), text)


def warming(canary: Canary) -> str:
    length = go_duration(1000.0 * canary.analysis.delay)
    then = moment(canary.status, canary.analysis)
    return f"{full_name(canary)} warms up for {length}: its first step comes at {then}"
