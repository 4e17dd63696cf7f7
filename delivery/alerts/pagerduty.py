"""PagerDuty: an event of its Events API v2; the Secret's token is the integration's routing key."""

from delivery.alert import ERROR, INFO, WARN
from delivery.alerts.interface import JSON, Destination, Notice, Notifier
from delivery.api.instant import rfc3339

SEVERITIES = {INFO: "info", WARN: "warning", ERROR: "error"}
LONGEST = 1024
"""Characters of a summary."""


def body(notice: Notice, to: Destination) -> JSON:
    """The same key each time: one that is told again makes no second incident."""
    payload = {
        "summary": f"{notice.whose}: {notice.text}"[:LONGEST],
        "source": notice.whose,
        "severity": SEVERITIES.get(notice.severity, "error"),
        "timestamp": rfc3339(notice.at),
        "component": notice.target,
        "group": notice.namespace,
        "class": notice.phase,
        "custom_details": {title: value for title, value in notice.fields},
    }
    return {
        "routing_key": to.token,
        "event_action": "trigger",
        "dedup_key": notice.key,
        "client": "Outrider",
        "payload": payload,
    }


PAGERDUTY = Notifier(
    body,
    address="https://events.pagerduty.com/v2/enqueue",
    needs_token=True,
    shows_token=False,
)
