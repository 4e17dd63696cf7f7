"""Flagger, whose resources ours are too: the two must never act on the same namespace."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from delivery import names
from delivery.pods import Object, annotations_of, labels_of

NAME = "flagger"
"""Of its Deployment, its image and its `app` label, by its chart and by its manifests."""
LABELS = ("app.kubernetes.io/name", "app")
SCOPE = "namespace"
"""Its flag for watching one namespace alone."""


def watching(deployments: Sequence[Object], namespace: str) -> str:
    """The running Flagger that watches this namespace, as NAMESPACE/NAME; empty without one."""
    found = (
        f"{one['metadata']['namespace']}/{one['metadata']['name']}"
        for one in deployments
        if is_flagger(one) and one["spec"].get("replicas", 1) and scope(one) in ("", namespace)
    )
    return min(found, default="")


def is_flagger(deployment: Object) -> bool:
    """Named so is not enough: somebody may sell flags."""
    images = (image_name(box.get("image", "")) for box in containers(deployment))
    return NAME in (*images, *(labels_of(deployment).get(label) for label in LABELS))


def image_name(image: str) -> str:
    """registry:5000/weaveworks/flagger:1.0@sha256:… is flagger."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def containers(deployment: Object) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = deployment["spec"]["template"]["spec"]["containers"]
    return found


def scope(deployment: Object) -> str:
    """The one namespace that it watches; empty for all."""
    words = [
        str(word)
        for box in containers(deployment)
        for word in (*(box.get("command") or ()), *(box.get("args") or ()))
    ]
    return next(flag_values(words, SCOPE), "")


def flag_values(words: Sequence[str], name: str) -> Iterator[str]:
    """Of a flag as Go reads it: -name=value, --name=value, or value in the next word."""
    for word, following in zip(words, (*words[1:], ""), strict=False):
        if word in (f"-{name}", f"--{name}"):
            yield following
        for start in (f"-{name}=", f"--{name}="):
            if word.startswith(start):
                yield word.removeprefix(start)


def announced(parts: Iterable[Object], found: str) -> Iterator[Object]:
    """A namespace's parts, on whose agents it is written which Flagger there is.

    An empty word says that there is none: a key that was left out would stay as it was.
    """
    for part in parts:
        if (part["kind"], part["metadata"]["name"]) == ("Deployment", names.AGENT):
            marks = {**annotations_of(part), names.FLAGGER: found}
            part = {**part, "metadata": {**part["metadata"], "annotations": marks}}
        yield part


def heard(agents: Object | None) -> str:
    """What is written on the agents' own Deployment."""
    return annotations_of(agents).get(names.FLAGGER, "") if agents else ""


def obstacle(found: str) -> str:
    place, _, name = found.partition("/")
    which = f"Deployment {name} of namespace {place}"
    return f"Flagger ({which}) watches this namespace: scale it to 0 first"
