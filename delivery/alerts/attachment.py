"""The message with one attachment that Slack made and that other systems understand as well."""

from delivery.alerts.interface import JSON, Destination, Notice


def message(notice: Notice, to: Destination, color: str) -> JSON:
    return {
        "channel": to.channel,
        "username": to.username,
        "icon_emoji": ":rocket:",
        "attachments": [attachment(notice, color)],
    }


def attachment(notice: Notice, color: str) -> JSON:
    fields = [
        {"title": title, "value": escaped(value), "short": False} for title, value in notice.fields
    ]
    return {
        "color": color,
        "author_name": notice.whose,
        "text": escaped(notice.text),
        "fallback": f"{notice.whose}: {escaped(notice.text)}",
        "mrkdwn_in": ["text"],
        "fields": fields,
    }


def escaped(text: str) -> str:
    """What an app says in its errors may neither mention people nor make links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
