"""Discord, which understands what is meant for Slack at an address of its own (reference, 8.3)."""

from urllib.parse import urlsplit, urlunsplit

from delivery.alert import ERROR, WARN
from delivery.alerts.attachment import message
from delivery.alerts.interface import JSON, Destination, Notice, Notifier

COLORS = {ERROR: "danger", WARN: "warning"}
GOOD = "good"
SUFFIX = "/slack"


def body(notice: Notice, to: Destination) -> JSON:
    return message(notice, to, COLORS.get(notice.severity, GOOD))


def url(address: str) -> str:
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    return urlunsplit(parts._replace(path=path if path.endswith(SUFFIX) else path + SUFFIX))


DISCORD = Notifier(body, url=url)
