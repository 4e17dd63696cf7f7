"""Alerts to real receivers on loopback: told until heard, never waited for, no secret shown."""

import logging
import threading
import time
from dataclasses import replace

import pytest

from agent import alerts as module
from agent.alerts import AT_ONCE_EACH
from delivery.alert import ERROR, INFO, WARN, Alert, Route
from delivery.providers import BadAnswer, Request
from tests.agent.receiver import HANGS, RESETS, Receiver
from tests.agent.running_router import free_port
from tests.agent.telling import OPS, Telling, canary, provider

BEGUN = Alert(INFO, "begun", detailed=True, phase="Progressing", at=1.0)
ENDED = Alert(ERROR, "ended", phase="Failed", at=2.0)
UNDELIVERED = "alert ops is not delivered to AlertProvider chat: "


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of milliseconds."""
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(module, "LONGEST_PAUSE_SECONDS", 0.05)


def test_an_alert_is_told_once_and_counted() -> None:
    with Receiver() as receiver:
        telling, found = Telling(provider(receiver.url)), canary(BEGUN)
        telling.told(found)
        assert telling.look(found) == {1.0}
    (body,) = receiver.bodies
    assert (body["message"], body["phase"], body["id"]) == (
        "begun",
        "Progressing",
        "shop/web/1.000000",
    )
    assert body["fields"]["Traffic routing"] == "Weight step: 10 max: 100"
    assert receiver.headers[0]["content-type"] == "application/json"
    assert (telling.counted, telling.said) == ([("webhook", "delivered")], [])
    assert telling.woken.is_set()


@pytest.mark.parametrize("kind", ["slack", "msteams", "discord", "rocket", "gchat", "pagerduty"])
def test_every_kind_reaches_a_real_server(kind: str) -> None:
    with Receiver(202) as receiver:
        said = provider(receiver.url, kind, secretRef={"name": "hook"})
        Telling(said, hook={"token": "routing-key"}).told(canary(ENDED))
    assert len(receiver.bodies) == 1
    assert receiver.paths == ["/hook-secret/slack" if kind == "discord" else "/hook-secret"]
    bearer = receiver.headers[0].get("authorization")
    assert bearer == (None if kind == "pagerduty" else "Bearer routing-key")


@pytest.mark.parametrize("trouble", [500, 503, 429, RESETS])
def test_a_receiver_in_trouble_is_asked_again_later(trouble: int) -> None:
    with Receiver(trouble, trouble, 200) as receiver:
        telling = Telling(provider(receiver.url)).told(canary(ENDED))
    assert len(receiver.bodies) == 3
    assert telling.counted == [("webhook", "failed")] * 2 + [("webhook", "delivered")]
    first, second, third = receiver.times
    assert second - first >= 0.02
    assert third - second >= 0.04
    (text,) = telling.said
    assert text.startswith(UNDELIVERED)


def test_a_receiver_that_failed_once_is_no_news() -> None:
    with Receiver(500, 200) as receiver:
        telling = Telling(provider(receiver.url)).told(canary(ENDED))
    assert telling.said == []


def test_what_is_refused_is_lost_and_said() -> None:
    with Receiver(404, body=b"no such hook") as receiver:
        telling, found = Telling(provider(receiver.url)), canary(ENDED)
        telling.told(found)
        telling.look(found)
    assert len(receiver.bodies) == 1
    assert telling.said == [f"{UNDELIVERED}Status 404 text: no such hook"]
    assert telling.counted == [("webhook", "failed"), ("webhook", "lost")]


def test_a_redirect_is_not_followed() -> None:
    with Receiver(302) as receiver:
        Telling(provider(receiver.url)).told(canary(ENDED))
    assert len(receiver.bodies) == 1


def test_a_receiver_that_hangs_delays_neither_a_turn_nor_another_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(module, "GRACE_SECONDS", 1.0)
    routes = (OPS, Route("other", "other"))
    with Receiver(HANGS) as deaf, Receiver() as receiver:
        telling = Telling(provider(deaf.url), provider(receiver.url, name="other"))
        found = canary(ENDED, routes=routes)
        telling.until(found, lambda: receiver.bodies)
        assert telling.look(found) == frozenset()
        telling.until(found, lambda: telling.said)
    assert telling.said[0] == f"{UNDELIVERED}request failed: no answer within 1 s"


def test_a_thread_that_never_comes_back_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.01)
    never, asked = threading.Event(), []

    def hanging(request: Request) -> tuple[int, bytes]:
        asked.append(request)
        never.wait()
        return 200, b""

    telling, found = Telling(provider("http://127.0.0.1:1"), sending=hanging), canary(ENDED)
    telling.until(found, lambda: len(asked) == AT_ONCE_EACH)
    for _ in range(20):
        telling.look(found)
        time.sleep(0.01)
    assert len(asked) == AT_ONCE_EACH
    never.set()
    telling.told(found)
    assert ("webhook", "delivered") in telling.counted


def test_after_long_enough_an_alert_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GIVEN_UP_SECONDS", 0.1)
    telling = Telling(provider(f"http://127.0.0.1:{free_port('127.0.0.1')}"))
    telling.told(canary(ENDED))
    assert telling.counted[-1] == ("webhook", "lost")
    assert "Connection refused" in telling.said[0]
    assert len(telling.said) == 1


def test_a_provider_that_comes_later_is_told_then() -> None:
    with Receiver() as receiver:
        telling, found = Telling(), canary(ENDED)
        telling.until(found, lambda: telling.said)
        assert telling.said == [f"{UNDELIVERED}there is no such AlertProvider in this namespace"]
        telling.providers.append(provider(receiver.url))
        telling.told(found)
    assert len(telling.said) == 1
    assert len(receiver.bodies) == 1
    assert telling.counted[0] == ("unknown", "failed")


def test_the_same_trouble_is_said_again_after_a_success() -> None:
    with Receiver(404, 200, 404) as receiver:
        telling = Telling(provider(receiver.url))
        for at in (1.0, 2.0, 3.0):
            telling.told(canary(replace(ENDED, at=at)))
    assert telling.said == [f"{UNDELIVERED}Status 404 text: ok"] * 2


def test_alerts_come_in_order_by_each_way() -> None:
    with Receiver(500, 500, 200) as receiver:
        Telling(provider(receiver.url)).told(canary(BEGUN, ENDED))
    assert [body["message"] for body in receiver.bodies] == ["begun"] * 3 + ["ended"]


def test_each_route_hears_what_it_wants() -> None:
    routes = (OPS, Route("team", "team", ERROR), Route("few", "few", WARN))
    with Receiver() as all_of_it, Receiver() as errors, Receiver() as warnings:
        telling = Telling(
            provider(all_of_it.url),
            provider(errors.url, name="team"),
            provider(warnings.url, name="few"),
        )
        telling.told(canary(BEGUN, replace(ENDED, severity=WARN), routes=routes))
    heard = [len(one.bodies) for one in (all_of_it, errors, warnings)]
    assert heard == [2, 0, 1]


def test_what_nobody_wants_any_more_is_told_to_nobody() -> None:
    telling = Telling()
    assert telling.look(canary(ENDED, routes=())) == {2.0}


def test_a_secret_is_asked_for_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Receiver(400, body=b"bad key s3cret-key and /hook-secret") as receiver:
        said = provider(receiver.url, secretRef={"name": "hook"})
        telling = Telling(said, hook={"token": "s3cret-key"}).told(canary(ENDED))
        assert receiver.headers[0]["authorization"] == "Bearer s3cret-key"
    assert telling.said == [f"{UNDELIVERED}Status 400 text: bad key *** and ***"]
    assert "s3cret-key" not in caplog.text
    assert "hook-secret" not in caplog.text


def test_a_transport_error_shows_no_secret_either() -> None:
    def failing(request: Request) -> tuple[int, bytes]:
        raise BadAnswer(f"request failed: {request.url}")

    telling = Telling(provider("http://x.example/hook-secret"), sending=failing)
    telling.until(canary(ENDED), lambda: telling.said)
    assert telling.said == [f"{UNDELIVERED}request failed: ***"]


def test_a_secret_that_cannot_be_read_is_said() -> None:
    telling, found = Telling(provider("http://x", secretRef={"name": "hook"})), canary(ENDED)
    telling.until(found, lambda: telling.said)
    assert telling.said == [f'{UNDELIVERED}secret hook error: secrets "hook" not found']


def test_a_template_that_does_not_fit_is_said_and_the_alert_told() -> None:
    template = '{{ index fields "Cluster" }}'
    with Receiver() as receiver:
        said = provider(receiver.url, messageTemplate=template)
        telling = Telling(said).told(canary(ENDED))
        telling.look(canary(ENDED))
    assert receiver.bodies[0]["message"] == "ended"
    assert telling.counted == [("webhook", "delivered")]


def test_a_proxy_is_asked() -> None:
    with Receiver() as proxy:
        address = proxy.url.removesuffix("/hook-secret")
        said = provider("http://chat.example.com/x", proxy=address)
        Telling(said).told(canary(ENDED))
    assert proxy.paths == ["http://chat.example.com/x"]


def test_what_was_told_of_a_canary_that_is_gone_is_forgotten() -> None:
    with Receiver() as receiver:
        telling, found = Telling(provider(receiver.url)), canary(ENDED)
        telling.told(found)
        telling.alerts.keep([canary(uid="u2")])
        assert telling.alerts.deliveries == {}
        telling.told(found)
        telling.look(canary())
    assert len(receiver.bodies) == 2
    assert telling.alerts.deliveries == {}


def test_a_provider_of_another_namespace_is_told_with_its_own_secret() -> None:
    lent = Route("ops", "chat", namespace="tools")
    with Receiver() as receiver:
        said = provider(receiver.url, secretRef={"name": "hook"})
        telling = Telling(said, hook={"token": "t"}).told(canary(ENDED, routes=[lent]))
    assert (telling.owners, telling.counted) == (["tools"], [("webhook", "delivered")])


def test_one_that_is_not_offered_or_not_there_is_said_so() -> None:
    closed, away = (Route("ops", "chat", namespace=one) for one in ("closed", "tools"))
    for route, why in (
        (closed, "providerRef.namespace: ask for it"),
        (away, "there is no such AlertProvider in namespace tools"),
    ):
        said = Telling().until_said(canary(ENDED, routes=[route]))
        assert said == [UNDELIVERED + why]
