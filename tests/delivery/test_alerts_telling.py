"""An alert of a Canary and an AlertProvider become a request that shows nothing secret."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery.alert import INFO, Alert
from delivery.alerts import Destination, Undelivered
from delivery.alerts.telling import notice_of, provider_spec, request, worded
from delivery.api.alert_provider import AlertProviderSpec
from delivery.canary import Analysis, Canary
from delivery.matching import Match
from delivery.templating import TemplateError
from tests.delivery.test_alerts import NOTICE, TO


def spec(kind: str = "slack", **said: Any) -> AlertProviderSpec:
    return provider_spec({"spec": {"type": kind, "address": TO.address, **said}})


def test_what_is_no_alert_provider_says_why() -> None:
    with pytest.raises(Undelivered, match='spec.type: "smoke" is not known; use .*slack'):
        provider_spec({"spec": {"type": "smoke", "address": "http://x"}})
    with pytest.raises(Undelivered, match="spec"):
        provider_spec({})


def test_a_secrets_address_goes_before_the_written_one() -> None:
    assert request(NOTICE, spec(), {}).url == TO.address
    secret = {"address": "https://secret.example.com/key\n", "token": "t0ken"}
    found = request(NOTICE, spec(proxy="http://proxy:3128"), secret)
    assert (found.url, found.proxy) == ("https://secret.example.com/key", "http://proxy:3128")
    assert found.method == "POST"
    assert dict(found.headers) == {
        "Content-Type": "application/json",
        "Authorization": "Bearer t0ken",
    }
    body = json.loads(found.body)
    assert (body["channel"], body["username"]) == ("general", "flagger")


def test_pagerduty_knows_where_it_is_and_takes_the_token_in_the_body() -> None:
    said = provider_spec({"spec": {"type": "pagerduty", "secretRef": {"name": "pager"}}})
    found = request(NOTICE, said, {"token": "routing-key"})
    assert found.url == "https://events.pagerduty.com/v2/enqueue"
    assert dict(found.headers) == {"Content-Type": "application/json"}
    assert json.loads(found.body)["routing_key"] == "routing-key"
    with pytest.raises(Undelivered, match='pagerduty wants a secretRef with the key "token"'):
        request(NOTICE, said, {"other": "x"})


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ({"address": "chat.secret.example"}, "the address is no URL"),
        ({"token": "a\nb"}, "token: header"),
    ],
)
def test_what_cannot_be_sent_says_why_and_no_secret(secret: dict[str, str], why: str) -> None:
    with pytest.raises(Undelivered, match=why) as error:
        request(NOTICE, spec(), secret)
    assert not any(value in str(error.value) for value in secret.values())


def test_without_an_address_there_is_nowhere_to_send_to() -> None:
    said = provider_spec({"spec": {"type": "slack", "secretRef": {"name": "hook"}}})
    with pytest.raises(Undelivered, match="there is no address; set spec.address"):
        request(NOTICE, said, {})


@pytest.mark.parametrize(
    "leak",
    [
        "https://user:pass-word@hooks.example.com/services/T0/abcdefghij?key=value-1",
        "/services/T0/abcdefghij",
        "abcdefghij",
        "pass-word",
        "key=value-1",
        "t0ken-of-ours",
        "another value",
    ],
)
def test_nothing_secret_is_shown(leak: str) -> None:
    address = "https://user:pass-word@hooks.example.com/services/T0/abcdefghij?key=value-1"
    secret = {"address": address, "token": "t0ken-of-ours", "more": "another value"}
    found = request(NOTICE, spec(), secret)
    assert leak not in found.redacted(f"failed: {leak} refused")
    assert leak not in repr(found)
    assert leak not in repr(Destination(address, "t0ken-of-ours"))
    assert list(Destination().secrets()) == ["", ""]


@pytest.mark.parametrize(
    ("analysis", "routing"),
    [
        (Analysis(step_weight=10, max_weight=50), "Weight step: 10 max: 50"),
        (Analysis(step_weights=(1, 2, 10), max_weight=0), "Weight steps: 1,2,10 max: 0"),
        (Analysis(iterations=5), "Blue/Green"),
        (Analysis(iterations=5, match=(Match(),)), "A/B Testing"),
        (Analysis(), None),
    ],
)
def test_what_begins_is_told_with_how_it_goes_on(analysis: Analysis, routing: str | None) -> None:
    canary = Canary("web", "shop", "app", replace(analysis, threshold=3))
    found = notice_of(canary, Alert(INFO, "begun", detailed=True, phase="Progressing", at=5.0))
    first = [
        ("Target", "Deployment/app.shop"),
        ("Failed checks threshold", "3"),
        ("Progress deadline", "600s"),
    ]
    assert list(found.fields) == first + ([("Traffic routing", routing)] if routing else [])
    assert (found.key, found.phase) == ("shop/web/5.000000", "Progressing")
    assert notice_of(canary, Alert(INFO, "ended")).fields == ()
    where = ("Cluster", "east")
    assert notice_of(canary, Alert(INFO, "ended"), "east").fields == (where,)
    assert list(notice_of(canary, Alert(INFO, "x", detailed=True), "east").fields)[:2] == [
        where,
        first[0],
    ]


def test_a_template_words_it_anew() -> None:
    template = (
        '{{ name }}.{{ namespace }} {{ if eq severity "error" }}!{{ end }} {{ message }} '
        '({{ phase }}, {{ index fields "Target" }})'
    )
    text = f"web.shop ! {NOTICE.text} (Failed, Deployment/app.shop)"
    assert worded(NOTICE, template).text == text
    assert worded(NOTICE, None) == NOTICE
    with pytest.raises(TemplateError):
        worded(replace(NOTICE, fields=()), template)
