"""What is wrong with labels and annotations that Services are to bear, told at admission."""

import re
from collections.abc import Iterator

from delivery.api.canary import Canary

NAME = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
KEY = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{NAME}")
VALUE = re.compile(rf"({NAME})?")


def metadata_problems(canary: Canary) -> Iterator[str]:
    """The API server would refuse the whole Service."""
    service = canary.spec.service
    if service is None:
        return
    said = {"apex": service.apex, "primary": service.primary, "canary": service.canary}
    for role, metadata in said.items():
        for field in ("labels", "annotations"):
            found = getattr(metadata, field, None) or {}
            path = f"spec.service.{role}.{field}"
            yield from pairs_can_be_borne(path, found, values=field == "labels")


def pairs_can_be_borne(path: str, said: dict[str, str], *, values: bool) -> Iterator[str]:
    for key, value in said.items():
        if not KEY.fullmatch(key):
            yield f'{path}: "{key}" is no key; write it such as example.com/team'
        elif values and not VALUE.fullmatch(value):
            yield (
                f'{path}.{key}: "{value}" is no value of a label; use up to 63 letters, digits, '
                "-, _ and ., or an annotation"
            )
