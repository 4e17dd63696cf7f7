"""Apps that leave at any moment and come back, and what must hold of them all the same."""

from collections.abc import Callable

from delivery import apex, leaving, names
from delivery.canary import Phase
from delivery.hashing import template_hash
from delivery.intent import effects
from delivery.pods import annotations_of
from tests.delivery.turns import Agent, look, objects
from tests.delivery.worlds import NEVER_READY, merged, template

Happening = Callable[[Agent, int], None]

UNMANAGED = (Phase.NEW, Phase.TERMINATING, Phase.TERMINATED)


def unlabel(agent: Agent, number: int = 1) -> None:
    agent.world.enrolled = False


def said(agent: Agent, word: str | None) -> None:
    """On the Deployment, as `kubectl annotate` says it."""
    change = {"metadata": {"annotations": {names.ENABLED: word}}}
    agent.world.put(merged(agent.world.deployments["web"], change))


def opt_out(agent: Agent, number: int = 1) -> None:
    said(agent, "false")


def come_back(agent: Agent, number: int = 1) -> None:
    agent.world.enrolled = True
    said(agent, None)


def is_out(agent: Agent) -> bool:
    annotations = annotations_of(agent.world.deployments["web"])
    return not agent.world.enrolled or annotations.get(names.ENABLED) == "false"


def is_given_back(agent: Agent) -> bool:
    status = agent.canary.status
    return status.phase in UNMANAGED and status.apex_moved is None


def noted(agent: Agent, image: str) -> None:
    """What somebody rolls out while nobody judges is that one's own business."""
    if agent.gone or agent.canary.status.phase in (*UNMANAGED, Phase.INITIALIZING):
        agent.world.own.add(image)


def image_of(agent: Agent) -> str:
    found = agent.world.deployments["web"]["spec"]["template"]["spec"]["containers"][0]["image"]
    return str(found)


def keeps_itself(agent: Agent) -> bool:
    """Whether the app stands in its own way: what was rolled out unjudged never runs."""
    status, image = agent.canary.status, image_of(agent)
    broken = image in agent.world.own and image.partition(":")[0] in NEVER_READY
    return broken and (status.phase in UNMANAGED or agent.gone)


def is_parked(agent: Agent) -> bool:
    """Given back because its clone did not become ready: it is tried again much later."""
    return agent.canary.status.phase is Phase.NEW and bool(agent.canary.status.given_up)


def nobody_is_sent_to_what_was_refused(agent: Agent) -> None:
    """Neither by the routers nor by the Service that has gone home."""
    world, status = agent.world, agent.canary.status
    service = world.services["web"]
    if status.phase is not Phase.TERMINATING or status.drained_since is None:
        return
    if apex.leads_to_routers(service):
        return
    # What was promoted once may still serve while its last pods are replaced.
    allowed = agent.promoted | {template_hash(template(image)) for image in world.own}
    for pod in world.ready(service["spec"]["selector"]):
        assert template_hash(pod.template) in allowed, f"users reach {pod.kind}"


def rested(agent: Agent) -> bool:
    """The app is its user's alone, or waits until its user mends it."""
    world = agent.world
    if not agent.gone and effects(agent.canary, look(agent.canary, world)):
        return False
    return keeps_itself(agent) or is_clean(agent)


def is_clean(agent: Agent) -> bool:
    """It runs at its size, by its own Service, and bears no trace of ours."""
    world = agent.world
    target, service = world.deployments["web"], world.services["web"]
    idle = agent.gone or is_parked(agent)
    traces = not leaving.is_over([] if idle else [agent.canary], objects(world))
    role = names.ROLE in target["spec"]["template"]["metadata"]["labels"]
    home = service["spec"]["selector"] == {"app": "web"}
    runs = target["spec"]["replicas"] and not target["spec"].get("paused")
    return bool(home and runs and not traces and not role)
