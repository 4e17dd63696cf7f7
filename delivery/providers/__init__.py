"""Where values of metrics come from: each backend is a request and a reading of its answer, pure.

A backend that is added here is built; the others of Flagger's are accepted and halt the release.
"""

from collections.abc import Mapping

from delivery.providers.interface import (
    BadAnswer,
    BadSettings,
    MultipleValues,
    NoValues,
    Provider,
    QueryError,
    Request,
    Settings,
)
from delivery.providers.prometheus import PROMETHEUS

__all__ = [
    "PROVIDERS",
    "BadAnswer",
    "BadSettings",
    "MultipleValues",
    "NoValues",
    "Provider",
    "QueryError",
    "Request",
    "Settings",
    "provider_of",
]

PROVIDERS: Mapping[str, Provider] = {"prometheus": PROMETHEUS}


def provider_of(kind: str) -> Provider:
    """Raises BadSettings for one that is not built: there is no provider by default."""
    try:
        return PROVIDERS[kind]
    except KeyError:
        known = ", ".join(sorted(PROVIDERS))
        raise BadSettings(f'type "{kind}" is not built; use one of: {known}') from None
