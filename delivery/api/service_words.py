"""`spec.service` of a Canary -> the value that external routers are given."""

from typing import Any

from delivery.api.model import Model
from delivery.api.service import Metadata, Service
from delivery.service_words import ServiceWords


def service_words(said: Service | None) -> ServiceWords:
    if said is None:
        return ServiceWords()
    apex = said.apex or Metadata()
    return ServiceWords(
        name=said.name or "",
        port=said.port,
        port_name=said.port_name or "",
        target_port=said.target_port or said.port,
        app_protocol=said.app_protocol or "",
        port_discovery=bool(said.port_discovery),
        hosts=said.hosts or (),
        gateways=said.gateways or (),
        gateway_refs=words_of_each(said.gateway_refs),
        delegation=bool(said.delegation),
        match=words_of_each(said.match),
        rewrite=words(said.rewrite),
        timeout=said.timeout or "",
        backend_timeout=said.backend_timeout or "",
        retries=words(said.retries),
        headers=words(said.headers),
        cors_policy=words(said.cors_policy),
        traffic_policy=words(said.traffic_policy),
        mirror=words_of_each(said.mirror),
        labels=apex.labels or {},
        annotations=apex.annotations or {},
        primary=words(said.primary),
        canary=words(said.canary),
    )


def words(said: Model | None) -> dict[str, Any]:
    """In the words of the resource, without what was not said."""
    if said is None:
        return {}
    return said.model_dump(mode="json", by_alias=True, exclude_none=True)


def words_of_each(said: tuple[Model, ...] | None) -> tuple[dict[str, Any], ...]:
    return tuple(words(one) for one in said or ())
