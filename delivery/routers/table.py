"""The external routers by the name of their provider."""

from collections.abc import Mapping

from delivery.routers.interface import Router
from delivery.routers.istio import Istio

ROUTERS: Mapping[str, Router] = {"istio": Istio()}
