"""What each chat system is sent, and how its answer is read."""

import json
from dataclasses import replace

import pytest

from delivery.alert import ERROR, INFO, WARN
from delivery.alerts import NOTIFIERS, Destination, Notice, Undelivered, notifier_of
from delivery.alerts.interface import JSON

FIELDS = (("Target", "Deployment/app.shop"), ("Failed checks threshold", "2"))
NOTICE = Notice(
    name="web",
    namespace="shop",
    target="app",
    severity=ERROR,
    text="Failed checks: 5 < 6 & more",
    phase="Failed",
    fields=FIELDS,
    at=1_700_000_000.5,
    key="shop/web/1",
)
TO = Destination("https://hooks.example.com/services/T0/abcdefghij", "t0ken-of-ours", "ops", "bot")
ESCAPED = "Failed checks: 5 &lt; 6 &amp; more"
SLACK: JSON = {
    "channel": "ops",
    "username": "bot",
    "icon_emoji": ":rocket:",
    "attachments": [
        {
            "color": "danger",
            "author_name": "web.shop",
            "text": ESCAPED,
            "fallback": f"web.shop: {ESCAPED}",
            "mrkdwn_in": ["text"],
            "fields": [{"title": key, "value": value, "short": False} for key, value in FIELDS],
        }
    ],
}
CARD: JSON = {
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "type": "AdaptiveCard",
    "version": "1.4",
    "body": [
        {
            "type": "TextBlock",
            "text": NOTICE.text,
            "wrap": True,
            "weight": "Bolder",
            "size": "Medium",
            "color": "Attention",
        },
        {
            "type": "TextBlock",
            "text": "web.shop",
            "wrap": True,
            "isSubtle": True,
            "spacing": "None",
        },
        {"type": "FactSet", "facts": [{"title": key, "value": value} for key, value in FIELDS]},
    ],
    "msteams": {"width": "Full"},
}
TEAMS: JSON = {
    "type": "message",
    "summary": "web.shop",
    "attachments": [
        {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": None,
            "content": CARD,
        }
    ],
}
SAID = {"textParagraph": {"text": f'<font color="#D93025"><b>{ESCAPED}</b></font>'}}
GOOGLE: JSON = {
    "cardsV2": [
        {
            "cardId": "alert",
            "card": {
                "header": {"title": "bot", "subtitle": "web.shop"},
                "sections": [
                    {
                        "widgets": [
                            SAID,
                            *(
                                {
                                    "decoratedText": {
                                        "topLabel": key,
                                        "text": value,
                                        "wrapText": True,
                                    }
                                }
                                for key, value in FIELDS
                            ),
                        ]
                    }
                ],
            },
        }
    ]
}
PAGER: JSON = {
    "routing_key": "t0ken-of-ours",
    "event_action": "trigger",
    "dedup_key": "shop/web/1",
    "client": "Outrider",
    "payload": {
        "summary": f"web.shop: {NOTICE.text}",
        "source": "web.shop",
        "severity": "error",
        "timestamp": "2023-11-14T22:13:20.500000Z",
        "component": "app",
        "group": "shop",
        "class": "Failed",
        "custom_details": dict(FIELDS),
    },
}
PLAIN: JSON = {
    "id": "shop/web/1",
    "name": "web",
    "namespace": "shop",
    "target": "app",
    "phase": "Failed",
    "severity": "error",
    "message": NOTICE.text,
    "timestamp": "2023-11-14T22:13:20.500000Z",
    "fields": dict(FIELDS),
}
ROCKET: JSON = {**SLACK, "attachments": [{**SLACK["attachments"][0], "color": "#FF0000"}]}
BODIES = {
    "slack": SLACK,
    "discord": SLACK,
    "rocket": ROCKET,
    "msteams": TEAMS,
    "gchat": GOOGLE,
    "pagerduty": PAGER,
    "webhook": PLAIN,
}


def test_each_kind_has_its_body_here() -> None:
    assert BODIES.keys() == NOTIFIERS.keys()


@pytest.mark.parametrize("kind", BODIES)
def test_what_is_sent(kind: str) -> None:
    assert json.loads(json.dumps(NOTIFIERS[kind].body(NOTICE, TO))) == BODIES[kind]


@pytest.mark.parametrize(
    ("kind", "info", "warn"),
    [
        ("slack", "good", "warning"),
        ("discord", "good", "warning"),
        ("rocket", "#0076D7", "#FFA500"),
        ("msteams", "Good", "Warning"),
        ("gchat", "#188038", "#F29900"),
        ("pagerduty", '"info"', '"warning"'),
    ],
)
def test_how_bad_it_is_can_be_seen(kind: str, info: str, warn: str) -> None:
    for severity, shown in ((INFO, info), (WARN, warn)):
        found = json.dumps(NOTIFIERS[kind].body(replace(NOTICE, severity=severity), TO))
        assert shown in found


def test_a_card_without_facts_has_no_empty_list_of_them() -> None:
    card = NOTIFIERS["msteams"].body(replace(NOTICE, fields=()), TO)["attachments"][0]["content"]
    assert [one["type"] for one in card["body"]] == ["TextBlock", "TextBlock"]


def test_a_card_shows_no_links_of_an_apps_own() -> None:
    notice = replace(NOTICE, text="see [here](http://x)")
    card = NOTIFIERS["msteams"].body(notice, TO)["attachments"][0]["content"]
    assert card["body"][0]["text"] == "see \\[here\\](http://x)"


@pytest.mark.parametrize(
    ("given", "posted"),
    [
        ("https://d.example.com/api/1/x", "https://d.example.com/api/1/x/slack"),
        ("https://d.example.com/api/1/x/", "https://d.example.com/api/1/x/slack"),
        ("https://d.example.com/api/1/x/slack", "https://d.example.com/api/1/x/slack"),
        ("https://d.example.com/x?wait=true", "https://d.example.com/x/slack?wait=true"),
    ],
)
def test_discord_is_asked_as_slack(given: str, posted: str) -> None:
    assert NOTIFIERS["discord"].url(given) == posted


@pytest.mark.parametrize("kind", NOTIFIERS)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_every_success_is_one(kind: str, status: int) -> None:
    NOTIFIERS[kind].read(status, b"ok")


@pytest.mark.parametrize(
    ("status", "lasting"), [(400, True), (302, True), (404, True), (408, False), (429, False)]
)
@pytest.mark.parametrize("kind", NOTIFIERS)
def test_what_is_refused_is_not_tried_again(kind: str, status: int, lasting: bool) -> None:
    with pytest.raises(Undelivered, match=f"Status {status} text: no") as error:
        NOTIFIERS[kind].read(status, b"no")
    assert error.value.lasting is lasting
    with pytest.raises(Undelivered) as error:
        NOTIFIERS[kind].read(503, b"")
    assert not error.value.lasting


@pytest.mark.parametrize(("said", "lasting"), [("channel_not_found", True), ("ratelimited", False)])
def test_slacks_api_refuses_with_a_success(said: str, lasting: bool) -> None:
    answer = json.dumps({"ok": False, "error": said}).encode()
    with pytest.raises(Undelivered, match=f"Slack refused: {said}") as error:
        NOTIFIERS["slack"].read(200, answer)
    assert error.value.lasting is lasting
    NOTIFIERS["slack"].read(200, b'{"ok": true}')
    NOTIFIERS["slack"].read(200, b'["ok"]')


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(Undelivered, match='"smoke" is not known; use one of: discord, gchat, ms'):
        notifier_of("smoke")
