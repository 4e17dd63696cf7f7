"""The external routers by the name of their provider."""

from collections.abc import Mapping

from delivery.routers.interface import Router

ROUTERS: Mapping[str, Router] = {}
