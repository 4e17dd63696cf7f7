"""`spec.service` as external routers need it: how requests reach the app, in its user's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery.frozen import frozen

Said = Mapping[str, Any]
"""As the user wrote it: the routers' own words, that nobody here has to understand."""


@dataclass(frozen=True)
class ServiceWords:
    """What a Canary says of the way to its app; what is not said is empty.

    `labels` and `annotations` are those of the apex, that a router's objects bear too; `primary`
    and `canary` are those of the Services of both halves.
    """

    name: str = ""
    port: int = 0
    port_name: str = ""
    target_port: int | str = ""
    app_protocol: str = ""
    port_discovery: bool = False
    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    gateway_refs: tuple[Said, ...] = ()
    delegation: bool = False
    match: tuple[Said, ...] = ()
    rewrite: Said = field(default_factory=frozen)
    timeout: str = ""
    backend_timeout: str = ""
    retries: Said = field(default_factory=frozen)
    headers: Said = field(default_factory=frozen)
    cors_policy: Said = field(default_factory=frozen)
    traffic_policy: Said = field(default_factory=frozen)
    mirror: tuple[Said, ...] = ()
    labels: Mapping[str, str] = field(default_factory=frozen)
    annotations: Mapping[str, str] = field(default_factory=frozen)
    primary: Said = field(default_factory=frozen)
    canary: Said = field(default_factory=frozen)
