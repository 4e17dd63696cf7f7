"""Rocket.Chat: what is meant for Slack, in colours of its own (reference, 8.3)."""

from delivery.alert import ERROR, WARN
from delivery.alerts.attachment import message
from delivery.alerts.interface import JSON, Destination, Notice, Notifier

COLORS = {ERROR: "#FF0000", WARN: "#FFA500"}
GOOD = "#0076D7"


def body(notice: Notice, to: Destination) -> JSON:
    return message(notice, to, COLORS.get(notice.severity, GOOD))


ROCKET = Notifier(body)
