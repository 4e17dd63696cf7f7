"""Alerts of releases reach real receivers in the namespace, also such as hang or fail."""

import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from delivery.names import AGENT
from demo.namespace import Namespace
from demo.release import released
from demo.waiting import eventually
from tests.system import chat
from tests.system.canaries import (
    BAD,
    GOOD,
    PATIENT,
    SMALL,
    analysis,
    canary,
    events_of,
    managed,
    reaches,
)
from tests.system.kills import acting_agent
from tests.system.load import Load
from tests.system.node import Node

INITIALIZED = ("info", "New Deployment detected, initialization completed.")
BEGUN = ("info", "New revision detected, progressing canary analysis.")
PROMOTED = ("info", "Canary analysis completed successfully, promotion finished.")
REFUSED = ("error", "Failed checks threshold reached 2")
COURSE = [INITIALIZED, BEGUN, PROMOTED, BEGUN, REFUSED]
TOKEN = "token-of-the-team"


def route(name: str, severity: str = "info") -> dict[str, Any]:
    return {"name": name, "severity": severity, "providerRef": {"name": name}}


def receivers(place: Namespace) -> None:
    """The chat systems, and a Secret that the agent is allowed to read as the README says."""
    place.kubectl.apply(chat.manifests())
    address = f"http://{chat.NAME}.{place.name}:{chat.PORT}/team/{chat.KEY}"
    words = ("--from-literal", f"address={address}", "--from-literal", f"token={TOKEN}")
    place.kubectl("create", "secret", "generic", "team", *words)
    allowed = ("--verb=get", "--resource=secrets", "--resource-name=team")
    place.kubectl("create", "role", "outrider-alerts", *allowed)
    agent = f"--serviceaccount={place.name}:outrider-agent"
    place.kubectl("create", "rolebinding", "outrider-alerts", "--role=outrider-alerts", agent)
    place.kubectl.apply(
        [
            chat.provider(place, "all", messageTemplate="{{ name }}: {{ message }}"),
            chat.provider(place, "team", "slack", secretRef={"name": "team"}),
            chat.provider(place, chat.BUSY),
            chat.provider(place, chat.HANGS),
            chat.provider(place, chat.FAILS),
        ]
    )
    place.complete(chat.NAME)


def heard(place: Namespace, name: str) -> list[tuple[str, str]]:
    said = [body for _, body in chat.shown(place)["taken"].get(name, [])]
    return [(body["severity"], body["message"]) for body in said]


def hears(place: Namespace, name: str, expected: list[tuple[str, str]]) -> None:
    eventually(f"{name} has heard", lambda: len(heard(place, name)) >= len(expected), timeout=20)
    assert heard(place, name) == expected


@pytest.mark.settled
def test_each_end_is_told_once_whoever_hangs_or_fails(
    namespace: Namespace, load: Load, figure: Callable[[str], None]
) -> None:
    receivers(namespace)
    routes = [route(name) for name in ("all", chat.BUSY, chat.HANGS, "nobody")]
    written = canary(analysis=analysis(alerts=[*routes, route("team", "error")]))
    managed(namespace, written)
    load(namespace, *PATIENT)
    assert released(namespace, GOOD).outcome == "promoted"
    assert released(namespace, BAD).outcome == "rolled back"
    began = time.monotonic()
    hears(namespace, "all", [(severity, f"shop: {text}") for severity, text in COURSE])
    figure(f"alerts: the rollback was told {time.monotonic() - began:.1f} s after it was seen")
    hears(namespace, chat.BUSY, COURSE)
    assert chat.shown(namespace)["refused"] == {chat.BUSY: 2}
    eventually("the team is told", lambda: "team" in chat.shown(namespace)["taken"], timeout=20)
    ((bearer, said),) = chat.shown(namespace)["taken"]["team"]
    (attachment,) = said["attachments"]
    assert (bearer, attachment["text"]) == (f"Bearer {TOKEN}", REFUSED[1])
    undelivered = "alert {0} is not delivered to AlertProvider {0}: "
    says_once(namespace, undelivered.format("nobody"))
    says_once(namespace, undelivered.format(chat.HANGS))
    counted = 'outrider_alerts_total{outcome="delivered",provider="slack"} 1.0'
    eventually("it is counted", lambda: counted in metrics(namespace), timeout=20)
    nothing_secret_is_shown(namespace)


def says_once(place: Namespace, text: str) -> None:
    def said() -> list[str]:
        found = [one["message"] for one in events_of(place, "Canary", "shop")]
        return [one for one in found if text in one]

    eventually(text, said, timeout=30)
    assert len(said()) == 1


def metrics(place: Namespace) -> str:
    holder = place.read("Lease", AGENT)["spec"]["holderIdentity"]
    found = place.read("Pod", holder)
    with urllib.request.urlopen(
        f"http://{found['status']['podIP']}:8080/metrics", timeout=5
    ) as answer:
        text: str = answer.read().decode()
    return text


def nothing_secret_is_shown(place: Namespace) -> None:
    logs = place.kubectl("logs", "--selector=app.kubernetes.io/name=outrider-agent", "--tail=-1")
    for text in (logs, str(place.list("Event")), str(place.read("Canary", "shop"))):
        assert chat.KEY not in text
        assert TOKEN not in text


@pytest.mark.soak
def test_an_alert_outlives_the_agent_that_raised_it(namespace: Namespace, node: Node) -> None:
    receivers(namespace)
    routes = [route(chat.FAILS, "error")]
    fast = analysis(alerts=routes, metrics=[], maxDuration="3s", interval="1m")
    managed(namespace, canary(analysis=fast), SMALL)
    namespace.kubectl.apply(GOOD.manifests())
    reaches(namespace, "Failed")
    text = "Not promoted within maxDuration 3s"
    eventually("it was tried", lambda: chat.shown(namespace)["refused"])
    acting_agent(namespace, node)
    chat.heal(namespace, chat.FAILS)
    eventually("it is told", lambda: heard(namespace, chat.FAILS), timeout=40)
    assert set(heard(namespace, chat.FAILS)) == {("error", text)}
    eventually("none waits", lambda: "alerts" not in namespace.status(), timeout=20)
