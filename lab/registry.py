"""A real image registry in the node's network, for what other clusters have: images are pulled."""

from __future__ import annotations

import sys

import yaml

from lab import build, cluster, processes
from lab.images import layered
from lab.layout import REGISTRY, Layout
from lab.modules import MODULES
from lab.report import LabError, say, step
from lab.shell import succeeds, wait_until

OURS = "outrider"
NAMES = ("webhook", "agent", "shop")
START_SECONDS = 30


def fill(layout: Layout, tag: str) -> None:
    """Our images under this tag, and the lab's Envoy where the official one would be."""
    if not cluster.intact(layout):
        raise LabError("not up; `python -m lab up` first")
    serve(layout)
    wanted = {name: f"{REGISTRY}/{OURS}/{name}:{tag}" for name in NAMES}
    wanted["envoy"] = f"{REGISTRY}/{official_envoy(layout)}"
    for name, reference in wanted.items():
        with step(f"pushed {reference}"):
            maker, image = layered(layout, name)
            maker.send(image.exact, reference)
    say(f"to be used with REGISTRY={REGISTRY}/{OURS} TAG={tag}")


def official_envoy(layout: Layout) -> str:
    """What the base names as the routers' image: a cluster that asks for it finds ours."""
    text = (layout.project / "manifests" / "base" / "webhook.yaml").read_text()
    deployment = next(iter(yaml.safe_load_all(text)))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    said = {one["name"]: one.get("value", "") for one in container["env"]}
    return str(said["ROUTER_IMAGE"])


def serve(layout: Layout) -> None:
    """Started, and built before if it never was."""
    if build.missing(layout, MODULES["registry"]):
        build.build(layout, MODULES["registry"])
    processes.start(layout, "registry")
    wait_until(lambda: answers(layout), "the registry answers", seconds=START_SECONDS)


def answers(layout: Layout) -> bool:
    script = f"import urllib.request as u; u.urlopen('http://{REGISTRY}/v2/', timeout=1)"
    return succeeds((*layout.nsenter, sys.executable, "-c", script))
