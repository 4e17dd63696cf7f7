"""What whoever waits for a release may be told."""

from collections.abc import Mapping
from typing import Any

from delivery import names
from delivery.canary import Status
from delivery.hashing import template_hash
from delivery.outcomes import KEPT, PROMOTED, REFUSED, SUPERSEDED
from tests.delivery import departures
from tests.delivery.turns import Agent


def answers_stay(before: Status, after: Status) -> None:
    """Nobody who waits for a release is told the outcome of another."""
    if after.release is None or before.release in (None, after.release):
        return
    for number, outcome in before.outcomes.items():
        assert after.outcomes.get(number, outcome) == outcome
    assert after.outcomes[str(before.release)] in (PROMOTED, REFUSED, SUPERSEDED)


def answered(agent: Agent) -> bool:
    """Whoever waits for a release that admission numbered has its outcome, and a true one."""
    status, target = agent.canary.status, agent.world.deployments["web"]
    if agent.gone or departures.is_out(agent) or status.release is None:
        return True
    last = int(target["metadata"]["annotations"][names.RELEASE])
    waited = {str(one) for one in range(max(0, last - KEPT + 1), last + 1)}
    taken = template_hash(target["spec"]["template"]) == status.observed
    serves = taken and status.observed == status.promoted
    return waited <= {*status.outcomes, *unseen(agent)} and (
        slipped(target) or status.outcomes[str(last)] == (PROMOTED if serves else REFUSED)
    )


def unseen(agent: Agent) -> set[str]:
    """Numbers from before the release that the status began with."""
    first = min(map(int, agent.canary.status.outcomes), default=0)
    return {str(one) for one in range(first)}


def slipped(target: Mapping[str, Any]) -> bool:
    """Whether what the target holds went past admission."""
    mark = target["metadata"]["annotations"].get(names.ADMITTED)
    return bool(mark != template_hash(target["spec"]["template"]))
