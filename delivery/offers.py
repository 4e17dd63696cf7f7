"""What a namespace offers to others: its annotation becomes bindings to the agents of those."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from delivery import names
from delivery.optin import part, placed
from delivery.pods import annotations_of

Manifest = Mapping[str, Any]

EVERYBODY = "*"
GROUP = "rbac.authorization.k8s.io"


def offered_to(namespace: Manifest) -> frozenset[str]:
    """The namespaces that an owner wrote down, or EVERYBODY among them."""
    said = annotations_of(namespace).get(names.OFFERS_TO, "")
    return frozenset(filter(None, (word.strip() for word in said.split(","))))


def offers(namespace: Manifest, to: str) -> bool:
    return bool({to, EVERYBODY} & offered_to(namespace))


def receivers(namespace: Manifest, enrolled: Collection[str]) -> Sequence[str]:
    """Who it is that gets something: only those that are opted in, and nobody from himself."""
    own = namespace["metadata"]["name"]
    return sorted(one for one in enrolled if one != own and offers(namespace, one))


def bindings(namespaces: Iterable[Manifest], enrolled: Collection[str]) -> Iterator[Manifest]:
    """All that is wanted in all of them."""
    for one in namespaces:
        to = receivers(one, enrolled)
        if to and not one["metadata"].get("deletionTimestamp"):
            name = one["metadata"]["name"]
            yield placed(binding(names.OFFERS, "ClusterRole", to), name)
            yield placed(binding(names.OFFERED_SECRETS, "Role", to), name)


def binding(name: str, kind: str, to: Sequence[str]) -> dict[str, Any]:
    """From the role of that name to the agents of those namespaces."""
    subjects = [{"kind": "ServiceAccount", "name": names.AGENT, "namespace": one} for one in to]
    role = {"apiGroup": GROUP, "kind": kind, "name": name}
    return part(f"{GROUP}/v1", "RoleBinding", name, subjects=subjects, roleRef=role)


def is_ours(found: Manifest) -> bool:
    """Not one of that name which somebody else made."""
    labels = found["metadata"].get("labels") or {}
    return bool(labels.get(names.MANAGED_BY) == names.OUTRIDER)
