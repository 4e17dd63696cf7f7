"""A provider that is switched while a release is under way: it counts when that has ended.

Until then requests go on being divided as they began to be. In a mesh that lets only its own pods
talk to each other (STRICT) nothing else would do: routers of ours are no part of it.
"""

from collections.abc import Mapping
from typing import Any

from delivery import schema
from delivery.canary import IDLE, Phase
from delivery.mapping import mapping
from delivery.names import ABORT
from delivery.routers.table import ROUTERS, router_of

Manifest = Mapping[str, Any]

RELEASING = frozenset(
    {Phase.PROGRESSING, Phase.WAITING_PROMOTION, Phase.PROMOTING, Phase.FINALISING}
)
OWN = ("envoy", "kubernetes")
OF_CALLS = ":grpc"
"""What the app's protocol makes of a provider is another matter."""
PROVIDERS = frozenset({*OWN, *(one.removesuffix(OF_CALLS) for one in ROUTERS)})


def held(canary: Manifest) -> Manifest:
    """With the provider that its release began with; itself where that is the one it names."""
    begun = begun_with(canary)
    if not begun or begun == provider_of(canary):
        return canary
    return {**canary, "spec": {**canary["spec"], "provider": begun}}


def provider_of(canary: Manifest) -> str:
    spec = mapping(canary, "spec")
    return (router_of(spec) or str(spec.get("provider") or OWN[0])).removesuffix(OF_CALLS)


def begun_with(canary: Manifest) -> str:
    """Empty while no release is under way, none of its pods either, and where nobody knows."""
    status = mapping(canary, "status")
    phase = str(status.get("phase"))
    moving = phase in RELEASING or (phase in IDLE and status.get("scale"))
    begun = str(status.get("provider")).removesuffix(OF_CALLS)
    return begun if moving and begun in PROVIDERS else ""


def caution(canary: Manifest) -> str:
    """Field, value and fix; empty where nothing is switched."""
    begun, metadata = begun_with(canary), mapping(canary, "metadata")
    if held(canary) is canary:
        return ""
    name = f"{metadata.get('name', '')} -n {metadata.get('namespace', '')}"
    return (
        f'spec.provider: "{provider_of(canary)}" counts when the release under way has ended, '
        f'which goes on with "{begun}"; to end it now: kubectl annotate canary/{name} {ABORT}=true'
    )


def cautions(canary: Manifest) -> tuple[str, ...]:
    return tuple(filter(None, (caution(canary),)))


def problems(canary: Manifest) -> tuple[str, ...]:
    """Also of what it says for the provider that its release goes on with."""
    own, begun = schema.problems(canary), held(canary)
    if own or begun is canary:
        return own
    return tuple(f"{one} ({caution(canary)})" for one in schema.problems(begun))
