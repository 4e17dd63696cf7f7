"""Points in time: seconds since the epoch inside, RFC 3339 to the microsecond on the wire."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).total_seconds()
"""What can be written."""


def epoch(value: object) -> float:
    """Seconds since the epoch from RFC 3339 text; a number is taken as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= LATEST:
            raise ValueError(f"{value} is no time: use seconds since 1970")
        return float(value)
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(f'"{value}" names no time zone; end it with Z')
    return (moment - EPOCH).total_seconds()


def rfc3339(seconds: float) -> str:
    moment = EPOCH + timedelta(seconds=seconds)
    return moment.isoformat().replace("+00:00", "Z")


Instant = Annotated[
    float,
    PlainValidator(epoch),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
