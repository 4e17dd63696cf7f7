"""What a Canary names beside it, and what is said where it may not be read."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from delivery.alert import Route
from delivery.canary import Canary, Metric
from delivery.names import OFFERED_SECRETS, OFFERS_TO

NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
"""Of an object, or of a namespace: nothing that could lead elsewhere in a path."""
RESERVED = ("kube-system", "kube-node-lease", "kube-public")
"""The cluster's own namespaces: nothing of ours is made in them, and so they offer nothing."""
TEMPLATE, PROVIDER, SECRET = "MetricTemplate", "AlertProvider", "Secret"


@dataclass(frozen=True, order=True)
class Named:
    """An object by its kind, namespace and name."""

    kind: str
    namespace: str
    name: str

    @property
    def can_be_there(self) -> bool:
        return bool(NAME.fullmatch(self.namespace) and NAME.fullmatch(self.name))


def template_of(canary: Canary, metric: Metric) -> Named:
    return Named(TEMPLATE, metric.template_namespace or canary.namespace, metric.template)


def provider_of(canary: Canary, route: Route) -> Named:
    return Named(PROVIDER, route.namespace or canary.namespace, route.provider)


def foreign(canary: Canary) -> Iterator[tuple[str, Named]]:
    """Those of other namespaces, each with the path of the field that names it; without a path
    where no field of the Canary does.
    """
    return ((path, named) for path, named in every(canary) if named.namespace != canary.namespace)


def every(canary: Canary) -> Iterator[tuple[str, Named]]:
    for index, metric in enumerate(canary.analysis.metrics):
        if metric.template:
            yield f"spec.analysis.metrics[{index}].templateRef", template_of(canary, metric)
    for index, route in enumerate(canary.analysis.alerts):
        path = "" if route.everybodys else f"spec.analysis.alerts[{index}].providerRef"
        yield path, provider_of(canary, route)


def unoffered(
    path: str, kind: str, namespace: str, own: str, reserved: Collection[str] = RESERVED
) -> str:
    """Field, value, fix; those that are `reserved` cannot offer anything, whatever they say."""
    if namespace in reserved:
        return (
            f'{path}.namespace: "{namespace}" can offer no {kind}s, for nothing is shared out of '
            f'the namespaces of the cluster and of Outrider; put a copy into "{own}", or into '
            "a namespace of your own"
        )
    return (
        f'{path}.namespace: "{namespace}" does not offer its {kind}s to "{own}"; have its owner '
        f"run: kubectl annotate namespace {namespace} {OFFERS_TO}={own} "
        "(several with commas between them, or *)"
    )


def unoffered_secret(secret: str, namespace: str) -> str:
    """What its owner is to do."""
    return (
        f'the agent may not read it; have the owner of "{namespace}" allow that one: '
        f"kubectl -n {namespace} create role {OFFERED_SECRETS} --verb=get --resource=secrets "
        f"--resource-name={secret} (or name it too in that Role)"
    )
