"""Whom alerts are told: each chat system is a body and a reading of its answer, pure."""

from collections.abc import Mapping

from delivery.alerts.discord import DISCORD
from delivery.alerts.gchat import GCHAT
from delivery.alerts.interface import Destination, Notice, Notifier, Undelivered
from delivery.alerts.msteams import MSTEAMS
from delivery.alerts.pagerduty import PAGERDUTY
from delivery.alerts.rocket import ROCKET
from delivery.alerts.slack import SLACK
from delivery.alerts.webhook import WEBHOOK

__all__ = ["NOTIFIERS", "Destination", "Notice", "Notifier", "Undelivered", "notifier_of"]

NOTIFIERS: Mapping[str, Notifier] = {
    "slack": SLACK,
    "msteams": MSTEAMS,
    "discord": DISCORD,
    "rocket": ROCKET,
    "gchat": GCHAT,
    "pagerduty": PAGERDUTY,
    "webhook": WEBHOOK,
}


def notifier_of(kind: str) -> Notifier:
    """Raises Undelivered for an unknown one: there is none by default."""
    try:
        return NOTIFIERS[kind]
    except KeyError:
        known = ", ".join(sorted(NOTIFIERS))
        raise Undelivered(f'type "{kind}" is not known; use one of: {known}') from None
