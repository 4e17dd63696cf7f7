"""What may happen to an app and its agent, and what must hold at every turn all the same."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from delivery import apex, names
from delivery.canary import ANALYSING, IDLE, Phase, Status, Wish
from delivery.checks import PASSED
from delivery.decision import Annotate, Effect
from delivery.hashing import template_hash
from delivery.intent import effects, primary_size
from delivery.observation import Observation
from delivery.step import step
from delivery.strategy import canary_size
from tests.delivery import departures
from tests.delivery.answers import answers_stay
from tests.delivery.meddling import restart_primary
from tests.delivery.sent import requests_find_their_way
from tests.delivery.turns import Agent, look

Event = tuple[str, int]
Happening = Callable[[Agent, int], None]

KIND_SECONDS = 240
"""Enough for any release to end: two deadlines of 60 s, a drain, seven intervals."""
MOST_STEPS = 8
"""After so many decisions on one observation nothing more is to be decided."""


def apply(kind: str) -> Happening:
    def happening(agent: Agent, number: int) -> None:
        departures.noted(agent, f"{kind}:{number}")
        agent.world.apply(f"{kind}:{number}")

    return happening


def revert(agent: Agent, number: int) -> None:
    primary = agent.world.deployments.get("web-primary", agent.world.deployments["web"])
    agent.world.apply(primary["spec"]["template"]["spec"]["containers"][0]["image"])


def resize(agent: Agent, number: int) -> None:
    found = agent.world.deployments["web"]["spec"]["template"]["spec"]["containers"][0]
    agent.world.apply(found["image"], replicas=number)


def scale(agent: Agent, number: int) -> None:
    agent.world.scale(number)


def flap(half: str) -> Happening:
    def happening(agent: Agent, number: int) -> None:
        for pod in agent.world.pods:
            if pod.owner.rpartition("-")[0] == half:
                pod.flapping = number

    return happening


def pods_vanish(agent: Agent, number: int) -> None:
    agent.world.pods = agent.world.pods[number:]


def routers(agent: Agent, number: int) -> None:
    agent.world.routers = 0 if agent.world.routers else number


def room(agent: Agent, number: int) -> None:
    agent.world.room = not agent.world.room


def admission(agent: Agent, number: int) -> None:
    agent.world.admission = not agent.world.admission


def clients(agent: Agent, number: int) -> None:
    agent.world.clients = not agent.world.clients


def crash(agent: Agent, number: int) -> None:
    agent.turn(crash_after=number - 1)


def absence(agent: Agent, number: int) -> None:
    for _ in range(3 * number):
        agent.world.pass_second()


def stop(agent: Agent, number: int) -> None:
    agent.canary = replace(agent.canary, stop=not agent.canary.stop)


def by_hand(annotation: str) -> Happening:
    def happening(agent: Agent, number: int) -> None:
        """Said, and admission saw it; a pause that is there is taken off."""
        kept = tuple(one for one in agent.canary.wishes if one.annotation != annotation)
        paused = agent.canary.status.paused and annotation == names.PAUSE
        said = () if paused else (Wish(annotation, "true", "jane", str(agent.world.now)),)
        agent.canary = replace(agent.canary, wishes=(*kept, *said))

    return happening


def undo(agent: Agent, number: int) -> None:
    """Back to what was promoted before, if anything was."""
    former = agent.canary.status.previous
    for one in agent.world.sets:
        if template_hash(one["spec"]["template"]) == former:
            agent.world.apply(one["spec"]["template"]["spec"]["containers"][0]["image"])
            break


def nothing(agent: Agent, number: int) -> None:
    pass


HAPPENINGS: Mapping[str, Happening] = {
    "good": apply("good"),
    "bad": apply("bad"),
    "slow": apply("slow"),
    "crashing": apply("crashing"),
    "stuck": apply("stuck"),
    "revert": revert,
    "resize": resize,
    "scale": scale,
    "canary flaps": flap("web"),
    "primary flaps": flap("web-primary"),
    "restarted primary": restart_primary,
    "pods vanish": pods_vanish,
    "routers": routers,
    "room": room,
    "admission": admission,
    "clients": clients,
    "crash": crash,
    "absence": absence,
    "unlabel": departures.unlabel,
    "opt out": departures.opt_out,
    "come back": departures.come_back,
    "stop": stop,
    "abort": by_hand(names.ABORT),
    "retry": by_hand(names.RETRY),
    "pause": by_hand(names.PAUSE),
    "undo": undo,
    "nothing": nothing,
}

events = st.tuples(st.sampled_from(sorted(HAPPENINGS)), st.integers(1, 7))
histories = st.lists(st.tuples(events, st.integers(0, 25)), min_size=3, max_size=12)


def lived(agent: Agent, history: list[tuple[Event, int]]) -> Agent:
    """The agent after all of it, each thing followed by so many seconds, each turn watched."""
    for (name, number), seconds in history:
        HAPPENINGS[name](agent, number)
        watched(agent, seconds)
    return agent


def calmed(agent: Agent) -> Agent:
    """The world is kind until every release has ended."""
    world = agent.world
    world.routers, world.room, world.admission, world.clients = 2, True, True, True
    agent.canary = replace(agent.canary, stop=False, wishes=())
    for _ in range(KIND_SECONDS):
        watched(agent, 1)
        if rested(agent):
            break
    return agent


def watched(agent: Agent, seconds: int) -> Agent:
    for _ in range(seconds):
        before, world = agent.canary.status, agent.world
        target, service = world.deployments["web"], world.services["web"]
        seen = comes_to_rest(agent)
        due = agent.turn()
        moves_are_earned(before, agent.canary.status, seen)
        no_apex_leads_to_missing_routers(agent)
        requests_find_their_way(agent, before)
        refused_stays_refused(before, agent.canary.status)
        serving_half_is_kept(agent)
        answers_stay(before, agent.canary.status)
        departures.nobody_is_sent_to_what_was_refused(agent)
        if goes_to_zero(due) and target["spec"]["replicas"]:
            assert leads_elsewhere(service), "the target goes while the apex leads to it"
        world.pass_second()
    return agent


def comes_to_rest(agent: Agent) -> Observation:
    """Decides without changing what it was given, the same each time, and comes to an end."""
    canary = agent.canary
    seen = replace(look(canary, agent.world), replies=agent.replies)
    untouched = deepcopy((canary.status.verdicts, seen.target, seen.apex))
    assert (decision := step(canary, seen)) == step(canary, seen)
    for _ in range(MOST_STEPS):
        if decision.canary == canary:
            break
        canary = decision.canary
        decision = step(canary, seen)
    else:
        raise AssertionError(f"still deciding: {canary.status}")
    effects(canary, seen)
    assert untouched == (agent.canary.status.verdicts, seen.target, seen.apex)
    return seen


def moves_are_earned(before: Status, after: Status, seen: Observation) -> None:
    """More users for what passed its checks, and for a primary that runs what it should."""
    primary = seen.primary
    if after.canary_weight > before.canary_weight > 0:
        assert all(verdict.outcome == PASSED for verdict in after.verdicts)
    if after.canary_weight > before.canary_weight or after.matched > before.matched:
        assert seen.target
        assert seen.target.ready_pods >= canary_size(after.replicas or 1, after.canary_weight)
    assert not after.mirror_weight or after.phase in ANALYSING
    if before.phase is Phase.PROGRESSING and after.phase is Phase.FAILED:
        assert not after.is_asked
    if before.phase is Phase.PROMOTING and after.phase is Phase.FINALISING:
        assert primary
        assert (primary.revision, primary.unready) == (after.observed, "")
    back = before.phase is Phase.FAILED and before.canary_weight > after.canary_weight
    if back and not after.stopped:
        assert primary
        assert (primary.revision, primary.unready) == (after.promoted, "")


def no_apex_leads_to_missing_routers(agent: Agent) -> None:
    world = agent.world
    if not world.routers and "web-primary" in world.deployments:
        assert not apex.leads_to_routers(world.services["web"])


def refused_stays_refused(before: Status, after: Status) -> None:
    if before.phase is Phase.FAILED and before.observed == after.observed:
        # A newer one may wait at a gate meanwhile.
        assert after.phase in (Phase.FAILED, Phase.TERMINATING, Phase.WAITING)
        assert after.canary_weight <= before.canary_weight
        assert after.matched <= before.matched
        assert after.mirror_weight == 0


def serving_half_is_kept(agent: Agent) -> None:
    status, primary = agent.canary.status, agent.world.deployments.get("web-primary")
    if status.phase not in (Phase.NEW, Phase.INITIALIZING) and not departures.is_given_back(agent):
        assert primary is not None
        assert primary["spec"]["replicas"] == primary_size(agent.canary)
        image = primary["spec"]["template"]["spec"]["containers"][0]["image"]
        good = image.startswith("good:") or image in agent.world.own
        assert good, f"{image} was promoted"


def goes_to_zero(due: tuple[Effect, ...]) -> bool:
    said = [one for one in due if isinstance(one, Annotate) and one.kind == "Deployment"]
    return any(one.shows["spec"].get("replicas") == 0 for one in said)


def leads_elsewhere(service: Mapping[str, Any]) -> bool:
    """To the routers, or to the primary alone."""
    to_primary = apex.leads_to(service)["selector"].get(names.ROLE) == names.PRIMARY
    return apex.leads_to_routers(service) or to_primary


def rested(agent: Agent) -> bool:
    """Nothing is left to do: what was asked for serves, or was refused."""
    status, world = agent.canary.status, agent.world
    elsewhere = (departures.is_out, departures.keeps_itself, departures.is_parked)
    if any(is_so(agent) for is_so in elsewhere):
        return departures.rested(agent)
    if status.phase not in IDLE or effects(agent.canary, look(agent.canary, world)):
        return False
    target, template = world.deployments["web"], world.revision("web")
    known = (status.observed, status.promoted) == (template, world.revision("web-primary"))
    gone = (status.is_asked, status.scale, target["spec"]["replicas"]) == (False, 0, 0)
    return known and gone and is_led(agent)


def is_led(agent: Agent) -> bool:
    """Whether clients find the app the way that its provider says."""
    service = agent.world.services["web"]
    if agent.canary.analysis.routed:
        return apex.leads_to_routers(service)
    return bool(apex.leads_to(service)["selector"].get(names.ROLE) == names.PRIMARY)


def ending(agent: Agent) -> Any:
    """All that lasts, without the times at which it came about."""
    status, world = agent.canary.status, agent.world
    decided = (status.phase, status.observed, status.promoted, status.failed, status.replicas)
    found = (*world.deployments.values(), *world.services.values())
    return decided, {one["metadata"]["name"] + one["kind"]: one["spec"] for one in found}
