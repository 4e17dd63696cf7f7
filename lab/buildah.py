"""Builds images from Dockerfiles without a daemon, with the certificates this machine trusts."""

from __future__ import annotations

import configparser
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import packages
from lab.cgroups import WORK, entrance
from lab.layout import Layout
from lab.report import LabError
from lab.shell import run, run_watched, succeeds, within

CERTIFICATES_INSIDE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Builder:
    """A clone's own store of layers: with --layers only what changed is built again."""

    layout: Layout
    driver: str

    def command(self, *words: str | Path) -> tuple[str, ...]:
        place = self.layout
        return (
            "buildah",
            f"--root={place.storage}",
            f"--runroot={place.short}/buildah",
            f"--storage-driver={self.driver}",
            *map(str, words),
        )

    def run(self, *words: str | Path, log: Path) -> None:
        run_watched(
            within(entrance(self.layout, WORK), self.command(*words)),
            log=log,
            env={"TMPDIR": str(self.layout.work)},
            progress=lambda: f"buildah {words[0]} is at work",
        )

    def build(
        self,
        dockerfile: Path,
        *,
        name: str,
        context: Path,
        base: str | None,
        architecture: str | None = None,
    ) -> None:
        """`base` is what ARG BASE of the Dockerfile stands for, `architecture` by default ours."""
        words: list[str | Path] = ["bud", "--isolation=chroot", "--layers", "--pull=never"]
        words += [f"--volume={volume}" for volume in _trust(self.layout)]
        words += [f"--build-arg=BASE={base}"] if base else []
        words += [f"--arch={architecture}"] if architecture else []
        ignored = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
        words += [f"--ignorefile={ignored}"] if ignored.exists() else []
        words += [f"--file={dockerfile}", f"--tag={name}", context]
        self.run(*words, log=self.layout.logs / f"{_log_name(name)}.log")

    def has(self, name: str) -> bool:
        return succeeds(self.command("inspect", "--type=image", name))

    def pull(self, name: str, *, folder: Path, state: str) -> None:
        """Through a link: buildah makes a name of the path, and refuses one with a dot in it."""
        link = self.layout.short / "images"
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
        image = run(self.command("pull", "-q", f"oci:{link}:{state}"), seconds=300)
        run(self.command("tag", image.strip(), name))

    def push(self, name: str, *, folder: Path, state: str) -> None:
        """Layers that the folder has already are not written again."""
        words = ("push", "--quiet", "--disable-compression", "--format=oci", name)
        self.run(*words, f"oci:{folder}:{state}", log=self.layout.logs / "image-push.log")

    def send(self, name: str, reference: str) -> None:
        """To a registry in the node's network, which needs no TLS there."""
        place = self.layout
        words = self.command("push", "--quiet", "--tls-verify=false", name, f"docker://{reference}")
        run_watched(
            within(entrance(place, WORK), (*place.nsenter, *words)),
            log=place.logs / "image-push.log",
            env={"TMPDIR": str(place.work)},
            progress=lambda: "buildah push is at work",
        )


def builder(layout: Layout) -> Builder:
    """The layers that an interrupted build left in work are thrown away; finished ones serve."""
    works = packages.overlay_works(layout.work / "overlay-trial")
    made = Builder(layout, "overlay" if works else "vfs")
    run(made.command("rm", "--all"), seconds=300)
    return made


def _log_name(image: str) -> str:
    """image-webhook for localhost/outrider/webhook:0123456789abcdef."""
    return f"image-{image.rpartition('/')[2].partition(':')[0]}"


def _trust(layout: Layout) -> list[str]:
    """Volumes that exist during RUN alone: nothing of them stays in an image."""
    settings = _pip_settings()
    bundle = os.environ.get("SSL_CERT_FILE") or settings.get("cert")
    kept = {name: settings[name] for name in ("index-url", "proxy") if name in settings}
    volumes = []
    if bundle and Path(bundle).is_file():
        kept["cert"] = CERTIFICATES_INSIDE
        volumes.append(f"{Path(bundle).resolve()}:{CERTIFICATES_INSIDE}:ro")
    written = configparser.ConfigParser(interpolation=None)
    written["global"] = {**kept, "timeout": "180", "disable-pip-version-check": "1"}
    file = layout.work / "pip.conf"
    with file.open("w") as handle:
        written.write(handle)
    return [*volumes, f"{file}:/etc/pip.conf:ro"]


def _pip_settings() -> Mapping[str, str]:
    """How pip reaches its index on this machine; folders of the machine mean nothing inside."""
    try:
        done = subprocess.run(
            ("python3", "-m", "pip", "config", "list"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as broken:
        raise LabError("python3 -m pip does not answer") from broken
    return pip_settings(done.stdout)


def pip_settings(listing: str) -> Mapping[str, str]:
    """`pip config list` prints section.name='value'; the environment, `:env:`, wins."""
    found: dict[str, str] = {}
    for section in ("global", ":env:"):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                found[name.removeprefix(f"{section}.")] = value.strip("'\"")
    return found
