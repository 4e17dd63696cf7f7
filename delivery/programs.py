"""The two programs that run in a user's namespace: their images, their sizes, how they are run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from delivery import names
from delivery.quantity import quantity

Amounts = tuple[tuple[str, str], ...]
"""Kubernetes quantities by resource, as in a manifest."""
RESOURCES = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True)
class Size:
    """What a container asks for, and the most that it may take."""

    requests: Amounts
    limits: Amounts

    def manifest(self) -> dict[str, dict[str, str]]:
        said = {"requests": dict(self.requests), "limits": dict(self.limits)}
        return {key: amounts for key, amounts in said.items() if amounts}


AGENT_SIZE = Size(
    requests=(("cpu", "10m"), ("memory", "96Mi")), limits=(("cpu", "1"), ("memory", "384Mi"))
)
ROUTER_SIZE = Size(
    requests=(("cpu", "10m"), ("memory", "64Mi")),
    # As many cores as Envoy has threads: the limit is there for quotas, and slows nobody.
    limits=(("cpu", "2"), ("memory", "1Gi")),
)


@dataclass(frozen=True)
class Programs:
    """The images of both, and what all their pods get.

    `pull_secrets` are names of Secrets that the user keeps in the namespace. `label` is the one
    that opts in: the agent leaves when the namespace has it no more. `ipv6`: whether pods are
    reached by IPv6 first. `cluster` is what alerts call it; `event_webhook` is told all Events of
    Canaries that have no event hook of their own, and `alerts` says who is told of those that name
    no receiver of alerts (api.defaults.routes).
    """

    agent: str
    router: str
    pull_secrets: tuple[str, ...] = ()
    priority_class: str = ""
    label: str = names.ENABLED
    ipv6: bool = False
    agent_size: Size = AGENT_SIZE
    router_size: Size = ROUTER_SIZE
    cluster: str = ""
    event_webhook: str = ""
    alerts: str = ""


def resized(size: Size, *, requests: str = "", limits: str = "") -> Size:
    """Changed as `kubectl set resources` writes it, cpu=100m,memory=256Mi: what is not named stays,
    and an amount that is left empty (cpu=) goes. Raises ValueError.
    """
    changed = Size(changed_to(size.requests, requests), changed_to(size.limits, limits))
    most = dict(changed.limits)
    for resource, amount in changed.requests:
        if resource in most and quantity(amount) > quantity(most[resource]):
            raise ValueError(
                f"{resource}={amount} is asked for, and {most[resource]} is the limit; "
                "raise the limit, or ask for less"
            )
    return changed


def changed_to(amounts: Amounts, text: str) -> Amounts:
    said = dict(amounts) | dict(amounts_in(text))
    return tuple((resource, amount) for resource, amount in said.items() if amount)


def amounts_in(text: str) -> Iterator[tuple[str, str]]:
    for word in filter(None, (part.strip() for part in text.split(","))):
        resource, equals, amount = word.partition("=")
        if resource not in RESOURCES or not equals:
            known = ", ".join(RESOURCES)
            raise ValueError(f'"{word}": write RESOURCE=AMOUNT; resources are {known}')
        if amount and quantity(amount) < 0:
            raise ValueError(f'"{word}": an amount is 0 or more')
        yield resource, amount


def opens_statistics(namespace: Mapping[str, object]) -> bool:
    """Whether the routers of a namespace show their statistics to everybody who reaches them."""
    metadata = namespace.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return (annotations or {}).get(names.OPEN_STATISTICS) == "true"
