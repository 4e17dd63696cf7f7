"""A plain webhook: one JSON object, for a receiver of one's own."""

from delivery.alerts.interface import JSON, Destination, Notice, Notifier
from delivery.api.instant import rfc3339


def body(notice: Notice, to: Destination) -> JSON:
    """Its `id` is the same each time that one alert is told."""
    return {
        "id": notice.key,
        "name": notice.name,
        "namespace": notice.namespace,
        "target": notice.target,
        "phase": notice.phase,
        "severity": notice.severity,
        "message": notice.text,
        "timestamp": rfc3339(notice.at),
        "fields": dict(notice.fields),
    }


WEBHOOK = Notifier(body)
