"""Google Chat: a card of the second version, the one that its webhooks take today."""

from delivery.alert import ERROR, WARN
from delivery.alerts.interface import JSON, Destination, Notice, Notifier

COLORS = {ERROR: "#D93025", WARN: "#F29900"}
GOOD = "#188038"


def escape(text: str) -> str:
    """A text is HTML; what an app says in its errors may make no links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def body(notice: Notice, to: Destination) -> JSON:
    color = COLORS.get(notice.severity, GOOD)
    said = f'<font color="{color}"><b>{escape(notice.text)}</b></font>'
    widgets: list[JSON] = [{"textParagraph": {"text": said}}]
    widgets += [
        {"decoratedText": {"topLabel": title, "text": escape(value), "wrapText": True}}
        for title, value in notice.fields
    ]
    card = {
        "header": {"title": to.username, "subtitle": notice.whose},
        "sections": [{"widgets": widgets}],
    }
    return {"cardsV2": [{"cardId": "alert", "card": card}]}


GCHAT = Notifier(body)
