"""Microsoft Teams: an Adaptive Card, as the Workflows take it that replaced its connectors."""

from delivery.alert import ERROR, WARN
from delivery.alerts.interface import JSON, Destination, Notice, Notifier

COLORS = {ERROR: "Attention", WARN: "Warning"}
GOOD = "Good"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
CARD = "application/vnd.microsoft.card.adaptive"


def body(notice: Notice, to: Destination) -> JSON:
    attachment = {"contentType": CARD, "contentUrl": None, "content": card(notice)}
    return {"type": "message", "summary": notice.whose, "attachments": [attachment]}


def card(notice: Notice) -> JSON:
    color = COLORS.get(notice.severity, GOOD)
    elements = [
        block(escaped(notice.text), weight="Bolder", size="Medium", color=color),
        block(notice.whose, isSubtle=True, spacing="None"),
    ]
    if notice.fields:
        facts = [{"title": title, "value": value} for title, value in notice.fields]
        elements.append({"type": "FactSet", "facts": facts})
    return {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": elements,
        "msteams": {"width": "Full"},
    }


def block(text: str, **style: object) -> JSON:
    return {"type": "TextBlock", "text": text, "wrap": True, **style}


def escaped(text: str) -> str:
    """A text block reads Markdown; what an app says in its errors may make no links."""
    return "".join(f"\\{letter}" if letter in "\\[]*_" else letter for letter in text)


MSTEAMS = Notifier(body)
