"""What a person does by hand to what is ours."""

from tests.delivery.turns import Agent
from tests.delivery.written import merged


def restart_primary(agent: Agent, number: int) -> None:
    """`kubectl rollout restart` of the half that serves."""
    if found := agent.world.deployments.get("web-primary"):
        said = {"kubectl.kubernetes.io/restartedAt": str(number)}
        change = {"spec": {"template": {"metadata": {"annotations": said}}}}
        agent.world.put(merged(found, change))
