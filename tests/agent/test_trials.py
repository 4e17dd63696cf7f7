"""Objects of external routers are written after a trial, and not at all if it tells of a loss."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from agent.perform import Performer
from agent.trials import DUE_SECONDS, Trials
from cluster.errors import ClusterError, Unreachable
from cluster.events import Events
from delivery.decision import Apply, Write
from tests.cluster.loopback import Server, serving

PLACE = ("HTTPRoute", "shop")
METADATA = {"name": "shop", "namespace": "test"}
ASKED = {"kind": "HTTPRoute", "metadata": METADATA, "spec": {"rules": [{"timeouts": {}}]}}
PRUNED = {**ASKED, "spec": {"rules": [{}]}}
UNDECLARED = ".spec.rules[0].timeouts: field not declared in schema"


class Kubernetes:
    """Answers a trial and a write; what it raises it raises instead."""

    def __init__(self, trial: Any, write: Any = ASKED) -> None:
        self.answers = {True: trial, False: write}
        self.asked: list[bool] = []

    def __call__(
        self, manifest: Mapping[str, Any], *, manager: str, dry: bool = False
    ) -> dict[str, Any]:
        self.asked.append(dry)
        answer = self.answers[dry]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


@pytest.mark.parametrize(
    ("kubernetes", "asked", "known"),
    [
        pytest.param(Kubernetes(ASKED), [True, False], False, id="kept"),
        pytest.param(Kubernetes(PRUNED), [True], True, id="pruned"),
        pytest.param(Kubernetes(ClusterError(UNDECLARED, 500)), [True], True, id="undeclared"),
        pytest.param(Kubernetes(ClusterError("no", 422)), [True], True, id="invalid"),
        pytest.param(Kubernetes(ClusterError("no trials", 400)), [True, False], False, id="blind"),
        pytest.param(
            Kubernetes(ClusterError("no trials", 400), PRUNED), [True, False], True, id="too late"
        ),
    ],
)
def test_what_would_not_be_kept_is_not_written(
    kubernetes: Kubernetes, asked: list[bool], known: bool
) -> None:
    trials = Trials()
    stored = trials.write(kubernetes, ASKED)
    assert kubernetes.asked == asked
    assert (PLACE in trials.known()) is known
    assert (stored is None) is (False not in asked)


@pytest.mark.parametrize("error", [Unreachable("down"), ClusterError("not today", 500)])
def test_what_says_nothing_of_the_object_is_an_error_as_ever(error: ClusterError) -> None:
    trials = Trials()
    with pytest.raises(ClusterError):
        trials.write(Kubernetes(error), ASKED)
    assert trials.known() == {}


def test_after_a_minute_it_is_due_again_and_what_is_kept_then_is_forgotten() -> None:
    now = [0.0]
    trials = Trials(clock=lambda: now[0])
    trials.write(Kubernetes(PRUNED), ASKED)
    assert not trials.known()[PLACE].due
    now[0] = DUE_SECONDS
    assert trials.known()[PLACE].due
    trials.write(Kubernetes(ASKED), ASKED)
    assert trials.known() == {}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


@pytest.mark.parametrize("effect", [Apply(ASKED), Write(ASKED)])
def test_a_routers_object_is_tried_and_nothing_else_is(server: Server, effect: Any) -> None:
    api = server.api()
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/test/httproutes/shop"
    server.pages[path] = (200, PRUNED)
    performer = Performer(api, Events(api, "a", "b", "c"))
    other = {"kind": "Service", "metadata": METADATA, "spec": {"ports": []}}
    for one in (effect, Apply(other)):
        performer.perform(one, {"metadata": METADATA})
    assert [(one.path == path, one.query.get("dryRun")) for one in server.asked] == [
        (True, "All"),
        (False, None),
    ]
    assert PLACE in performer.trials.known()
