"""An empty mapping that cannot be changed, for defaults of frozen values."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def frozen() -> Mapping[Any, Any]:
    return MappingProxyType({})
