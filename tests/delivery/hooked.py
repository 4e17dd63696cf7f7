"""Releases with hooks in a world in miniature: each has answered at the next look."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from delivery.canary import Phase, Wish
from delivery.hook import Call, Hook, HookType
from tests.delivery.turns import Agent

Answers = Callable[[Call], bool]
ALL = (
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "post-rollout",
    "rollback",
    "post-rollback",
    "event",
)
READY = 15
"""Seconds until the app has been adopted."""


def agrees(call: Call) -> bool:
    """As a healthy setting does: all pass, and no rollback is asked for."""
    return call.hook.type != "rollback"


def closed(*names: str) -> Answers:
    return lambda call: agrees(call) and call.hook.name not in names


class Noting:
    """Answers, and keeps what it was asked, with the moment."""

    def __init__(self, answers: Answers = lambda call: True) -> None:
        self.answers = answers
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> bool:
        self.calls.append(call)
        return self.answers(call)

    @property
    def names(self) -> list[str]:
        return [call.hook.name for call in self.calls]


def hook(kind: str, name: str = "", **changes: Any) -> Hook:
    return Hook(name or kind, "http://hooks.test/", HookType(kind), **changes)


def adopted(*hooks: Hook, answers: Answers = lambda call: True, **changes: Any) -> Agent:
    agent = Agent(answers=answers)
    analysis = replace(agent.canary.analysis, hooks=hooks, **changes.pop("analysis", {}))
    agent.canary = replace(agent.canary, analysis=analysis, **changes)
    agent.run(READY).said.clear()
    return agent


def released(*hooks: Hook, kind: str = "good", **changes: Any) -> Agent:
    """With a new version applied."""
    agent = adopted(*hooks, **changes)
    agent.world.apply(f"{kind}:2")
    return agent


def until(agent: Agent, phase: Phase, seconds: int = 90) -> Agent:
    for _ in range(seconds):
        if agent.canary.status.phase is phase:
            return agent
        agent.run(1)
    raise AssertionError(f"{agent.canary.status.phase}, not {phase}: {agent.said}")


def turns(agent: Agent, kind: str) -> None:
    """The new version, which was good for so long."""
    for pod in agent.world.pods:
        pod.turned = kind if pod.image.endswith(":2") else ""


def says(agent: Agent, annotation: str) -> None:
    """A person's word, which the next turn hears."""
    agent.canary = replace(agent.canary, wishes=(Wish(annotation, "true", "jane", "7"),))
    agent.run(1)
    agent.canary = replace(agent.canary, wishes=())


def heard(agent: Agent) -> list[str]:
    """What was said, but for waits that depend on pods; names without those of the app."""
    said = [text.replace("web.shop", "web") for text in agent.said]
    return [text for text in said if "not ready" not in text]
