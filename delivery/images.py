"""Images whose name says no version: a rollback to the same name may bring other bits."""

from collections.abc import Iterator, Mapping
from typing import Any

from delivery.mapping import mapping


def floating(template: Mapping[str, Any]) -> tuple[str, ...]:
    """The images without a digest whose tag is `latest`, or which have none; each once."""
    return tuple(dict.fromkeys(image for image in images(template) if floats(image)))


def images(template: Mapping[str, Any]) -> Iterator[str]:
    spec = mapping(template, "spec")
    for kind in ("initContainers", "containers"):
        found = spec.get(kind)
        for container in found if isinstance(found, list) else ():
            image = mapping(container).get("image")
            if isinstance(image, str) and image:
                yield image


def floats(image: str) -> bool:
    """The tag stands behind the last slash: what is before it may have a port."""
    tag = image.rpartition("/")[2].partition(":")[2]
    return "@" not in image and tag in ("", "latest")


def advice(template: Mapping[str, Any]) -> str:
    """What a user should know of it; empty where every image names its version."""
    found = floating(template)
    if not found:
        return ""
    return (
        "no fixed version, so a rollback may bring other bits; use a tag of its own for each "
        f"version, or a digest: {', '.join(found)}"
    )
