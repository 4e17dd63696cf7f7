"""Whom requests may be sent to, whatever happens to an app and its agent."""

from delivery.canary import Status
from delivery.strategy import highest
from tests.delivery.turns import Agent


def requests_find_their_way(agent: Agent, before: Status) -> None:
    weights_are_allowed(agent)
    nothing_is_sent_to_nobody(agent)
    users_stay_where_they_are(agent, before)
    who_serves_is_not_scaled_down(agent, before)


def weights_are_allowed(agent: Agent) -> None:
    assert 0 <= agent.canary.status.canary_weight <= highest(agent.canary.analysis)


def who_serves_is_not_scaled_down(agent: Agent, before: Status) -> None:
    """The canary neither, while it answers as many users of one revision as before; one that is
    given back is held at no number.
    """
    after = agent.canary.status
    same = (before.observed, before.replicas) == (after.observed, after.replicas)
    fewer = after.canary_weight < before.canary_weight or after.matched < before.matched
    if same and before.has_users and not fewer and after.scale is not None:
        assert after.scale >= (before.scale or 0)


def nothing_is_sent_to_nobody(agent: Agent) -> None:
    for served in agent.world.served:
        assert served.canary or not (served.canary_weight or served.matches or served.mirror)
        intended = agent.canary.status.has_users
        assert served.primary or served.canary_weight == 100 or not (intended and served.canary)


def users_stay_where_they_are(agent: Agent, before: Status) -> None:
    """By one cookie, as long as one revision is released, whatever happens to the agent."""
    status = agent.canary.status
    if agent.canary.analysis.affinity is None:
        return
    assert bool(status.cookie) == status.has_users
    if before.has_users and status.has_users and before.observed == status.observed:
        assert status.cookie == before.cookie
    if before.cookie != status.cookie:
        assert before.cookie in ("", status.previous_cookie)
    for served in agent.world.served:
        assert served.cookies
        assert served.cookies.canary in ("", status.cookie)
        assert served.cookies.canary or not served.canary_weight
