"""A pair that Flagger made is taken over as it is: what in it is Flagger's, and what the user's.

Its primary bears another value of one label, selects by that alone, and may read copies of
ConfigMaps and Secrets, named like them with `-primary` (reference, 4.1, 4.2 and 4.5).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from delivery import names
from delivery.canary import Canary
from delivery.decision import Claim
from delivery.observation import Observation
from delivery.pods import Object, labels_of

FINALIZER = "finalizer.flagger.app"
"""Nobody would take it off while Flagger does not run."""
COPY = f"-{names.PRIMARY}"
SPREAD = ("topologySpreadConstraints", "affinity")
REFERRING = ("volumes", "initContainers", "containers")
REFERENCES = ("configMap", "secret", "configMapKeyRef", "secretKeyRef", "configMapRef", "secretRef")

Owner = Mapping[str, Any]
Label = tuple[str, str, str]
"""Its key, the target's value, the primary's."""


def other_labels(primary: Object, target: Object) -> Sequence[Label]:
    """The labels by which the primary's pods differ from the target's; none of a pair of ours."""
    own = labels_of(target["spec"]["template"])
    selector = primary["spec"]["selector"]["matchLabels"]
    return [
        (key, own[key], value)
        for key, value in selector.items()
        if own.get(key) != value and key in own and key != names.ROLE
    ]


def as_written(template: Object, primary: Object, target: Object) -> Object:
    """A template of the primary as its user wrote it, so that both halves can be compared."""
    labels = other_labels(primary, target)
    for key, targets, primarys in labels:
        template = relabelled(template, key, primarys, targets)
    return without_copies(template, target) if labels else template


def as_primary(template: Object, primary: Object, target: Object) -> Object:
    """A template of the user's as this primary runs it."""
    for key, targets, primarys in other_labels(primary, target):
        template = relabelled(template, key, targets, primarys)
    return template


def relabelled(template: Object, key: str, old: str, new: str) -> Object:
    """Also where the pods are to be spread or kept apart."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    spread = {name: swapped(spec[name], key, old, new) for name in SPREAD if name in spec}
    return {
        **template,
        "metadata": swapped(metadata, key, old, new),
        "spec": {**spec, **spread},
    }


def swapped(document: Any, key: str, old: str, new: str) -> Any:
    """Another value of one label, in labels, in matchLabels and in matchExpressions."""
    if isinstance(document, list):
        return [swapped(one, key, old, new) for one in document]
    if not isinstance(document, Mapping):
        return document
    if document.get("key") == key and isinstance(document.get("values"), list):
        return {**document, "values": [new if one == old else one for one in document["values"]]}
    return {
        name: new if (name, value) == (key, old) else swapped(value, key, old, new)
        for name, value in document.items()
    }


def without_copies(template: Object, target: Object) -> Object:
    """Reading what was copied; a name that the target has too is no copy's."""
    own = frozenset(referenced(target["spec"]["template"].get("spec") or {}))
    spec = template["spec"]
    return {
        **template,
        "spec": {
            name: originals(value, own) if name in REFERRING else value
            for name, value in spec.items()
        },
    }


def originals(document: Any, own: frozenset[str]) -> Any:
    if isinstance(document, list):
        return [originals(one, own) for one in document]
    if not isinstance(document, Mapping):
        return document
    return {
        key: original(value, own)
        if key in REFERENCES and isinstance(value, Mapping)
        else originals(value, own)
        for key, value in document.items()
    }


def original(reference: Mapping[str, Any], own: frozenset[str]) -> Mapping[str, Any]:
    return {
        key: value.removesuffix(COPY)
        if key in ("name", "secretName") and value not in own
        else value
        for key, value in reference.items()
    }


def referenced(document: Any) -> Iterator[str]:
    """The names of the ConfigMaps and Secrets that a pod reads."""
    if isinstance(document, list):
        for one in document:
            yield from referenced(one)
    if not isinstance(document, Mapping):
        return
    for key, value in document.items():
        if key in REFERENCES and isinstance(value, Mapping):
            yield from (value[name] for name in ("name", "secretName") if name in value)
        yield from referenced(value)


def is_canary(owner: Owner) -> bool:
    group = str(owner.get("apiVersion", "")).partition("/")[0]
    return (group, owner.get("kind")) == (names.GROUP, "Canary")


def claimed(
    found: Object, labels: Mapping[str, str], goes: Callable[[Owner], bool] = is_canary
) -> Iterator[Claim]:
    """With these labels, and without the owners that go."""
    metadata = found["metadata"]
    owners = metadata.get("ownerReferences") or []
    left = [one for one in owners if not goes(one)]
    if left == owners:
        return
    wanted = {"ownerReferences": left, **({"labels": dict(labels)} if labels else {})}
    yield Claim(found["kind"], metadata["name"], wanted, metadata.get("resourceVersion", ""))


def claims(canary: Canary, seen: Observation, marks: Mapping[str, str]) -> Iterator[Claim]:
    """What belonged to the Canary would go with it, and users with that: it becomes ours.

    The Service that clients call is theirs, not ours: it only stops to belong to anybody.
    """
    if FINALIZER in canary.finalizers:
        left = [one for one in canary.finalizers if one != FINALIZER]
        yield Claim("Canary", canary.name, {"finalizers": left}, canary.resource_version)
    if seen.primary:
        yield from claimed(seen.primary.manifest, {**marks, names.ROLE: names.PRIMARY})
    if seen.apex:
        yield from claimed(seen.apex, {})
        for role in (names.PRIMARY, names.CANARY):
            name = names.suffixed(canary.service or canary.target, role)
            if found := seen.services.get(name):
                yield from claimed(found, {**marks, names.ROLE: role})
