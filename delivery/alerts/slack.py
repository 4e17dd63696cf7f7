"""Slack: an incoming webhook, or its API with a bot's token (reference, 8.3)."""

import json

from delivery.alert import ERROR, WARN
from delivery.alerts.attachment import message
from delivery.alerts.interface import JSON, Destination, Notice, Notifier, Undelivered, accepted

COLORS = {ERROR: "danger", WARN: "warning"}
GOOD = "good"


def body(notice: Notice, to: Destination) -> JSON:
    return message(notice, to, COLORS.get(notice.severity, GOOD))


def read(status: int, answer: bytes) -> None:
    """The API says 200 also when it refuses."""
    accepted(status, answer)
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        return
    if isinstance(said, dict) and said.get("ok") is False:
        error = str(said.get("error", ""))
        raise Undelivered(f"Slack refused: {error[:100]}", lasting=error != "ratelimited")


SLACK = Notifier(body, read=read)
