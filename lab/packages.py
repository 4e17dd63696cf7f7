"""What the lab needs of the machine: Debian packages, installed if missing, and kernel features."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab import cgroups, network
from lab.layout import Layout
from lab.report import LabError, say, step
from lab.shell import run, run_watched, succeeds

PROGRAMS = {
    "buildah": "buildah",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "iptables": "iptables",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "runc": "runc",
    "socat": "socat",
    "sysctl": "procps",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}
# Another apt-get may hold the lock for a while; waiting is better than failing.
APT = ("apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=600")
APT_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}


def missing_packages() -> list[str]:
    return sorted({package for name, package in PROGRAMS.items() if shutil.which(name) is None})


def install(layout: Layout) -> None:
    lacking = missing_packages()
    if not lacking:
        say("packages: all there")
        return
    if shutil.which("apt-get") is None:
        raise LabError(f"no apt-get here: install these first: {' '.join(lacking)}")
    log = layout.logs / "apt.log"
    say(f"installing Debian packages: {' '.join(lacking)} (log: {log})")
    with step("installed the packages"):
        for words in (("update",), ("install", "--no-install-recommends", *lacking)):
            run_watched(
                (*APT, *words),
                log=log,
                env=APT_ENVIRONMENT,
                progress=lambda: "apt-get is at work",
            )
    if still := missing_packages():
        raise LabError(f"installed, but their programs are not on PATH: {' '.join(still)}")


def require_privileges() -> None:
    """What no package can bring; asked before anything is changed."""
    if os.geteuid() != 0:
        raise LabError("the lab makes namespaces, mounts and cgroups: it needs root")
    if not cgroups.hierarchies():
        raise LabError("no cgroup hierarchy is mounted (/sys/fs/cgroup)")
    if not Path("/proc/self/ns/net").exists():
        raise LabError("this kernel has no network namespaces")


def require_kernel_features() -> None:
    if feature := network.feature_missing():
        raise LabError(f"this kernel (or this container) does not allow: {feature}")


def overlay_works(folder: Path) -> bool:
    """Tried for real: overlay upon overlay, as inside another container, is refused by kernels."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir(exist_ok=True)
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    script = f"mount -t overlay overlay -o '{options}' '{folder}/merged'"
    # In a mount namespace of its own the trial mount is gone with the process.
    works = succeeds(("unshare", "--mount", "sh", "-c", script))
    run(("rm", "-rf", "--one-file-system", folder))
    return works
